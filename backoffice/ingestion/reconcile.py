"""Reconciling a shift: what the terminal declared against what is posted (protocol §6; ledger, "Cash")."""

from datetime import datetime
from uuid import UUID

import msgspec
import structlog
from django.db.backends.utils import CursorWrapper
from django.db.models import Q

from backoffice.domain.posting import post_over_short
from backoffice.domain.states import ShiftState, check_shift_transition
from backoffice.domain.totals import Difference, reconcile, settled_state
from backoffice.domain.wire.messages import CloseShift
from backoffice.ingestion.detaching import is_detached_shift
from backoffice.ingestion.figures import ShiftFigures, shift_figures
from backoffice.ledger.writers import Entry, EntryOrigin, next_entry_id, write_entries
from backoffice.postgres.transactions import transaction_required
from backoffice.sales.models import Shift

log = structlog.get_logger(__name__)


def declaration_of(shift: Shift) -> CloseShift | None:
    """What the terminal declared when it closed the shift; None while it has not."""
    return None if shift.declared is None else msgspec.convert(shift.declared, CloseShift)


def differences_of(shift: Shift, figures: ShiftFigures) -> list[Difference]:
    """What differs between the declaration and what is computed; nothing while nothing was declared."""
    declared = declaration_of(shift)
    return [] if declared is None else reconcile(declared=declared.declared_totals(), computed=figures.computed)


@transaction_required
def reconcile_unsettled(cursor: CursorWrapper, *, terminal_id: int, shift_id: UUID, now: datetime) -> None:
    """Reconciles the shift that a batch went to, if it is closed, and every other that may have waited for its numbers.

    A shift whose month was detached since then stays as it was settled: its sales are not there to be summed. The caller
    holds the terminal's lock.
    """
    touched = Shift.objects.filter(terminal_id=terminal_id).filter(
        Q(state=ShiftState.CLOSING.value) | Q(shift_id=shift_id) & ~Q(state=ShiftState.OPEN.value)
    )
    for shift in touched.exclude(is_detached_shift()).order_by("opened_at"):
        reconcile_shift(cursor, shift, now=now)


@transaction_required
def reconcile_shift(cursor: CursorWrapper, shift: Shift, *, now: datetime) -> None:
    """Settles a closed shift, or leaves it `closing` while something declared is missing. Saves it."""
    figures = shift_figures(cursor, shift)
    differences = differences_of(shift, figures)
    shift.computed = msgspec.to_builtins(figures.computed)
    shift.differences = msgspec.to_builtins(differences)
    shift.expected_cash = figures.expected_cash
    wanted = settled_state(
        waiting_batches=len(figures.missing_batches),
        missing_numbers=len(figures.missing_numbers),
        held=figures.held,
        differences=len(differences),
    )
    if wanted != ShiftState.CLOSING:
        _post_over_short(cursor, shift, figures=figures, now=now)
        shift.reconciled_at = now
    if wanted != shift.state:
        check_shift_transition(present=ShiftState(shift.state), wanted=wanted)
        log.info("shift settled", shift_id=str(shift.shift_id), was=shift.state, state=wanted.value)
        shift.state = wanted.value
    shift.save()


def _post_over_short(cursor: CursorWrapper, shift: Shift, *, figures: ShiftFigures, now: datetime) -> None:
    """Posts what is over or short beyond what earlier reconciliations of this shift posted."""
    if shift.declared is None:
        return
    over_short = shift.declared["cash_counted"] - figures.expected_cash
    postings = post_over_short(over_short=over_short, posted_before=shift.over_short or 0)
    shift.over_short = over_short
    if not postings:
        return
    shift.reconciliations += 1
    entry = Entry(next_entry_id(cursor), shift.shift_id, postings)
    write_entry_of_shift(cursor, shift, entry, source_kind="over_short", source_number=shift.reconciliations, now=now)


@transaction_required
def write_entry_of_shift(
    cursor: CursorWrapper, shift: Shift, entry: Entry, *, source_kind: str, source_number: int, now: datetime
) -> None:
    """Writes an entry that the shift itself makes. Raises as `write_entries` does."""
    origin = EntryOrigin(
        business_date=shift.business_date,
        store_id=shift.store_id,
        terminal_id=shift.terminal_id,
        shift_id=shift.shift_id,
        source_kind=source_kind,
        source_number=source_number,
        currency=shift.currency,
        posted_at=now,
    )
    write_entries(cursor, [entry], origin=origin)
