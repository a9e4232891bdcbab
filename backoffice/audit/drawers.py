"""What the bytes say about the cash of each shift and of each drawer (ledger, "Cash"; protocol §6)."""

from backoffice.audit.entries import Entry, Head, Source
from backoffice.audit.findings import Figures, Findings
from backoffice.audit.fleet import AuditedShift, AuditedTill
from backoffice.audit.ledger import Effects
from backoffice.audit.periods import LockedPeriods
from backoffice.audit.remarkable import Remarkable


class ShiftBooks:
    """What the bytes say about one shift; `cash` is its cash payments and movements, in the order of entries."""

    def __init__(self, shift: AuditedShift, entries: dict[Source, Entry], *, periods: LockedPeriods) -> None:
        self.row = shift
        self._periods = periods
        self.figures = Figures()
        self.remarkable = Remarkable()
        own = {
            (kind, number): entry for (kind, shift_id, number), entry in entries.items() if shift_id == shift.shift_id
        }
        self.opening = own.get(("opening", 0))
        self.closings = {number: entry for (kind, number), entry in own.items() if kind == "closing"}
        corrections = [entry for (kind, _), entry in own.items() if kind == "over_short"]
        self.over_short = sorted(corrections, key=lambda entry: entry.id)
        self.cash = Effects([entry.id for entry in self.over_short])

    def head(self, kind: str, source_id: str, number: int = 0, *, found: Entry | None) -> Head:
        """The head of an entry of this shift. Its date follows from what was locked when it was posted."""
        row = self.row
        day = row.business_date
        if found is not None:
            day = self._periods.entry_date(row.store_id, day, found.id)
        return Head(day, row.store_id, row.terminal_id, row.shift_id, kind, source_id, number, row.currency)


class TillBooks:
    """The shifts of one terminal and the derived account of its drawer; `left` is what detached months left in it.

    `opened_with` is what the account held after the last opening, once the openings are checked.
    """

    def __init__(
        self,
        till: AuditedTill,
        shifts: list[AuditedShift],
        entries: dict[Source, Entry],
        *,
        periods: LockedPeriods,
        left: int = 0,
    ) -> None:
        self.till = till
        self.left = left
        self.opened_with = left
        self.shifts = {shift.shift_id: ShiftBooks(shift, entries, periods=periods) for shift in shifts}
        self.drawer = Effects([shift.opening_entry_id for shift in shifts])
        self._last_entry_id = 0

    def moved(self, shift: ShiftBooks, entry: Entry | None, *, cash: int, drawer: int) -> None:
        """Records a posted order or movement: `cash` towards the shift's expected cash, `drawer` towards the account.

        If its entry is missing, it counts as if it were beside the entry before.
        """
        self._last_entry_id = entry.id if entry else self._last_entry_id
        shift.cash.add(self._last_entry_id, cash)
        self.drawer.add(self._last_entry_id, drawer)


def where_shift(till: AuditedTill, shift: AuditedShift) -> str:
    """A shift in words."""
    return f"shift {shift.number} ({shift.shift_id}) of {till.name}"


def derived_drawer_balance(books: TillBooks) -> int:
    """What the drawer's account should hold, once the openings are checked: what the last one left, and what moved since.

    It excludes what detached months left in the drawer, since their entries are gone too.
    """
    return books.opened_with - books.left + books.drawer.between[-1] if books.shifts else 0


def check_figures(books: TillBooks, shift: ShiftBooks, *, findings: Findings) -> None:
    """Compares what was computed at the last reconciliation with the bytes."""
    row, figures = shift.row, shift.figures
    if row.computed is None:
        return
    counted = {
        "order_count": figures.orders + figures.unpaid,
        "sales": figures.sales,
        "refunds": figures.refunds,
        "tax": figures.tax,
        "tips": figures.tips,
        "rounding": figures.rounding,
        "expected cash": row.opening_float + sum(shift.cash.between),
        **{f"payments by {method}": amount for method, amount in figures.payments.items()},
    }
    payments = {f"payments by {method}": amount for method, amount in row.computed["payments"].items()}
    stored = {**row.computed, "expected cash": row.expected_cash, **payments}
    del stored["payments"]
    for name in sorted({*counted, *stored}):
        expected, found = counted.get(name, 0), stored.get(name, 0)
        if expected != found:
            where = where_shift(books.till, row)
            findings.add(books.till.store_code, where, f"{name} as reconciled", expected=expected, found=found)
