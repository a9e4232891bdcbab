"""Orders and cash movements as typed values, and how the bytes of one member become one (protocol §5).

Two roads lead to the same answer. The fast one decodes straight into the types and takes only what is beyond doubt;
everything else goes the slow one, which either reads it after all or explains why nobody can.

Fields that a newer terminal sends are passed over (protocol §2.6), but what cannot be carried counts in them too (§9).
msgspec refuses lone surrogates there; U+0000 and numbers beyond a double are told from the bytes, where there is doubt
by the slow road.

A till sells the same things at the same prices all day: the same bytes of a line give the very same `Line`, and what
follows from a line alone is worked out once and remembered by which line it is. So lines, and orders, are compared by
identity: equal ones may be spelled differently ("2" and "2.00"), and whether two orders are one is for `content_hash`.

The types are out of the garbage collector's sight (`gc=False`): values of JSON cannot refer to themselves.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, TypeVar
from uuid import UUID

import msgspec

from backoffice.domain import values
from backoffice.domain.fields import (
    HASH_VERSION,
    MAX_NUMBER,
    Instant,
    Money,
    Number,
    Quantity,
    Rate,
    UnitPrice,
    is_canonical_uuid,
    is_in_years,
    is_spelled_canonically,
    read_scalar,
)
from backoffice.domain.reading import NotReadable, Problem, check_carriable, to_type
from backoffice.domain.reasons import UNREADABLE_MOVEMENT, UNREADABLE_ORDER, Reason


class Tax(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """One tax of a line: `rate` as a fraction of one (0.055), `amount` in minor units, signed."""

    code: str
    rate: Rate
    amount: Money


class Line(msgspec.Struct, kw_only=True, frozen=True, gc=False, eq=False):
    """One line, signed: `amount` is net of `discount`, and includes its taxes where prices do."""

    kind: str = "item"
    sku: str = ""
    name: str = ""
    quantity: Quantity
    unit_price: UnitPrice
    discount: Money = 0
    amount: Money
    taxes: list[Tax] = []


class Payment(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """One payment, signed, in minor units. `tendered` and `change` are UNSET where absent."""

    method: str
    amount: Money
    tendered: Money | msgspec.UnsetType = msgspec.UNSET
    change: Money | msgspec.UnsetType = msgspec.UNSET
    reference: str = ""

    # The wire knows an absent amount and no null one; everywhere else None is what absent is called.
    @property
    def tendered_minor(self) -> int | None:
        """What the customer handed over, None where it is absent."""
        return None if self.tendered is msgspec.UNSET else self.tendered

    @property
    def change_minor(self) -> int | None:
        """What the customer got back, None where it is absent."""
        return None if self.change is msgspec.UNSET else self.change


class Order(msgspec.Struct, kw_only=True, frozen=True, gc=False, eq=False):
    """One sale or refund exactly as sent: fields, names and defaults are the wire's (protocol §5).

    Line kinds, payment methods and types are any text: an unknown one is read, and held or flagged by rule. Lengths
    and counts beyond the limits are read as well, and held by rule: such an order is an order, and takes its number.
    """

    order_id: UUID
    number: Number
    mode: Literal["online", "offline"]
    kind: Literal["sale", "refund"]
    status: Literal["paid", "voided", "training"]
    type: str | None = None
    opened_at: Instant
    closed_at: Instant
    cashier: str = ""
    customer: dict[str, Any] | None = None
    printed_to: Literal["none", "local", "network"] = "none"
    refund_of: UUID | None = None
    note: str = ""
    lines: list[Line]
    rounding: Money = 0
    total: Money
    tip: Money = 0
    payments: list[Payment]


class _Undivided(Order, kw_only=True, frozen=True, gc=False, eq=False):
    """An order whose lines are still their bytes."""

    lines: list[msgspec.Raw]  # type: ignore[assignment]


class CashMovement(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """Cash put into (`cash_in`) or taken out of (`cash_out`) a drawer outside sales; `amount` in minor units."""

    movement_id: UUID
    kind: Literal["cash_in", "cash_out"]
    amount: Money
    reason: str = ""
    occurred_at: Instant
    cashier: str = ""


class Unreadable(msgspec.Struct, kw_only=True, frozen=True):
    """A member that is no order (or no cash movement), with what could still be told of it.

    `order_id` is its identifier, of a movement too, and `number` its order number, each None where it cannot be read.
    It takes no number: only a readable order does. `content_hash` is 33 bytes like those of readable ones, made of
    the member's JSON value, so that key order and white space do not matter.
    """

    order_id: UUID | None
    number: int | None
    content_hash: bytes
    reasons: tuple[Reason, ...]


Member = TypeVar("Member", Order, CashMovement)

REMEMBERED_LINES = 8_192
"""So many different lines are remembered, by whoever remembers what follows from one."""
MAX_REMEMBERED = 1_024
"""Bytes: a longer line is none that is sold all day, and memory is bounded."""

_ORDER_DECODER = msgspec.json.Decoder(_Undivided, dec_hook=read_scalar)
_LINE_DECODER = msgspec.json.Decoder(Line, dec_hook=read_scalar)
_MOVEMENT_DECODER = msgspec.json.Decoder(CashMovement, dec_hook=read_scalar)
# Longer ones may be beyond a double; msgspec itself refuses floats that are, where it reads them.
_LONG_INTEGER = re.compile(rb"(?<![0-9])[0-9]{309}")

# Numbers of fewer characters than `_LONG`, and without an exponent of three, are within a double: below 10^199 · 10^99.
_NUMBERS = bytes.maketrans(b"123456789.+-E", b"000000000000e")
_LONG, _EXPONENT = b"0" * 200, b"0e000"
# Most of what looks like an exponent is in a UUID. A number follows one of these.
_BEFORE_NUMBERS = b":,[ \t\n\r"


def read_order(raw: bytes) -> Order | Unreadable:
    """One member of `orders`, in the bytes that `decode_batch` gave. Raises `values.NotJson` for other bytes."""
    try:
        order = _ORDER_DECODER.decode(raw)
        msgspec.structs.force_setattr(order, "lines", [_read_line(bytes(line)) for line in order.lines])
    except msgspec.DecodeError:
        return _read_slowly(raw, Order)
    if (
        _may_be_uncarriable(raw)
        or not is_in_years(order.opened_at)
        or not is_in_years(order.closed_at)
        or not is_spelled_canonically(order.order_id, name=b"order_id", raw=raw)
        or (order.refund_of is not None and not is_spelled_canonically(order.refund_of, name=b"refund_of", raw=raw))
    ):
        return _read_slowly(raw, Order)
    return order


def read_movement(raw: bytes) -> CashMovement | Unreadable:
    """One member of `cash_movements`, in the bytes that `decode_batch` gave. Raises `values.NotJson` for others."""
    try:
        movement = _MOVEMENT_DECODER.decode(raw)
    except msgspec.DecodeError:
        return _read_slowly(raw, CashMovement)
    if (
        _may_be_uncarriable(raw)
        or not is_in_years(movement.occurred_at)
        or not is_spelled_canonically(movement.movement_id, name=b"movement_id", raw=raw)
    ):
        return _read_slowly(raw, CashMovement)
    return movement


def _read_line(raw: bytes) -> Line:
    return _remembered_line(raw) if len(raw) <= MAX_REMEMBERED else _LINE_DECODER.decode(raw)


@lru_cache(maxsize=REMEMBERED_LINES)
def _remembered_line(raw: bytes) -> Line:
    return _LINE_DECODER.decode(raw)


def _may_be_uncarriable(raw: bytes) -> bool:
    """False only where nothing in `raw`, which msgspec could read or pass over, is beyond what can be carried."""
    if b"\\" in raw and b"\\u0000" in raw:
        return True
    numbers = raw.translate(_NUMBERS)
    if _LONG in numbers:
        return True
    position = numbers.find(_EXPONENT)
    while position >= 0:
        start = max(position - len(_LONG), 0)
        start += len(numbers[start:position].rstrip(b"0"))
        if raw[start - 1 : start] in _BEFORE_NUMBERS:
            return True
        position = numbers.find(_EXPONENT, position + 1)
    return False


def _read_slowly(raw: bytes, kind: type[Member]) -> Member | Unreadable:
    value, is_carriable = _decode_any(raw)
    try:
        if not is_carriable:
            check_carriable(value)
        member = to_type(value, kind)
        _check_spelling(value, member)
    except NotReadable as error:
        return _unreadable(values.parse(raw.decode()), kind, error.problem)
    return member


def _decode_any(raw: bytes) -> tuple[Any, bool]:
    """The value, and whether it is certain to have nothing in it that cannot be carried.

    Every order of a terminal that spells its UUIDs in capitals comes by here, so this must be cheap for them.
    """
    if b"\\u0000" not in raw and _LONG_INTEGER.search(raw) is None:
        try:
            return msgspec.json.decode(raw), True
        except msgspec.DecodeError:
            pass
    return values.parse(raw.decode()), False


def _check_spelling(value: Mapping[str, Any], member: msgspec.Struct) -> None:
    """What msgspec reads and the protocol does not: other forms of UUIDs, and years out of bounds (§2.5)."""
    for name in member.__struct_fields__:
        read = getattr(member, name)
        if isinstance(read, UUID) and not is_canonical_uuid(value[name]):
            raise NotReadable(Problem(f"/{name}", "invalid", "Expected a UUID in the canonical 36-character form"))
        if isinstance(read, datetime) and not is_in_years(read):
            raise NotReadable(Problem(f"/{name}", "invalid", "Expected a time between the years 2000 and 2099"))


def _unreadable(value: Any, kind: type[msgspec.Struct], problem: Problem) -> Unreadable:
    fields = value if isinstance(value, dict) else {}
    identifier = fields.get("order_id" if kind is Order else "movement_id")
    number = fields.get("number") if kind is Order else None
    return Unreadable(
        order_id=UUID(identifier) if isinstance(identifier, str) and is_canonical_uuid(identifier) else None,
        number=number if type(number) is int and 1 <= number <= MAX_NUMBER else None,
        content_hash=bytes([HASH_VERSION]) + hashlib.sha256(b"json:" + values.canonical_json(value)).digest(),
        reasons=(
            Reason(
                code=UNREADABLE_ORDER if kind is Order else UNREADABLE_MOVEMENT,
                pointer=problem.pointer,
                detail=problem.detail,
            ),
        ),
    )
