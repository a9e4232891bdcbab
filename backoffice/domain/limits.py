"""The size limits of an order (protocol §4, §5): beyond most of them it is held, since it could not be kept as a sale.

Texts that only describe are shortened instead: the tables hold as much of them as they can, and the stored body all. Texts
are counted in code points.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from backoffice.domain.orders import CashMovement, Line, Order, Payment
from backoffice.domain.reasons import LIMIT_EXCEEDED, TEXT_SHORTENED, Reason

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
        if len(line.taxes) > MAX_TAXES or len(line.kind) > MAX_CODE:
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
    """Whether `shortened` changes anything."""
    if len(order.cashier) > MAX_CODE or len(order.note) > MAX_NOTE:
        return True
    for line in order.lines:
        if len(line.name) > MAX_NAME or len(line.sku) > MAX_CODE:
            return True
    return any(len(payment.reference) > MAX_CODE for payment in order.payments)


def shortened(order: Order) -> tuple[Order, list[Reason]]:
    """The order with its describing texts as the tables can hold them, and a flag for each that is longer."""
    flags: list[Reason] = []
    changed = replace(
        order,
        cashier=_cut(order.cashier, limit=MAX_CODE, pointer="/cashier", flags=flags),
        note=_cut(order.note, limit=MAX_NOTE, pointer="/note", flags=flags),
        lines=[_shortened_line(line, f"/lines/{index}", flags) for index, line in enumerate(order.lines)],
        payments=[_shortened_payment(paid, f"/payments/{index}", flags) for index, paid in enumerate(order.payments)],
    )
    return changed, flags


def _shortened_line(line: Line, pointer: str, flags: list[Reason]) -> Line:
    return replace(
        line,
        sku=_cut(line.sku, limit=MAX_CODE, pointer=f"{pointer}/sku", flags=flags),
        name=_cut(line.name, limit=MAX_NAME, pointer=f"{pointer}/name", flags=flags),
    )


def _shortened_payment(payment: Payment, pointer: str, flags: list[Reason]) -> Payment:
    return replace(
        payment, reference=_cut(payment.reference, limit=MAX_CODE, pointer=f"{pointer}/reference", flags=flags)
    )


def shortened_movement(movement: CashMovement) -> tuple[CashMovement, list[Reason]]:
    """As `shortened`, of a cash movement."""
    flags: list[Reason] = []
    cashier = _cut(movement.cashier, limit=MAX_CODE, pointer="/cashier", flags=flags)
    return replace(movement, cashier=cashier) if flags else movement, flags


def _cut(text: str, *, limit: int, pointer: str, flags: list[Reason]) -> str:
    if len(text) > limit:
        flags.append(
            Reason(TEXT_SHORTENED, pointer, f"{len(text)} characters, of which {limit} are kept in the tables")
        )
    return text[:limit]
