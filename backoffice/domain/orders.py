"""Orders and cash movements as typed values, and how the bytes of one member become one (protocol §5)."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from backoffice.domain.fields import Instant, Money, Number, Quantity, Rate, UnitPrice
from backoffice.domain.reasons import Reason


class Tax(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One tax of a line: `rate` as a fraction of one (0.055), `amount` in minor units, signed."""

    code: str
    rate: Rate
    amount: Money


class Line(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One line, signed: `amount` is net of `discount`, and includes its taxes where prices do."""

    kind: str = "item"
    sku: str = ""
    name: str = ""
    quantity: Quantity
    unit_price: UnitPrice
    discount: Money = 0
    amount: Money
    taxes: list[Tax] = []


class Payment(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One payment, signed, in minor units. `tendered` and `change` are None where they are absent."""

    method: str
    amount: Money
    tendered: Money | None = None
    change: Money | None = None
    reference: str = ""


class Order(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One sale or refund exactly as sent: fields, names and defaults are the wire's (protocol §5)."""

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


class CashMovement(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Cash put into or taken out of a drawer outside sales; `amount` in minor units."""

    movement_id: UUID
    kind: Literal["cash_in", "cash_out"]
    amount: Money
    reason: str = ""
    occurred_at: Instant
    cashier: str = ""


class Unreadable(msgspec.Struct, kw_only=True, frozen=True):
    """A member that cannot be read; `order_id` is the movement's identifier where it is a movement."""

    order_id: UUID | None
    number: int | None
    content_hash: bytes
    reasons: tuple[Reason, ...]


def read_order(raw: bytes) -> Order | Unreadable:
    """One member of `orders`, as the bytes that `decode_batch` gave."""
    raise NotImplementedError


def read_movement(raw: bytes) -> CashMovement | Unreadable:
    """One member of `cash_movements`, as the bytes that `decode_batch` gave."""
    raise NotImplementedError
