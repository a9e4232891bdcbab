"""What a Z says besides sums: orders that an auditor looks at first, each kind as number and amount (docs/store-days.md)."""

from collections.abc import Iterator, Mapping

from backoffice.audit.values import Line, Order

KINDS = ("offline", "voids", "voided_by_head_office", "training", "refunds_without_original", "returns", "discounts")

Counted = tuple[str, int, int]
"""(kind, number, amount in minor units)"""


class Remarkable:
    """What the bytes say of a shift, by kind: `{"count", "amount"}`, as its Z has it."""

    def __init__(self) -> None:
        self._found = {kind: [0, 0] for kind in KINDS}

    def add(self, order: Order, *, is_voided_later: bool, inclusive: bool) -> None:
        """Adds one posted order as it stands."""
        for kind, number, amount in _of_order(order, is_voided_later=is_voided_later, inclusive=inclusive):
            self._found[kind][0] += number
            self._found[kind][1] += amount

    def as_said(self) -> Mapping[str, Mapping[str, int]]:
        return {kind: {"count": number, "amount": amount} for kind, (number, amount) in self._found.items()}


def _of_order(order: Order, *, is_voided_later: bool, inclusive: bool) -> Iterator[Counted]:
    """Amounts of what was voided and of training are in no other figure."""
    if is_voided_later:
        yield "voided_by_head_office", 1, order.total
    elif order.status != "paid":
        yield ("voids" if order.status == "voided" else "training"), 1, order.total
    else:
        if order.mode == "offline":
            yield "offline", 1, order.total
        if order.kind == "refund" and order.refund_of is None and not any(line.refund_of for line in order.lines):
            yield "refunds_without_original", 1, order.total
        for line in order.lines:
            yield from _of_line(line, inclusive=inclusive)


def _of_line(line: Line, *, inclusive: bool) -> Iterator[Counted]:
    gross = line.amount if inclusive else line.amount + sum(tax.amount for tax in line.taxes)
    if line.discount:
        yield "discounts", 1, line.discount
    if line.kind == "discount":
        yield "discounts", 1, -gross
    if line.kind == "item" and line.amount < 0:
        yield "returns", 1, gross
