"""What an order or a cash movement says: plain values of the same shape, whether read from bytes or from tables.

Money is an int in minor units; quantity, unit price and rate are Decimals, which compare by value; identifiers are
lower-case text; times are aware datetimes.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

# The service stores microseconds; a finer fraction may have been rounded up or down.
CLOCK_GRAIN = timedelta(microseconds=1)


# The longest texts that the tables hold of what only describes, in characters; a longer one is shortened (protocol §5).
SHORT_TEXT, NAME, NOTE = 64, 200, 500


class Tax(NamedTuple):
    """One tax of a line. `kind` says what its rate is of."""

    code: str
    rate: Decimal
    amount: int
    kind: str = "percent"


class Line(NamedTuple):
    """One line of an order."""

    kind: str
    sku: str
    name: str
    quantity: Decimal
    unit_price: Decimal
    discount: int
    amount: int
    refund_of: str | None
    taxes: tuple[Tax, ...]


class Payment(NamedTuple):
    """One payment; an absent amount is None."""

    method: str
    amount: int
    tendered: int | None
    change: int | None
    reference: str


class Customer(NamedTuple):
    """A customer as JSON text: as a value it may be large. Compared as a value where the texts differ."""

    text: str

    def __str__(self) -> str:
        return self.text


class Order(NamedTuple):
    """One order, as protocol §5 describes it."""

    order_id: str
    number: int
    mode: str
    kind: str
    status: str
    type: str | None
    opened_at: datetime
    closed_at: datetime
    cashier: str
    customer: Customer | None
    printed_to: str
    refund_of: str | None
    adjusts: str | None
    note: str
    rounding: int
    total: int
    tip: int
    lines: tuple[Line, ...]
    payments: tuple[Payment, ...]

    @property
    def tax(self) -> int:
        """Sum of the lines' taxes."""
        return sum(tax.amount for line in self.lines for tax in line.taxes)


def as_of_before(order: Order) -> Order:
    """The order as it was read before `adjusts`, a line's `refund_of` and a tax's `kind` were known: they were passed over."""
    lines = tuple(
        line._replace(refund_of=None, taxes=tuple(tax._replace(kind="percent") for tax in line.taxes))
        for line in order.lines
    )
    return order._replace(adjusts=None, lines=lines)


def as_stored(order: Order) -> Order:
    """The order with its describing texts as the tables hold them."""
    if not _has_long_texts(order):
        return order
    lines = (line._replace(sku=line.sku[:SHORT_TEXT], name=line.name[:NAME]) for line in order.lines)
    payments = (payment._replace(reference=payment.reference[:SHORT_TEXT]) for payment in order.payments)
    return order._replace(
        cashier=order.cashier[:SHORT_TEXT], note=order.note[:NOTE], lines=tuple(lines), payments=tuple(payments)
    )


def _has_long_texts(order: Order) -> bool:
    if len(order.cashier) > SHORT_TEXT or len(order.note) > NOTE:
        return True
    if any(len(line.sku) > SHORT_TEXT or len(line.name) > NAME for line in order.lines):
        return True
    return any(len(payment.reference) > SHORT_TEXT for payment in order.payments)


class Movement(NamedTuple):
    """One cash movement; `amount` is positive, `kind` says in which direction."""

    movement_id: str
    kind: str
    amount: int
    reason: str
    occurred_at: datetime
    cashier: str


def movement_as_stored(movement: Movement) -> Movement:
    """The movement with its describing text as the tables hold it."""
    if len(movement.cashier) <= SHORT_TEXT:
        return movement
    return movement._replace(cashier=movement.cashier[:SHORT_TEXT])


# How an order was sent is not part of its content: a live order whose answer was lost comes back as `offline`.
NOT_CONTENT = frozenset({"mode", "printed_to"})


SINGULAR = {"lines": "line", "taxes": "tax", "payments": "payment"}


class Unequal(NamedTuple):
    """One field in which two values differ."""

    what: str
    expected: object
    found: object


def unequal(expected: Any, found: Any) -> list[Unequal]:
    """The fields in which two orders, or two movements, differ; lines and payments one by one."""
    return [] if expected == found else list(_fields(expected, found, ""))


def same_content(one: Any, other: Any) -> bool:
    """Whether two orders, or two movements, have the same content (protocol §5)."""
    return all(difference.what in NOT_CONTENT for difference in unequal(one, other))


def _fields(expected: Any, found: Any, inside: str) -> Iterator[Unequal]:
    for name, one, other in zip(expected._fields, expected, found, strict=True):
        if isinstance(one, tuple) and not isinstance(one, Customer):
            yield from _lists(one, other, inside + SINGULAR[name])
        elif not _same(one, other):
            yield Unequal(inside + name, one, other)


def _lists(expected: tuple[Any, ...], found: tuple[Any, ...], name: str) -> Iterator[Unequal]:
    if len(expected) != len(found):
        yield Unequal(f"number of {name} entries", len(expected), len(found))
        return
    for place, (one, other) in enumerate(zip(expected, found, strict=True), start=1):
        yield from _fields(one, other, f"{name} {place} ")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, datetime) and isinstance(other, datetime):
        return abs(one - other) <= CLOCK_GRAIN
    if isinstance(one, Customer) and isinstance(other, Customer):
        return same_json(json.loads(one.text), json.loads(other.text))
    return same_json(one, other)


def same_json(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: integers exactly, other numbers as doubles, names in any order."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    if isinstance(one, float) or isinstance(other, float):
        return _is_number(one) and _is_number(other) and float(one) == float(other)
    return type(one) is type(other) and bool(one == other)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
