"""The end of the story: compares the books with what the tills wrote down, store by store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backoffice_terminal.money import to_text

from backoffice.workbench.simulator.catalogue import Shop
from backoffice.workbench.simulator.expectation import Sums, differences, in_the_books, written_down
from backoffice.workbench.simulator.story import Plot
from backoffice.workbench.simulator.till import Till


@dataclass(frozen=True)
class Verdict:
    """`lines` for people; `right` if every store's books agree with its tills and the audit found no difference."""

    right: bool
    lines: list[str]


def compare(cast: Sequence[tuple[Till, Plot]], books: Mapping[str, Any], *, decided: bool = False) -> Verdict:
    """Sums the journals of each shop's tills and compares them with the books.

    What was broken on purpose is not in the books, or once it is `decided`, as head office has put it right.
    """
    found = {store["code"]: in_the_books(store) for store in books["stores"]}
    lines = [
        f"Broken on purpose and held: {till.shop.code} {till.name}, {words}{', then put into the books' if decided else ''}"
        for till, plot in cast
        for words in plot.broken.values()
    ]
    lines.append("The books beside what the tills wrote down:")
    right = not books["differences"]
    lines += [f"  the ledger itself: {difference}" for difference in books["differences"]]
    for shop in dict.fromkeys(till.shop for till, _ in cast):
        expected = _expected([(till, plot) for till, plot in cast if till.shop == shop], decided=decided)
        wrong = differences(expected, found.get(shop.code, Sums()))
        right = right and not wrong
        lines.append(f"  {shop.code}: {_in_words(expected, shop)}: {'DIFFERENT' if wrong else 'equal'}")
        lines += [f"    {difference}" for difference in wrong]
    lines.append(_as_checked(books))
    return Verdict(right, lines)


def _as_checked(books: Mapping[str, Any]) -> str:
    """What `verify_books` says, in a line."""
    count = len(books["differences"])
    found = "no difference" if not count else "1 difference" if count == 1 else f"{count} differences"
    return f"The books were worked out again from what the tills sent: {books['orders']} orders, {found}."


def _expected(cast: Sequence[tuple[Till, Plot]], *, decided: bool) -> Sums:
    journals = [path for till, plot in cast for path in (till.path, *plot.older_journals)]
    broken = {order_id for _, plot in cast for order_id in plot.broken}
    corrected = {order_id: order for _, plot in cast for order_id, order in plot.corrected.items()}
    return written_down(journals, except_for=() if decided else broken, corrected=corrected)


def _in_words(sums: Sums, shop: Shop) -> str:
    amounts = {"sales": sums.sales, "refunds": sums.refunds, "tax": sums.tax, "tips": sums.tips}
    figures = ", ".join(f"{name} {to_text(amount, shop.currency)}" for name, amount in amounts.items())
    return f"{sums.orders} orders, {figures} {shop.currency}"
