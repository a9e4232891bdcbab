"""The size limits of an order (protocol §4, §5): beyond most of them it is held, since it could not be kept as a sale.

Texts that only describe are shortened instead: the tables hold as much of them as they can, and the stored body all. Texts
are counted in code points.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from backoffice.domain.orders import CashMovement, Line, Order
from backoffice.domain.reasons import LIMIT_EXCEEDED, TEXT_SHORTENED, Reason
from backoffice.domain.scalars import MAX_MINOR

MAX_MEMBER_BYTES = 256 * 1024
"""A larger member of a batch is not even read: as Python's objects it may be sixty times as large (ADR 22)."""

MAX_LINES, MAX_PAYMENTS, MAX_TAXES = 500, 20, 10
MAX_CODE, MAX_NAME, MAX_NOTE = 64, 200, 500


def is_usual(order: Order) -> bool:
    """Whether `exceeded` finds nothing, nor what else holds an order whose sums are right: decided quickly.

    False decides nothing. An adjustment is not usual, nor is a refund above zero or a tax that is no plain percentage.
    """
    if (
        order.adjusts is not None
        or (order.total > 0 and order.kind == "refund")
        or len(order.lines) > MAX_LINES
        or len(order.payments) > MAX_PAYMENTS
        or (order.type is not None and len(order.type) > MAX_CODE)
    ):
        return False
    for line in order.lines:
        if len(line.taxes) > MAX_TAXES or len(line.kind) > MAX_CODE or (line.discount and has_huge_discount(line)):
            return False
        for tax in line.taxes:
            if len(tax.code) > MAX_CODE or tax.kind != "percent":
                return False
    return all(len(payment.method) <= MAX_CODE for payment in order.payments)


def exceeded(order: Order) -> Iterator[Reason]:
    """Every limit that the order exceeds; of lists that are too long, only the entries within are looked at."""
    yield from _too_many(len(order.lines), limit=MAX_LINES, pointer="/lines")
    yield from _too_many(len(order.payments), limit=MAX_PAYMENTS, pointer="/payments")
    yield from _too_long(order.type or "", limit=MAX_CODE, pointer="/type")
    for index, line in enumerate(order.lines[:MAX_LINES]):
        yield from _too_many(len(line.taxes), limit=MAX_TAXES, pointer=f"/lines/{index}/taxes")
        yield from _too_long(line.kind, limit=MAX_CODE, pointer=f"/lines/{index}/kind")
        for place, tax in enumerate(line.taxes[:MAX_TAXES]):
            yield from _too_long(tax.code, limit=MAX_CODE, pointer=f"/lines/{index}/taxes/{place}/code")
    for index, payment in enumerate(order.payments[:MAX_PAYMENTS]):
        yield from _too_long(payment.method, limit=MAX_CODE, pointer=f"/payments/{index}/method")


def has_huge_discount(line: Line) -> bool:
    """Whether the discount of a line whose amount includes its taxes is no amount any more once they are taken out of it.

    It is discount times net divided by amount (ledger, "Posting an order"), and only absurd lines make that large.
    """
    net = line.amount - sum([tax.amount for tax in line.taxes])
    return abs(line.discount * net) > MAX_MINOR * abs(line.amount) > 0


def huge_discounts(order: Order) -> Iterator[Reason]:
    """Every such discount: it cannot be posted where prices include tax."""
    for index, line in enumerate(order.lines[:MAX_LINES]):
        if line.discount and has_huge_discount(line):
            detail = f"Less the taxes in it, it is beyond {MAX_MINOR} minor units"
            yield Reason(LIMIT_EXCEEDED, f"/lines/{index}/discount", detail)


def _too_many(count: int, *, limit: int, pointer: str) -> Iterator[Reason]:
    if count > limit:
        yield Reason(LIMIT_EXCEEDED, pointer, f"{count} entries, at most {limit}")


def _too_long(text: str, *, limit: int, pointer: str) -> Iterator[Reason]:
    if len(text) > limit:
        yield Reason(LIMIT_EXCEEDED, pointer, f"{len(text)} characters, at most {limit}")


def exceeded_by_movement(movement: CashMovement) -> Iterator[Reason]:
    """Every limit that the cash movement exceeds. Its reason does not only describe: it decides an account."""
    yield from _too_long(movement.reason, limit=MAX_CODE, pointer="/reason")


def has_long_texts(order: Order) -> bool:
    """Whether `long_texts` finds anything, decided quickly."""
    if len(order.cashier) > MAX_CODE or len(order.note) > MAX_NOTE:
        return True
    for line in order.lines:
        if len(line.name) > MAX_NAME or len(line.sku) > MAX_CODE:
            return True
    return any(len(payment.reference) > MAX_CODE for payment in order.payments)


def long_texts(order: Order) -> Iterator[Reason]:
    """Every describing text that is longer than the tables hold."""
    yield from _too_much(order.cashier, limit=MAX_CODE, pointer="/cashier")
    yield from _too_much(order.note, limit=MAX_NOTE, pointer="/note")
    for index, line in enumerate(order.lines):
        yield from _too_much(line.sku, limit=MAX_CODE, pointer=f"/lines/{index}/sku")
        yield from _too_much(line.name, limit=MAX_NAME, pointer=f"/lines/{index}/name")
    for index, payment in enumerate(order.payments):
        yield from _too_much(payment.reference, limit=MAX_CODE, pointer=f"/payments/{index}/reference")


def long_texts_of_movement(movement: CashMovement) -> Iterator[Reason]:
    """As `long_texts`, of a cash movement."""
    yield from _too_much(movement.cashier, limit=MAX_CODE, pointer="/cashier")


def _too_much(text: str, *, limit: int, pointer: str) -> Iterator[Reason]:
    if len(text) > limit:
        yield Reason(TEXT_SHORTENED, pointer, f"{len(text)} characters, of which the tables have the first {limit}")


def shortened(order: Order) -> Order:
    """The order with its describing texts as the tables hold them."""
    return replace(
        order,
        cashier=order.cashier[:MAX_CODE],
        note=order.note[:MAX_NOTE],
        lines=[replace(line, sku=line.sku[:MAX_CODE], name=line.name[:MAX_NAME]) for line in order.lines],
        payments=[replace(payment, reference=payment.reference[:MAX_CODE]) for payment in order.payments],
    )
