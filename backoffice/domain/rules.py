"""What holds an order and what flags it (protocol §5)."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

import msgspec

from backoffice.domain.orders import CashMovement, Order
from backoffice.domain.reasons import Reason


class Shift(msgspec.Struct, kw_only=True, frozen=True):
    """What the rules need to know of a shift; `closed_at` is None while it is open."""

    shift_id: UUID
    terminal_id: int
    currency: str
    prices_include_tax: bool
    opened_at: datetime
    closed_at: datetime | None = None
    first_number: int
    business_date: date


class StoreSettings(msgspec.Struct, kw_only=True, frozen=True):
    """A store's settings, money in minor units. What is None flags nothing (protocol §4)."""

    max_order_total: int | None = None
    min_refund_total: int | None = None
    refund_days: int | None = None
    order_types: frozenset[str] | None = None
    cash_reasons: frozenset[str] | None = None
    rounding_step: int | None = None


class Circumstances(msgspec.Struct, kw_only=True, frozen=True):
    """How the batch came: after the close, and with which skew of the device's clock (device minus server)."""

    late: bool = False
    clock_skew_ms: int | None = None


class Original(msgspec.Struct, kw_only=True, frozen=True):
    """The order that a refund names: its total, when it was closed, and Σ of all refunds of it posted before (≤ 0)."""

    total: int
    closed_at: datetime
    refunded: int


class CardPayment(msgspec.Struct, kw_only=True, frozen=True):
    """A payment elsewhere in the store with a non-empty reference."""

    order_id: UUID
    refund_of: UUID | None
    reference: str
    closed_at: datetime


def holds(order: Order, *, shift: Shift, methods: Collection[str]) -> tuple[Reason, ...]:
    """Why the order is held; empty when it can be posted. `methods` are those mapped to an account."""
    raise NotImplementedError


def flags(
    order: Order, *, shift: Shift, settings: StoreSettings, circumstances: Circumstances
) -> tuple[Reason, ...]:
    """Flags that can be told from the order, its shift, the settings and the circumstances."""
    raise NotImplementedError


def refund_flags(order: Order, *, original: Original | None, settings: StoreSettings) -> tuple[Reason, ...]:
    """Flags of a refund that need the order it names; `original` None where it is not known."""
    raise NotImplementedError


def card_flags(order: Order, *, others: Collection[CardPayment]) -> tuple[Reason, ...]:
    """`same-card-payment`, against payments of the same store with one of the order's references."""
    raise NotImplementedError


def movement_holds(movement: CashMovement) -> tuple[Reason, ...]:
    """Why the movement is held; empty when it can be posted."""
    raise NotImplementedError


def movement_flags(
    movement: CashMovement, *, shift: Shift, reasons: Collection[str], circumstances: Circumstances
) -> tuple[Reason, ...]:
    """Flags of a cash movement; `reasons` are those mapped to an account."""
    raise NotImplementedError
