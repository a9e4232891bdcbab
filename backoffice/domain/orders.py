"""Orders and cash movements as typed values, and how the bytes of one member become one (protocol §5).

Two roads lead to the same answer. The fast one decodes straight into the types and takes only what is beyond doubt;
everything else goes the slow one, which either reads it after all or explains why nobody can.

Fields that a newer terminal sends are passed over (protocol §2.6), but what cannot be carried counts in them too (§9).
msgspec refuses lone surrogates there; U+0000 and numbers beyond a double are told from the bytes, where there is doubt
by the slow road.

The types are out of the garbage collector's sight (`gc=False`): values of JSON cannot refer to themselves.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

import msgspec

from backoffice.domain.lines import Line, Reader
from backoffice.domain.reasons import UNREADABLE_MOVEMENT, UNREADABLE_ORDER, Reason
from backoffice.domain.wire import json_values
from backoffice.domain.wire.conversion import NotReadable, Problem, check_carriable, to_type
from backoffice.domain.wire.json_values import NUL, may_be_uncarriable
from backoffice.domain.wire.scalars import (
    HASH_VERSION,
    MAX_NUMBER,
    Instant,
    Money,
    Number,
    is_canonical_uuid,
    is_in_years,
    is_spelled_canonically,
    read_scalar,
)


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


class _KnownPayment(Payment, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True):
    pass


class _Known(_Undivided, kw_only=True, frozen=True, gc=False, eq=False, forbid_unknown_fields=True):
    """One without a field that we do not know."""

    payments: list[_KnownPayment]  # type: ignore[assignment]


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

_KNOWN_DECODER = msgspec.json.Decoder(_Known, dec_hook=read_scalar)
_ORDER_DECODER = msgspec.json.Decoder(_Undivided, dec_hook=read_scalar)
_LINES = Reader()
_MOVEMENT_DECODER = msgspec.json.Decoder(CashMovement, dec_hook=read_scalar)
# Longer ones may be beyond a double; msgspec itself refuses floats that are, where it reads them.
_LONG_INTEGER = re.compile(rb"(?<![0-9])[0-9]{309}")


def read_order(raw: bytes) -> Order | Unreadable:
    """One member of `orders`, in the bytes that `decode_batch` gave. Raises `json_values.NotJson` for other bytes."""
    try:
        order, is_carriable = _read_quickly(raw)
        msgspec.structs.force_setattr(order, "lines", _LINES.read(order.lines))
    except msgspec.DecodeError:
        return _read_slowly(raw, Order)
    if (
        not is_carriable
        or not is_in_years(order.opened_at)
        or not is_in_years(order.closed_at)
        or not is_spelled_canonically(order.order_id, name=b"order_id", raw=raw)
        or (order.refund_of is not None and not is_spelled_canonically(order.refund_of, name=b"refund_of", raw=raw))
    ):
        return _read_slowly(raw, Order)
    return order


def _read_quickly(raw: bytes) -> tuple[_Undivided, bool]:
    """The order and, leaving its lines aside, whether nothing in it is beyond what can be carried.

    Nothing is where every field is known and of a type that has bounds: a customer has none.
    """
    try:
        order = _KNOWN_DECODER.decode(raw)
    except msgspec.ValidationError:
        return _ORDER_DECODER.decode(raw), not may_be_uncarriable(raw)
    if order.customer is None:
        return order, NUL not in raw
    return order, not may_be_uncarriable(raw)


def read_movement(raw: bytes) -> CashMovement | Unreadable:
    """One member of `cash_movements`, in the bytes that `decode_batch` gave. Raises `json_values.NotJson` for others."""
    try:
        movement = _MOVEMENT_DECODER.decode(raw)
    except msgspec.DecodeError:
        return _read_slowly(raw, CashMovement)
    if (
        may_be_uncarriable(raw)
        or not is_in_years(movement.occurred_at)
        or not is_spelled_canonically(movement.movement_id, name=b"movement_id", raw=raw)
    ):
        return _read_slowly(raw, CashMovement)
    return movement


def _read_slowly(raw: bytes, kind: type[Member]) -> Member | Unreadable:
    value, is_carriable = _decode_any(raw)
    try:
        if not is_carriable:
            check_carriable(value)
        member = to_type(value, kind)
        _check_spelling(value, member)
    except NotReadable as error:
        return _unreadable(json_values.parse(raw.decode()), kind, error.problem)
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
    return json_values.parse(raw.decode()), False


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
        content_hash=bytes([HASH_VERSION]) + hashlib.sha256(b"json:" + json_values.canonical_json(value)).digest(),
        reasons=(
            Reason(
                code=UNREADABLE_ORDER if kind is Order else UNREADABLE_MOVEMENT,
                pointer=problem.pointer,
                detail=problem.detail,
            ),
        ),
    )
