"""Openings: what each found in the drawer, and what it moved (ledger, "Cash").

How things stood at an opening is told from the times of all shifts of the terminal, those of detached months as well.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

from backoffice.audit.drawers import ShiftBooks, TillBooks, where_shift
from backoffice.audit.entries import derived
from backoffice.audit.findings import Findings
from backoffice.audit.fleet import AuditedTill
from backoffice.audit.in_force import GRACE
from backoffice.audit.ledger import Ledger
from backoffice.audit.rules import DRAWER, OVER_SHORT, SAFE, Sides, debit

SELECT_STAYS = """
SELECT shift_id::text, number, received_at, recorded_end IS NOT NULL, close_received_at,
    CASE WHEN recorded_end IS NULL THEN close_received_at ELSE least(closed_at, close_received_at) END,
    (declared ->> 'float_left')::bigint, state = 'closing', awaits_count, reconciled_at, z_number
FROM sales_shift WHERE terminal_id = %s ORDER BY opening_entry_id
"""

# A number of a shift that was closed, taken after an opening: the shift waited for it then. Not where something was held
# under that number: what cannot be read takes none, and is not waited for either.
SELECT_CAME_LATER = """
SELECT EXISTS (
    SELECT FROM sales_shift s JOIN sales_identity i ON i.terminal_id = s.terminal_id AND i.row_id > %(opening_entry_id)s
        AND i.number BETWEEN (s.declared ->> 'first_number')::bigint AND (s.declared ->> 'last_number')::bigint
    WHERE s.shift_id = ANY(%(waiting)s::uuid[])
        AND NOT coalesce(s.declared -> 'carried_over' @> to_jsonb(i.number), false)
        AND NOT EXISTS (SELECT FROM sales_helditem h WHERE h.terminal_id = i.terminal_id AND h.number = i.number)
)
"""


class Stay(NamedTuple):
    """When a shift was in the drawer: from `received_at` until its close came at `closed_at`.

    `left_at` is when it left the drawer by its own time, where its close may have come long after that. `is_recorded` if it was, or came to be, recorded as ended. `float_left` is what it left, None if it did not say.
    """

    shift_id: str
    number: int
    received_at: datetime
    is_recorded: bool
    closed_at: datetime | None
    left_at: datetime | None
    float_left: int | None
    is_closing: bool
    awaits_count: bool
    reconciled_at: datetime | None
    z_number: int | None

    def had_closed(self, later: "Stay") -> bool:
        """Whether it had closed when a later shift opened. Of shifts not recorded as ended, two are never open at once."""
        if self.closed_at is None:
            return False
        return self.closed_at <= later.received_at or not (self.is_recorded or later.is_recorded)

    @property
    def waits_since_its_close(self) -> bool:
        """Whether it waits for its count, or for orders, and never settled."""
        return self.awaits_count or self.reconciled_at is None

    def may_have_waited(self, moment: datetime) -> bool:
        """Whether, once closed, it can have waited for orders or its count then: it still does, or settled afterwards."""
        return (
            self.is_closing or self.awaits_count or self.reconciled_at is None or self.reconciled_at >= moment - GRACE
        )


class BeforeOpening(NamedTuple):
    """What stood before an opening. `float_left` is None if it is not known what the last close left.

    The version before took the close that came last for that, also where it had been late: `float_left_before`.
    `may_wait` are the earlier shifts that can have waited for orders or their count, since it is not kept when a shift
    settled first; `surely_waits` if one of them did.
    """

    float_left: int | None
    float_left_before: int | None
    surely_waits: bool
    may_wait: tuple[str, ...]


def load_stays(cursor: CursorWrapper, till: AuditedTill) -> list[Stay]:
    """Every shift of a terminal in the order of openings."""
    cursor.execute(SELECT_STAYS, [till.id])
    return [Stay(*row) for row in cursor.fetchall()]


def drawers_before(stays: list[Stay]) -> Iterator[tuple[str, BeforeOpening]]:
    """For each shift, what stood before its opening. Takes time in proportion to the shifts that stand open or wait."""
    standing: list[Stay] = []
    waiting: list[Stay] = []
    last: Stay | None = None
    came_last: Stay | None = None
    for stay in stays:
        for closed in [each for each in standing if each.had_closed(stay)]:
            standing.remove(closed)
            waiting.append(closed)
            last = max(last or closed, closed, key=_left_at)
            came_last = max(came_last or closed, closed, key=_closed_at)
        waiting = [each for each in waiting if each.may_have_waited(stay.received_at)]
        float_left = None if standing or last is None else last.float_left
        before = None if standing or came_last is None else came_last.float_left
        surely_waits = any(each.waits_since_its_close for each in waiting)
        yield stay.shift_id, BeforeOpening(float_left, before, surely_waits, tuple(each.shift_id for each in waiting))
        standing.append(stay)


def check_openings(
    cursor: CursorWrapper, books: TillBooks, stays: list[Stay], *, ledger: Ledger, findings: Findings
) -> None:
    """Checks every opening, given what the shifts before left in the drawer: call it once their counts are checked."""
    before = dict(drawers_before(stays))
    store = books.till.store_code
    for shift, since in zip(books.shifts.values(), books.drawer.between, strict=False):
        row, where = shift.row, f"opening of {where_shift(books.till, shift.row)}"
        stood, found = before[row.shift_id], {} if shift.opening is None else shift.opening.sides
        sides, balance = _opening(cursor, shift, stood, balance=books.opened_with + since)
        if stood.float_left != stood.float_left_before and sides != found:
            stood = stood._replace(float_left=stood.float_left_before)
            sides, balance = _opening(cursor, shift, stood, balance=books.opened_with + since)
        expected = derived(shift.head("opening", row.shift_id, found=shift.opening), sides)
        ledger.check(expected, shift.opening, store=store, where=where)
        apart = None if balance == row.opening_float else balance
        for what, one, other in (
            ("number of its entry", row.opening_entry_id, shift.opening.id if shift.opening else row.opening_entry_id),
            ("drawer after it", apart, row.drawer_at_opening),
        ):
            if one != other:
                findings.add(store, where, what, expected=one, found=other)
        books.opened_with = balance


def _opening(cursor: CursorWrapper, shift: ShiftBooks, before: BeforeOpening, *, balance: int) -> tuple[Sides, int]:
    """What an opening posts, and what the drawer's account holds after it. Before, whatever differed was the safe's."""
    row, sides = shift.row, Sides()
    differs = 0 if before.float_left is None or row.is_of_before else row.opening_float - before.float_left
    rest = row.opening_float - differs - balance
    if rest and not row.is_of_before and _is_left(cursor, shift, before):
        rest = 0
    for amount, other in ((differs, OVER_SHORT), (rest, SAFE)):
        debit(sides, DRAWER, amount)
        debit(sides, other, -amount)
    return sides, balance + differs + rest


def _is_left(cursor: CursorWrapper, shift: ShiftBooks, before: BeforeOpening) -> bool:
    """Whether an opening moves its difference only, since what is still to be posted of an earlier shift does the rest."""
    if before.float_left is None or not before.may_wait:
        return False
    if before.surely_waits or shift.row.drawer_at_opening is not None:
        return True
    key: dict[str, Any] = {"opening_entry_id": shift.row.opening_entry_id, "waiting": list(before.may_wait)}
    cursor.execute(SELECT_CAME_LATER, key)
    return bool((cursor.fetchone() or (False,))[0])


def check_z_numbers(books: TillBooks, stays: list[Stay], *, findings: Findings) -> None:
    """Z numbers count the terminal's shifts that settled, without a gap."""
    given = sorted((stay.z_number, stay.number) for stay in stays if stay.z_number is not None)
    for expected, (z_number, number) in enumerate(given, start=1):
        if z_number != expected:
            where = f"shift {number} of {books.till.name}"
            findings.add(books.till.store_code, where, "Z number", expected=expected, found=z_number)
            return


def _left_at(stay: Stay) -> tuple[datetime, datetime]:
    assert stay.left_at is not None  # noqa: S101 - asked only of those that closed
    return stay.left_at, _closed_at(stay)


def _closed_at(stay: Stay) -> datetime:
    assert stay.closed_at is not None  # noqa: S101 - asked only of those that closed
    return stay.closed_at
