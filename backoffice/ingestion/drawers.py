"""The cash drawer of a terminal: what an opening finds in it, and what a count sends to the safe (ledger, "Cash")."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import BigIntegerField, Case, F, When
from django.db.models.functions import Coalesce

from backoffice.domain.accounts import DRAWER
from backoffice.domain.posting import post_closing, post_opening
from backoffice.domain.states import ShiftState, check_shift_transition
from backoffice.ingestion.carried import last_carried
from backoffice.ingestion.detaching import detached_at_of_shift, is_detached_shift
from backoffice.ingestion.locks import lock_terminal
from backoffice.ingestion.reconcile import counted_cash, reconcile_shift, write_entry_of_shift
from backoffice.ledger.writers import Entry, drawer_balance, drawer_balance_of_shift, next_entry_id
from backoffice.postgres.rows import rows_as
from backoffice.postgres.transactions import transaction_required
from backoffice.sales.models import Shift

# While a shift that was recorded as ended is open, the drawer is not as the last close left it: nobody knows in what order
# the two were in it. The last close is that by its own time: one of a shift recorded as ended may come long after that. All
# others come in their order, whatever their clock says. Of the latest few, so that an opening costs the same for ever.
SELECT_DRAWER = """
SELECT
    CASE WHEN EXISTS (SELECT FROM sales_shift WHERE terminal_id = %(terminal_id)s AND state = 'open') THEN NULL ELSE (
        SELECT (declared ->> 'float_left')::bigint FROM (
            SELECT * FROM sales_shift WHERE terminal_id = %(terminal_id)s AND close_received_at IS NOT NULL
            ORDER BY close_received_at DESC LIMIT 10
        ) AS latest
        ORDER BY CASE WHEN recorded_end IS NULL THEN close_received_at ELSE least(closed_at, close_received_at) END DESC,
            close_received_at DESC LIMIT 1
    ) END AS float_left,
    EXISTS (SELECT FROM sales_shift WHERE terminal_id = %(terminal_id)s AND state = 'closing')
        OR EXISTS (SELECT FROM sales_shift WHERE terminal_id = %(terminal_id)s AND awaits_count) AS a_shift_waits
"""


class DrawerBefore(NamedTuple):
    """A drawer before a shift opens. `float_left` is what the last close left in it, in minor units, None where it is not
    known; `a_shift_waits` for orders or for its count, so that its cash is not all posted yet.
    """

    float_left: int | None
    a_shift_waits: bool


class CannotCount(Exception):
    """The shift is open, unknown, or of a month that was detached: its drawer cannot be counted now."""


def drawer_before(cursor: CursorWrapper, *, terminal_id: int) -> DrawerBefore:
    """What is known of the terminal's drawer, before the next shift is stored."""
    key: dict[str, Any] = {"terminal_id": terminal_id}
    cursor.execute(SELECT_DRAWER, key)
    return rows_as(DrawerBefore, cursor)[0]


@transaction_required
def write_opening(cursor: CursorWrapper, shift: Shift, *, before: DrawerBefore, now: datetime) -> None:
    """Brings the drawer's account to the float of a shift that is about to be stored, and notes where it stays apart."""
    balance = _balance_before(cursor, shift)
    postings = post_opening(
        opening_float=shift.opening_float,
        drawer_balance=balance,
        float_left=before.float_left,
        a_shift_waits=before.a_shift_waits,
    )
    balance += sum(line.debit - line.credit for line in postings if line.account == DRAWER)
    shift.drawer_at_opening = None if balance == shift.opening_float else balance
    if postings:
        entry = Entry(shift.opening_entry_id, shift.shift_id, postings)
        write_entry_of_shift(cursor, shift, entry, source_kind="opening", source_number=0, now=now)


def _balance_before(cursor: CursorWrapper, shift: Shift) -> int:
    """The balance at the opening before, plus what was posted since: a sum over one shift.

    Where the month of that shift was detached, its cash as it was settled stands for both.
    """
    amount = BigIntegerField()
    over_short = Coalesce("over_short", 0, output_field=amount)
    left_at = F("expected_cash") + over_short - Coalesce("moved_to_safe", 0, output_field=amount)
    balance_then = Case(
        When(is_detached_shift(), then=left_at),
        default=Coalesce("drawer_at_opening", "opening_float"),
        output_field=amount,
    )
    before = (
        Shift.objects.filter(terminal_id=shift.terminal_id, opening_entry_id__lt=shift.opening_entry_id)
        .order_by("-opening_entry_id")
        .annotate(detached_at=detached_at_of_shift())
        .values_list("opening_entry_id", balance_then, "shift_id", "detached_at")
        .first()
    )
    if before is None:
        return drawer_balance(cursor, terminal_id=shift.terminal_id, after_entry_id=0)
    after_entry_id, balance, shift_id, detached_at = before
    key: dict[str, Any] = {"terminal_id": shift.terminal_id, "after_entry_id": after_entry_id}
    since = drawer_balance(cursor, **key)
    if (
        detached_at is not None
    ):  # what had come late for a locked period stands in a month that did not leave: it is in both
        since -= drawer_balance_of_shift(cursor, shift_id=shift_id, until=detached_at, **key)
    return int(balance) + since


@transaction_required
def move_to_safe(cursor: CursorWrapper, shift: Shift, *, now: datetime) -> None:
    """After a count: what does not stay in the drawer goes to the safe, or what is lacking comes from it.

    Only where the close said what stays; a recount moves its difference on. The caller saves the shift.
    """
    counted = counted_cash(shift)
    if counted is None:
        return
    shift.drawer_counts += 1
    float_left = None if shift.declared is None else shift.declared.get("float_left")
    if float_left is None:
        return
    postings = post_closing(counted=counted, float_left=float_left, moved_before=shift.moved_to_safe or 0)
    shift.moved_to_safe = counted - float_left
    if postings:
        entry = Entry(next_entry_id(cursor), shift.shift_id, postings)
        number = shift.drawer_counts
        write_entry_of_shift(cursor, shift, entry, source_kind="closing", source_number=number, now=now)


def record_count(*, shift_id: UUID, counted: int, now: datetime) -> Shift:
    """Head office's count of a closed shift's drawer, in minor units: the first after a blind close, or a recount.

    Posts the further difference, and settles the shift again. As often as needed. Raises CannotCount.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        terminal_id = Shift.objects.filter(shift_id=shift_id).values_list("terminal_id", flat=True).first()
        if terminal_id is None:
            raise CannotCount
        lock_terminal(terminal_id)
        return write_count(cursor, shift_id=shift_id, counted=counted, now=now)


@transaction_required
def write_count(
    cursor: CursorWrapper,
    *,
    shift_id: UUID,
    counted: int | None,
    methods: Mapping[str, int] | None = None,
    now: datetime,
) -> Shift:
    """As `record_count`, for whoever holds the terminal's lock. `methods` are amounts of other payment methods, which
    stand before the close's and post nothing; `counted` None leaves the drawer as it was counted.
    """
    shift = Shift.objects.filter(shift_id=shift_id).exclude(is_detached_shift()).first()
    if shift is None or shift.state == ShiftState.OPEN.value:
        raise CannotCount
    if methods:
        shift.recounted_methods = {**(shift.recounted_methods or {}), **methods}
    if counted is not None:
        shift.recounted = counted
        shift.awaits_count = False
        move_to_safe(cursor, shift, now=now)
    reconcile_shift(cursor, shift, now=now)
    return shift


@transaction_required
def end_shift(cursor: CursorWrapper, shift: Shift, *, ended_by: UUID, now: datetime) -> None:
    """Ends an open shift that its terminal will not close: nothing was declared, and its drawer waits for its count.

    The caller holds the terminal's lock. What is left in the drawer is not known, nor which numbers come: those that the
    close before carried over go on to the next.
    """
    check_shift_transition(present=ShiftState(shift.state), wanted=ShiftState.CLOSING)
    shift.carried_on = last_carried(cursor, terminal_id=shift.terminal_id)
    shift.state = ShiftState.CLOSING.value
    shift.ended_by = ended_by
    shift.close_received_at = now
    shift.max_over_short = shift.store.max_over_short
    shift.awaits_count = True
    reconcile_shift(cursor, shift, now=now)
