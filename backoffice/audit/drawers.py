"""Cash: what each shift's drawer should have held, what was over or short, and what the next opening moved to the safe.

See the ledger, "Cash", and protocol §6.
"""

from backoffice.audit.entries import Entry, Head, Source, derived
from backoffice.audit.findings import Figures, Findings
from backoffice.audit.fleet import AuditedShift, AuditedTill
from backoffice.audit.ledger import Effects, Ledger
from backoffice.audit.rules import DRAWER, OVER_SHORT, SAFE, transfer


class ShiftBooks:
    """What the bytes say about one shift; `cash` is its cash payments and movements, in the order of entries."""

    def __init__(self, shift: AuditedShift, entries: dict[Source, Entry]) -> None:
        self.row = shift
        self.figures = Figures()
        self.opening = entries.get(("opening", shift.shift_id, 0))
        corrections = [
            entry
            for (kind, shift_id, _), entry in entries.items()
            if (kind, shift_id) == ("over_short", shift.shift_id)
        ]
        self.over_short = sorted(corrections, key=lambda entry: entry.id)
        self.cash = Effects([entry.id for entry in self.over_short])

    def head(self, kind: str, source_id: str, number: int = 0) -> Head:
        """The head of an entry of this shift."""
        row = self.row
        return Head(
            row.business_date, row.store_id, row.terminal_id, row.shift_id, kind, source_id, number, row.currency
        )


class TillBooks:
    """The shifts of one terminal and the derived account of its drawer; `left` is what detached months left in it."""

    def __init__(
        self, till: AuditedTill, shifts: list[AuditedShift], entries: dict[Source, Entry], *, left: int = 0
    ) -> None:
        self.till = till
        self.left = left
        self.shifts = {shift.shift_id: ShiftBooks(shift, entries) for shift in shifts}
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


def check_drawers(books: TillBooks, *, ledger: Ledger, findings: Findings) -> None:
    """Checks over and short of every shift, then the openings, which start from what the shifts left in the drawer."""
    for shift in books.shifts.values():
        _check_over_short(books, shift, ledger=ledger, findings=findings)
        _check_figures(books, shift, findings=findings)
    float_before = books.left
    for shift, since in zip(books.shifts.values(), books.drawer.between, strict=False):
        amount = shift.row.opening_float - (float_before + since)
        expected = derived(shift.head("opening", shift.row.shift_id), transfer(amount, DRAWER, SAFE))
        where = f"opening of {where_shift(books.till, shift.row)}"
        ledger.check(expected, shift.opening, store=books.till.store_code, where=where)
        if shift.opening and shift.opening.id != shift.row.opening_entry_id:
            findings.add(
                books.till.store_code,
                where,
                "number of its entry",
                expected=shift.row.opening_entry_id,
                found=shift.opening.id,
            )
        float_before = shift.row.opening_float


def derived_drawer_balance(books: TillBooks) -> int:
    """What the drawer's account should hold, once `check_drawers` has run: the last float, and what moved since.

    It excludes what detached months left in the drawer, since their entries are gone too.
    """
    floats = [shift.row.opening_float for shift in books.shifts.values()]
    return floats[-1] - books.left + books.drawer.between[-1] if floats else 0


def _check_over_short(books: TillBooks, shift: ShiftBooks, *, ledger: Ledger, findings: Findings) -> None:
    """Each over or short entry must bring the shift's cash to the count, given what was posted before it."""
    row, store, where = shift.row, books.till.store_code, where_shift(books.till, shift.row)
    posted = 0
    for number, entry in enumerate(shift.over_short, start=1):
        over = 0 if row.counted is None else row.counted - row.opening_float - shift.cash.until(entry.id)
        expected = derived(shift.head("over_short", row.shift_id, number), transfer(over - posted, DRAWER, OVER_SHORT))
        ledger.check(expected, entry, store=store, where=f"over or short, reconciliation {number} of {where}")
        books.drawer.add(entry.id, over - posted)
        posted = over
    if row.counted is None or not row.is_settled:
        return
    over = row.counted - row.opening_float - sum(shift.cash.between)
    if over != posted:
        findings.add(store, where, "over or short posted in all", expected=over, found=posted)
    if over != row.over_short:
        findings.add(store, where, "over or short", expected=over, found=row.over_short)


def _check_figures(books: TillBooks, shift: ShiftBooks, *, findings: Findings) -> None:
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
