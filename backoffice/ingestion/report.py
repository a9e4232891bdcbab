"""A shift as terminals and the console read it: what was declared beside what is posted (protocol §6)."""

from typing import Any

import msgspec
from django.db import connection

from backoffice.ingestion.figures import shift_figures
from backoffice.ingestion.reconcile import differences_of
from backoffice.sales.models import Shift


def shift_report(shift: Shift) -> dict[str, Any]:
    """The answer of `GET /shifts/{shift_id}`: live figures, in minor units."""
    with connection.cursor() as cursor:
        figures = shift_figures(cursor, shift)
    counted = None if shift.declared is None else shift.declared["cash_counted"]
    return {
        "shift_id": str(shift.shift_id),
        "number": shift.number,
        "state": shift.state,
        "business_date": shift.business_date.isoformat(),
        "missing_batches": figures.missing_batches,
        "missing_numbers": [list(numbers) for numbers in figures.missing_numbers],
        "declared": shift.declared,
        "computed": msgspec.to_builtins(figures.computed),
        "differences": msgspec.to_builtins(differences_of(shift, figures)),
        "cash": {
            "expected": figures.expected_cash,
            "counted": counted,
            "over_short": None if counted is None else counted - figures.expected_cash,
        },
        "held": figures.held,
        "late": figures.late,
    }
