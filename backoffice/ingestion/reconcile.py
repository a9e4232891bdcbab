"""Reconciling a shift: what the terminal declared against what is posted (protocol §6; ledger, "Cash")."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
import structlog
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from backoffice.domain.limits import MAX_CODE
from backoffice.domain.periods import entry_date
from backoffice.domain.posting import post_over_short
from backoffice.domain.states import ShiftState, check_shift_transition
from backoffice.domain.totals import Difference, ShiftTotals, cash_differences, reconcile, settled_state
from backoffice.domain.wire.answers import StandingClose
from backoffice.domain.wire.messages import MAX_CLOSE_BATCHES, MAX_CLOSE_METHODS, CloseShift
from backoffice.ingestion.detaching import is_detached_shift
from backoffice.ingestion.figures import ShiftFigures, shift_figures
from backoffice.ingestion.locks import lock_terminal
from backoffice.ingestion.z_figures import Standing
from backoffice.ingestion.z_reports import keep_z_report
from backoffice.ledger.writers import Entry, EntryOrigin, locked_through, next_entry_id, write_entries
from backoffice.postgres.arrays import integer_array
from backoffice.postgres.transactions import transaction_required
from backoffice.sales.models import Shift

log = structlog.get_logger(__name__)

# A batch concerns its own shift, and closing shifts that wait for just what it brings: index by index, and of each kind a
# few at most, so that its cost does not depend on how many wait (ADR 24). The catch-up finds what is left.
SELECT_TOUCHED = """
SELECT shift_id FROM sales_shift WHERE shift_id = %(shift_id)s AND state <> 'open'
UNION (
    SELECT shift_id FROM sales_shift
    WHERE terminal_id = %(terminal_id)s AND state = 'closing' AND awaits_number IS NOT NULL
        AND awaits_number = ANY(%(numbers)s::bigint[]) LIMIT %(most)s
) UNION (
    SELECT shift_id FROM sales_shift
    WHERE terminal_id = %(terminal_id)s AND state = 'closing' AND awaits_batch = %(batch_id)s LIMIT %(most)s
) UNION (
    SELECT shift_id FROM sales_shift
    WHERE terminal_id = %(terminal_id)s AND state = 'closing' AND awaits_batch IS NULL AND awaits_number IS NULL
    LIMIT %(most)s
)
"""
MOST_TOUCHED = 5

SELECT_EXPLAINED_AS = """
SELECT DISTINCT e.shift_id FROM sales_explainednumbers e JOIN unnest(%(numbers)s::bigint[]) AS taken (number)
    ON taken.number BETWEEN e.first AND e.last
WHERE e.terminal_id = %(terminal_id)s
"""

# Scalar subqueries: the planner cannot turn them into a hash of everything that was ever sent.
SELECT_ARRIVED = """
SELECT s.shift_id, s.terminal_id FROM sales_shift s
WHERE s.state = 'closing' AND (
    s.awaits_number IS NULL AND s.awaits_batch IS NULL
    OR (SELECT true FROM sales_identity i WHERE i.terminal_id = s.terminal_id AND i.number = s.awaits_number LIMIT 1)
    OR (SELECT true FROM sales_helditem h WHERE h.terminal_id = s.terminal_id AND h.number = s.awaits_number LIMIT 1)
    OR (SELECT b.state = 'processed' AND b.terminal_id = s.terminal_id FROM inbox_batch b WHERE b.batch_id = s.awaits_batch)
) AND NOT EXISTS (
    SELECT FROM sales_detachedmonth m
    WHERE s.business_date BETWEEN m.first_day AND m.last_day AND m.detached_at > s.received_at
) LIMIT %s
"""
MOST_CAUGHT_UP = 200


def declaration_of(shift: Shift) -> CloseShift | None:
    """What the terminal declared when it closed the shift, as answers show it; None while it has not.

    Of a close that was stored before there were bounds, as much as a close may name now.
    """
    if shift.declared is None:
        return None
    declared, totals = shift.declared, shift.declared["totals"]
    payments = {name[:MAX_CODE]: paid for name, paid in islice(totals["payments"].items(), MAX_CLOSE_METHODS)}
    bounded = {"batches": declared["batches"][:MAX_CLOSE_BATCHES], "totals": totals | {"payments": payments}}
    return msgspec.convert(declared | bounded, CloseShift)


def standing_close(shift: Shift) -> StandingClose | None:
    """The declaration that stands, with its batches counted; None while there is none."""
    declared = declaration_of(shift)
    if declared is None or shift.declared is None:
        return None
    fields: dict[str, Any] = msgspec.structs.asdict(declared)
    del fields["batches"]
    return StandingClose(**fields, batch_count=len(shift.declared["batches"]))


def counted_cash(shift: Shift) -> int | None:
    """The count of the drawer that stands, head office's before the terminal's; None while there is none."""
    if shift.recounted is not None or shift.declared is None:
        return shift.recounted
    counted: int | None = shift.declared["cash_counted"]
    return counted


def differences_of(shift: Shift, figures: ShiftFigures) -> list[Difference]:
    """What differs between the declaration and what is computed; nothing while nothing was declared."""
    if shift.declared is None and shift.ended_by is None:
        return []
    cash = cash_differences(
        counted=counted_cash(shift), expected=figures.expected_cash, max_over_short=shift.max_over_short
    )
    return [*_declared_differences(shift, figures), *cash]


def _declared_differences(shift: Shift, figures: ShiftFigures) -> list[Difference]:
    """Head office's last amount of a payment method stands before the close's; what it ended was never declared."""
    if shift.declared is None:
        return []
    totals = shift.declared["totals"]
    payments = totals["payments"] | (shift.recounted_methods or {})
    declared = ShiftTotals(order_count=shift.declared["order_count"], **(totals | {"payments": payments}))
    return reconcile(declared=declared, computed=figures.computed)


@transaction_required
def reconcile_unsettled(
    cursor: CursorWrapper,
    *,
    terminal_id: int,
    shift_id: UUID,
    batch_id: UUID,
    numbers: Iterable[int] = (),
    done: set[UUID] | None = None,
    now: datetime,
) -> None:
    """Reconciles the shift that a batch went to, if it is closed, and others that waited for it or for its `numbers`.

    A shift whose month was detached since then stays as it was settled: its sales are not there to be summed. The caller
    holds the terminal's lock. Those in `done` are left out, and those reconciled are added to it: where several batches
    are in the books already, a shift of theirs needs it once, and has one revision of its Z.
    """
    done = set() if done is None else done
    brought: dict[str, Any] = {
        "terminal_id": terminal_id,
        "shift_id": shift_id,
        "batch_id": batch_id,
        "numbers": integer_array(numbers),
        "most": MOST_TOUCHED,
    }
    cursor.execute(SELECT_TOUCHED, brought)
    touched = Shift.objects.filter(shift_id__in={row[0] for row in cursor.fetchall()} - done)
    for shift in in_the_tables(touched):
        reconcile_shift(cursor, shift, now=now)
        done.add(shift.shift_id)


def in_the_tables(shifts: QuerySet[Shift]) -> QuerySet[Shift]:
    """Those of the shifts whose month is not detached, in the order in which they were opened."""
    return shifts.exclude(is_detached_shift()).order_by("opened_at")


@transaction_required
def supersede_approvals(
    cursor: CursorWrapper, *, terminal_id: int, numbers: Sequence[int], done: set[UUID], now: datetime
) -> None:
    """Shifts of the terminal in which one of these numbers was explained are approved no more: it was a sale after all.

    `numbers` have just been taken for the first time, by orders of whatever shift. The caller holds the terminal's lock.
    Those reconciled are added to `done`.
    """
    if not numbers:
        return
    cursor.execute(SELECT_EXPLAINED_AS, {"terminal_id": terminal_id, "numbers": integer_array(numbers)})
    approved = Shift.objects.filter(shift_id__in=[row[0] for row in cursor.fetchall()], approval_id__isnull=False)
    for shift in in_the_tables(approved):
        shift.approval_id = None
        reconcile_shift(cursor, shift, now=now)
        done.add(shift.shift_id)


def catch_up_on_shifts(*, now: datetime) -> int:
    """Reconciles closing shifts for which what they waited for has arrived unnoticed; how many there were.

    A batch that concerns very many shifts leaves most of them to this, and so does the version before. One that cannot be
    reconciled is logged, and does not stop the others.
    """
    with connection.cursor() as cursor:
        cursor.execute(SELECT_ARRIVED, [MOST_CAUGHT_UP])
        arrived = cursor.fetchall()
    for shift_id, terminal_id in arrived:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                lock_terminal(terminal_id)
                shift = Shift.objects.get(shift_id=shift_id)
                if shift.state == ShiftState.CLOSING.value:
                    reconcile_shift(cursor, shift, now=now)
        except Exception:
            if not connection.is_usable():
                raise
            log.exception("shift not caught up on", shift_id=str(shift_id))
    return len(arrived)


@transaction_required
def reconcile_shift(cursor: CursorWrapper, shift: Shift, *, now: datetime) -> None:
    """Settles a closed shift and keeps its Z, or leaves it `closing` while something declared is missing. Saves it."""
    figures = shift_figures(cursor, shift)
    differences = differences_of(shift, figures)
    before = shift.computed, shift.differences, shift.expected_cash
    shift.computed = msgspec.to_builtins(figures.computed)
    shift.differences = msgspec.to_builtins(differences)
    shift.expected_cash = figures.expected_cash
    is_unchanged = before == (shift.computed, shift.differences, shift.expected_cash) and _is_posted(shift)
    wanted = settled_state(
        waiting_batches=len(figures.missing_batches),
        missing_numbers=len(figures.missing_numbers),
        held=figures.held,
        differences=len(differences),
    )
    if shift.approval_id is not None:
        if is_unchanged and wanted != ShiftState.CLOSING and not figures.held:
            wanted = ShiftState.APPROVED  # nothing came that was not known when it was approved
        else:
            shift.approval_id = None
    shift.awaits_number = figures.missing_numbers[0][0] if figures.missing_numbers else None
    shift.awaits_batch = figures.missing_batches[0] if figures.missing_batches else None
    if wanted != ShiftState.CLOSING:
        _post_over_short(cursor, shift, figures=figures, now=now)
        if shift.reconciled_at is None:
            shift.z_number = _next_z_number(cursor, terminal_id=shift.terminal_id)
        shift.reconciled_at = now
    if wanted != shift.state:
        check_shift_transition(present=ShiftState(shift.state), wanted=wanted)
        log.info("shift settled", shift_id=str(shift.shift_id), was=shift.state, state=wanted.value)
        shift.state = wanted.value
    shift.save()
    if wanted != ShiftState.CLOSING:
        keep_z_report(cursor, shift, figures, Standing(counted_cash(shift), differences), now=now)


def _is_posted(shift: Shift) -> bool:
    """Whether what is over or short of the count that stands was posted before."""
    counted = counted_cash(shift)
    return counted is None or shift.expected_cash is None or counted - shift.expected_cash == shift.over_short


def _next_z_number(cursor: CursorWrapper, *, terminal_id: int) -> int:
    """Z numbers run without a gap on a terminal, whose lock the caller holds."""
    cursor.execute("SELECT coalesce(max(z_number), 0) + 1 FROM sales_shift WHERE terminal_id = %s", [terminal_id])
    row = cursor.fetchone()
    return int(row[0]) if row else 1


def _post_over_short(cursor: CursorWrapper, shift: Shift, *, figures: ShiftFigures, now: datetime) -> None:
    """Posts what is over or short beyond what earlier reconciliations of this shift posted."""
    counted = counted_cash(shift)
    if counted is None:
        return
    over_short = counted - figures.expected_cash
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
    locked = locked_through(cursor, store_id=shift.store_id)
    origin = EntryOrigin(
        business_date=entry_date(shift.business_date, locked_through=locked),
        store_id=shift.store_id,
        terminal_id=shift.terminal_id,
        shift_id=shift.shift_id,
        source_kind=source_kind,
        source_number=source_number,
        currency=shift.currency,
        posted_at=now,
    )
    write_entries(cursor, [entry], origin=origin)
