"""A shift as terminals and the console read it: what was declared beside what is posted (protocol §6)."""

from django.db import connection
from msgspec import convert

from backoffice.domain.wire.answers import (
    MOST_DIFFERENCES,
    CashAnswer,
    ComputedAnswer,
    DifferenceAnswer,
    ReasonAnswer,
    ShiftAnswer,
)
from backoffice.ingestion.figures import explained_numbers, shift_figures
from backoffice.ingestion.reconcile import counted_cash, declaration_of, differences_of
from backoffice.sales.models import Shift


def shift_report(shift: Shift) -> ShiftAnswer:
    """The answer of `GET /shifts/{shift_id}`: live figures, in minor units."""
    with connection.cursor() as cursor:
        figures = shift_figures(cursor, shift)
        explained = explained_numbers(cursor, shift)
    declared = declaration_of(shift)
    counted = counted_cash(shift)
    over_short = None if counted is None else counted - figures.expected_cash
    return ShiftAnswer(
        shift_id=shift.shift_id,
        number=shift.number,
        state=shift.state,
        business_date=shift.business_date,
        opened_at=shift.opened_at,
        cashier=shift.cashier,
        opening_float=shift.opening_float,
        first_number=shift.first_number,
        flags=convert(shift.flags or [], list[ReasonAnswer]),
        missing_batches=figures.missing_batches,
        missing_numbers=[list(numbers) for numbers in figures.missing_numbers],
        declared=declared,
        computed=convert(figures.computed, ComputedAnswer, from_attributes=True),
        differences=convert(
            differences_of(shift, figures)[:MOST_DIFFERENCES], list[DifferenceAnswer], from_attributes=True
        ),
        cash=CashAnswer(expected=figures.expected_cash, counted=counted, over_short=over_short),
        held=figures.held,
        late=figures.late,
        explained_numbers=[list(numbers) for numbers in explained],
        z_number=shift.z_number,
    )
