"""The messages of a terminal other than its batches (protocol §3, §4, §6)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backoffice.domain.fields import Instant, Money, Number


class OpenShift(msgspec.Struct, kw_only=True, frozen=True):
    """`PUT /shifts/{shift_id}` (protocol §4). Money in minor units."""

    number: Number
    opened_at: Instant
    cashier: str = ""
    opening_float: Money
    first_number: Number
    currency: str | None = None
    prices_include_tax: bool | None = None
    closed_at: Instant | None = None


class Totals(msgspec.Struct, kw_only=True, frozen=True):
    """What a terminal declares (protocol §6). Money in minor units, signed; an absent method is 0."""

    sales: Money
    refunds: Money
    tax: Money
    tips: Money
    rounding: Money
    payments: dict[str, Money] = {}


class CloseShift(msgspec.Struct, kw_only=True, frozen=True):
    """`PUT /shifts/{shift_id}/close` (protocol §6)."""

    closed_at: Instant
    batches: list[UUID]
    order_count: int
    first_number: Number
    last_number: int
    cash_counted: Money
    totals: Totals


class Device(msgspec.Struct, kw_only=True, frozen=True):
    """What a device says of itself when it is activated."""

    name: str = ""
    model: str = ""
    serial: str = ""
    app_version: str = ""


class Activation(msgspec.Struct, kw_only=True, frozen=True):
    """`POST /activations` (protocol §3)."""

    activation_code: str
    device: Device


class Heartbeat(msgspec.Struct, kw_only=True, frozen=True):
    """`PUT /terminal/heartbeat` (protocol §4)."""

    sent_at: Instant
    offline_mode: bool
    cached_orders: int
    cached_total: int
    oldest_cached_at: Instant | None = None
    last_number: int | None = None
    shift_id: UUID | None = None
    app_version: str = ""


def read_open_shift(body: bytes) -> OpenShift:
    """Raises `BodyMalformed`, `EnvelopeInvalid`."""
    raise NotImplementedError


def read_close_shift(body: bytes) -> CloseShift:
    """Raises `BodyMalformed`, `EnvelopeInvalid`."""
    raise NotImplementedError


def read_activation(body: bytes) -> Activation:
    """Raises `BodyMalformed`, `EnvelopeInvalid`."""
    raise NotImplementedError


def read_heartbeat(body: bytes) -> Heartbeat:
    """Raises `BodyMalformed`, `EnvelopeInvalid`."""
    raise NotImplementedError
