"""The size limits of an order (protocol §4, §5): beyond them it is held, since it could not be kept as a sale.

Texts are counted in code points.
"""

from collections.abc import Iterator

from backoffice.domain.orders import CashMovement, Order
from backoffice.domain.reasons import LIMIT_EXCEEDED, Reason

MAX_MEMBER_BYTES = 256 * 1024
"""A larger member of a batch is not even read: as Python's objects it may be sixty times as large (ADR 22)."""

MAX_LINES, MAX_PAYMENTS, MAX_TAXES = 500, 20, 10
MAX_CODE, MAX_NAME, MAX_NOTE = 64, 200, 500


def is_within_limits(order: Order) -> bool:
    """Whether `exceeded` finds nothing, decided quickly: the usual case."""
    if (
        len(order.lines) > MAX_LINES
        or len(order.payments) > MAX_PAYMENTS
        or len(order.cashier) > MAX_CODE
        or len(order.note) > MAX_NOTE
        or (order.type is not None and len(order.type) > MAX_CODE)
    ):
        return False
    for line in order.lines:
        if (
            len(line.taxes) > MAX_TAXES
            or len(line.sku) > MAX_CODE
            or len(line.name) > MAX_NAME
            or len(line.kind) > MAX_CODE
        ):
            return False
        for tax in line.taxes:
            if len(tax.code) > MAX_CODE:
                return False
    return all(len(payment.reference) <= MAX_CODE >= len(payment.method) for payment in order.payments)


def exceeded(order: Order) -> Iterator[Reason]:
    """Every limit that the order exceeds; of lists that are too long, only the entries within are looked at."""
    yield from _too_many(len(order.lines), limit=MAX_LINES, pointer="/lines")
    yield from _too_many(len(order.payments), limit=MAX_PAYMENTS, pointer="/payments")
    yield from _too_long(order.type or "", limit=MAX_CODE, pointer="/type")
    yield from _too_long(order.cashier, limit=MAX_CODE, pointer="/cashier")
    yield from _too_long(order.note, limit=MAX_NOTE, pointer="/note")
    for index, line in enumerate(order.lines[:MAX_LINES]):
        yield from _too_many(len(line.taxes), limit=MAX_TAXES, pointer=f"/lines/{index}/taxes")
        yield from _too_long(line.kind, limit=MAX_CODE, pointer=f"/lines/{index}/kind")
        yield from _too_long(line.sku, limit=MAX_CODE, pointer=f"/lines/{index}/sku")
        yield from _too_long(line.name, limit=MAX_NAME, pointer=f"/lines/{index}/name")
        for place, tax in enumerate(line.taxes[:MAX_TAXES]):
            yield from _too_long(tax.code, limit=MAX_CODE, pointer=f"/lines/{index}/taxes/{place}/code")
    for index, payment in enumerate(order.payments[:MAX_PAYMENTS]):
        yield from _too_long(payment.method, limit=MAX_CODE, pointer=f"/payments/{index}/method")
        yield from _too_long(payment.reference, limit=MAX_CODE, pointer=f"/payments/{index}/reference")


def _too_many(count: int, *, limit: int, pointer: str) -> Iterator[Reason]:
    if count > limit:
        yield Reason(LIMIT_EXCEEDED, pointer, f"{count} entries, at most {limit}")


def _too_long(text: str, *, limit: int, pointer: str) -> Iterator[Reason]:
    if len(text) > limit:
        yield Reason(LIMIT_EXCEEDED, pointer, f"{len(text)} characters, at most {limit}")


def exceeded_by_movement(movement: CashMovement) -> Iterator[Reason]:
    """Every limit that the cash movement exceeds."""
    yield from _too_long(movement.reason, limit=MAX_CODE, pointer="/reason")
    yield from _too_long(movement.cashier, limit=MAX_CODE, pointer="/cashier")
