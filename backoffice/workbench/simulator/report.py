"""The table at the end: one row per shift, with the till's figures beside Back Office's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from backoffice_terminal import SavedShift, ShiftView, Totals
from backoffice_terminal.money import to_text
from backoffice_terminal.saved import SavedBatch
from rich.console import Console
from rich.table import Table

from backoffice.workbench.simulator.till import Till

_COLOURS = {"reconciled": "green", "approved": "green", "discrepant": "yellow"}
# Wide enough for every column in full if the output is a file or a pipe.
PLAIN_WIDTH = 150


@dataclass(frozen=True)
class Row:
    """One shift. Orders are counted as Back Office received them, including repeats; amounts are sums of payments.

    `over_short` is None while nobody has counted the drawer.
    """

    store: str
    till: str
    shift: int
    cashier: str
    currency: str
    sent: int
    posted: int
    duplicates: int
    held: int
    missing: int
    declared: int
    computed: int
    over_short: int | None
    state: str
    agrees: bool


def row(till: Till, shift: SavedShift) -> Row:
    """The row of one shift: outcomes from the till's journal, the rest as Back Office answers it now."""
    view = till.persist(lambda: till.terminal.look(shift.shift_id))
    batches = till.terminal.journal.batches(shift.shift_id, "accepted", "processed", "failed")
    ours = till.terminal.totals(shift.shift_id)
    orders = len(till.terminal.journal.orders(shift.shift_id))
    return Row(
        store=till.shop.code,
        till=till.name,
        shift=shift.number,
        cashier=shift.terms.cashier,
        currency=shift.terms.currency,
        sent=sum(len(batch.orders) for batch in batches),
        posted=_counted(batches, "posted"),
        duplicates=_counted(batches, "duplicate"),
        held=_counted(batches, "held") + _counted(batches, "conflict"),
        missing=sum(last - first + 1 for first, last in view.missing_numbers),
        declared=sum(ours.payments.values()),
        computed=sum(view.computed.payments.values()),
        over_short=view.cash.over_short,
        state=view.state,
        agrees=same(ours, orders, view),
    )


def _counted(batches: Sequence[SavedBatch], outcome: str) -> int:
    return sum(batch.outcomes.get(outcome, 0) for batch in batches)


def same(ours: Totals, orders: int, view: ShiftView) -> bool:
    """Whether Back Office computed for a shift exactly what its till wrote down."""
    theirs = view.computed
    names = ("sales", "refunds", "tax", "tips", "rounding")
    return (
        orders == theirs.order_count
        and all(getattr(ours, name) == getattr(theirs, name) for name in names)
        and _nonzero(ours.payments) == _nonzero(theirs.payments)
    )


def _nonzero(payments: dict[str, int]) -> dict[str, int]:
    return {method: amount for method, amount in payments.items() if amount}


def print_rows(rows: Sequence[Row], out: TextIO) -> None:
    """Writes the table, in colour if `out` is a terminal."""
    table = Table(
        title="Shifts", caption="Declared by the till and computed by Back Office: all payments, tips included."
    )
    for name in ("Store", "Till", "Shift", "Cashier"):
        table.add_column(name, no_wrap=True)
    for name in ("Sent", "Posted", "Duplicates", "Held", "Missing", "Declared", "Computed", "Over/short"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("State", no_wrap=True)
    for one in rows:
        table.add_row(*_cells(one))
    console = Console(file=out)
    Console(file=out, width=max(console.width, PLAIN_WIDTH)).print(table)


def _cells(one: Row) -> list[str]:
    counts = [str(count) for count in (one.sent, one.posted, one.duplicates, one.held, one.missing)]
    return [
        one.store,
        one.till,
        str(one.shift),
        one.cashier,
        *counts,
        f"{to_text(one.declared, one.currency)} {one.currency}",
        f"{to_text(one.computed, one.currency)} {one.currency}",
        _over_short(one),
        f"[{_COLOURS.get(one.state, 'red')}]{one.state}[/]",
    ]


def _over_short(one: Row) -> str:
    """After a blind close there is none, and the shift is discrepant, until head office has counted."""
    if one.over_short is None:
        return "[yellow]not counted[/yellow]"
    amount = to_text(one.over_short, one.currency)
    return f"[red]{amount}[/red]" if one.over_short else amount
