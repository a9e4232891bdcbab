"""Counts of drawers: what each moved to the safe, and what was over or short (ledger, "Cash"; protocol §6).

Head office's last count is kept and those between are not: what went with them is taken from their own entries, and must
come to what the last count says in all.
"""

from backoffice.audit.drawers import ShiftBooks, TillBooks, where_shift
from backoffice.audit.entries import Entry, derived
from backoffice.audit.findings import Findings
from backoffice.audit.ledger import Ledger
from backoffice.audit.rules import DRAWER, OVER_SHORT, SAFE, transfer

Counts = list[tuple[int, int]]
"""The counts of one drawer that are known by what they moved: (number of their entry, cash counted)."""


def check_counts(books: TillBooks, *, ledger: Ledger, findings: Findings) -> None:
    """Checks what every shift's counts moved, and what was over or short at each of its reconciliations."""
    for shift in books.shifts.values():
        _check_columns(books, shift, findings=findings)
        counts = _check_closings(books, shift, ledger=ledger)
        _check_over_short(books, shift, counts, ledger=ledger, findings=findings)


def _check_columns(books: TillBooks, shift: ShiftBooks, *, findings: Findings) -> None:
    """How often the drawer was counted, whether it still has to be, and what went to the safe in all."""
    row, where = shift.row, where_shift(books.till, shift.row)
    # Of recounts, only the last is kept: there was one at least.
    fewest = row.counts_at_close + (row.recounted is not None)
    most = fewest if row.recounted is None else max(fewest, row.drawer_counts)
    moved = None if row.float_left is None or row.counted is None else row.counted - row.float_left
    for what, expected, found in (
        ("number of counts", most, row.drawer_counts),
        ("waits for its count", row.is_closed and row.counted is None, row.awaits_count),
        ("moved to the safe", moved, row.moved_to_safe),
    ):
        if expected != found:
            findings.add(books.till.store_code, where, what, expected=expected, found=found)


def _check_closings(books: TillBooks, shift: ShiftBooks, *, ledger: Ledger) -> Counts:
    """Each count must move what is above `float_left` to the safe, less what was moved before; those that moved something."""
    row = shift.row
    if row.float_left is None or row.counted is None:
        return []
    counts: Counts = []
    last = max(row.drawer_counts, 1)
    at_close = [] if row.counted_at_close is None else [1]
    moved = 0
    for number in sorted({*at_close, *(number for number in shift.closings if number < last), last}):
        found = shift.closings.get(number)
        if number == last:
            in_all = row.counted - row.float_left
        elif number == 1 and row.counted_at_close is not None:
            in_all = row.counted_at_close - row.float_left
        else:
            in_all = moved - _drawer_effect(found)
        expected = derived(
            shift.head("closing", row.shift_id, number, found=found), transfer(in_all - moved, SAFE, DRAWER)
        )
        where = f"closing, count {number} of {where_shift(books.till, row)}"
        ledger.check(expected, found, store=books.till.store_code, where=where)
        if found is not None:
            counts.append((found.id, row.float_left + in_all))
        books.drawer.add(row.opening_entry_id if found is None else found.id, moved - in_all)
        moved = in_all
    return counts


def _check_over_short(
    books: TillBooks, shift: ShiftBooks, counts: Counts, *, ledger: Ledger, findings: Findings
) -> None:
    """Each over or short entry must bring the shift's cash to the count, given what was posted before it."""
    row, store, where = shift.row, books.till.store_code, where_shift(books.till, shift.row)
    posted = 0
    for number, entry in enumerate(shift.over_short, start=1):
        cash = row.opening_float + shift.cash.until(entry.id)
        over = _over_short_at(shift, entry, counts, cash=cash, posted=posted)
        head = shift.head("over_short", row.shift_id, number, found=entry)
        expected = derived(head, transfer(over - posted, DRAWER, OVER_SHORT))
        ledger.check(expected, entry, store=store, where=f"over or short, reconciliation {number} of {where}")
        books.drawer.add(entry.id, over - posted)
        posted = over
    if not row.is_settled:
        return
    over_short = None if row.counted is None else row.counted - row.opening_float - sum(shift.cash.between)
    if (over_short or 0) != posted:
        findings.add(store, where, "over or short posted in all", expected=over_short, found=posted)
    if over_short != row.over_short:
        findings.add(store, where, "over or short", expected=over_short, found=row.over_short)


def _over_short_at(shift: ShiftBooks, entry: Entry, counts: Counts, *, cash: int, posted: int) -> int:
    """What was over or short in all once `entry` was posted, by the count that stood then.

    That is the last one which moved something. Where none says what it moved, it is either of those that are kept or, if
    there were more, one that nobody can tell.
    """
    row = shift.row
    if row.recounted is None:
        return 0 if row.counted is None else row.counted - cash
    if row.float_left is not None:
        before = [counted for entry_id, counted in counts if entry_id < entry.id]
        return (before[-1] if before else row.float_left) - cash
    said = posted + _drawer_effect(entry)
    kept = [counted - cash for counted in (row.recounted, row.counted_at_close) if counted is not None]
    are_all_kept = row.drawer_counts - row.counts_at_close <= 1
    return said if said in kept or not are_all_kept else kept[0]


def _drawer_effect(entry: Entry | None) -> int:
    """By how much an entry, as it was found, changed the drawer's account."""
    lines = {} if entry is None else entry.lines
    return sum(debits - credits_ for side, (debits, credits_) in lines.items() if side.account == DRAWER)
