"""The messages of a terminal other than its batches (protocol §3, §4, §6): their types and their readers.

The types are also where the schema of the API comes from. Unknown fields are ignored (protocol §2.6).
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta

from backoffice.domain import json_values
from backoffice.domain.scalars import MAX_MINOR, Count, Instant, Money, Number
from backoffice.domain.totals import ShiftTotals
from backoffice.domain.wire.conversion import (
    NotReadable,
    Violation,
    check_carriable,
    find_faults,
    learn_types,
    to_type_as_spelled,
)
from backoffice.domain.wire.envelope import MOST_FAULTS, BodyMalformed, EnvelopeInvalid, decode_object

__all__ = [
    "Activation",
    "BodyMalformed",
    "CloseShift",
    "Device",
    "EnvelopeInvalid",
    "Heartbeat",
    "OpenShift",
    "Totals",
    "read_activation",
    "read_close_of_before",
    "read_close_shift",
    "read_heartbeat",
    "read_open_shift",
]

Cash = Annotated[int, Meta(ge=0, le=MAX_MINOR, description="Minor units of the shift's currency.")]
Code = Annotated[str, Meta(max_length=64)]
# What a close may name (protocol §6): it is repeated in every answer about its shift.
MAX_CLOSE_BATCHES = 10_000
MAX_CLOSE_METHODS = 64
MAX_CARRIED_OVER = 1_000
# Fields that closes of before do not have: absent or at these values, a close has the hash that it had then.
ADDED_TO_CLOSES: Mapping[str, Any] = {"carried_over": [], "float_left": None}
Name = Annotated[str, Meta(max_length=200)]
Currency = Annotated[str, Meta(min_length=3, max_length=3, pattern="^[A-Z]{3}$", description="ISO 4217.")]


class OpenShift(msgspec.Struct, kw_only=True, frozen=True):
    """`PUT /shifts/{shift_id}` (protocol §4). Money in minor units.

    Where `currency` or `prices_include_tax` is null, it is the store's; `closed_at` is set for a shift that has ended.
    A longer `cashier` than 64 characters is shortened where it is kept.
    """

    number: Number
    opened_at: Instant
    cashier: str = ""
    opening_float: Cash
    first_number: Number
    currency: Currency | None = None
    prices_include_tax: bool | None = None
    closed_at: Instant | None = None


class Totals(msgspec.Struct, kw_only=True, frozen=True):
    """What a terminal declares (protocol §6). Money in minor units, signed; an absent method is 0."""

    sales: Money
    refunds: Money
    tax: Money
    tips: Money
    rounding: Money
    payments: Annotated[dict[Code, Money], Meta(max_length=MAX_CLOSE_METHODS)]


class CloseShift(msgspec.Struct, kw_only=True, frozen=True):
    """`PUT /shifts/{shift_id}/close` (protocol §6). An empty shift has `last_number = first_number - 1`.

    `carried_over` are numbers that are still open; `float_left` stays in the drawer, null where the terminal does not say.
    `cash_counted` is null where head office counts later.
    """

    closed_at: Instant
    batches: Annotated[list[UUID], Meta(max_length=MAX_CLOSE_BATCHES)]
    order_count: Count
    first_number: Number
    last_number: Count
    carried_over: Annotated[list[Number], Meta(max_length=MAX_CARRIED_OVER)] = []
    cash_counted: Cash | None
    float_left: Cash | None = None
    totals: Totals

    def declared_totals(self) -> ShiftTotals:
        """What the terminal declares, in the shape of what is computed."""
        return ShiftTotals(order_count=self.order_count, **msgspec.structs.asdict(self.totals))


class Device(msgspec.Struct, kw_only=True, frozen=True):
    """What a device says of itself when it is activated."""

    name: Name = ""
    model: Name = ""
    serial: Name = ""
    app_version: Code = ""


class Activation(msgspec.Struct, kw_only=True, frozen=True):
    """`POST /activations` (protocol §3)."""

    activation_code: Code
    device: Device


class Heartbeat(msgspec.Struct, kw_only=True, frozen=True):
    """`PUT /terminal/heartbeat` (protocol §4). `cached_total` in minor units, signed."""

    sent_at: Instant
    offline_mode: bool
    cached_orders: Count
    cached_total: Money
    oldest_cached_at: Instant | None = None
    last_number: Count | None = None
    shift_id: UUID | None = None
    app_version: Code = ""


learn_types(globals())

Message = TypeVar("Message", OpenShift, CloseShift, Activation, Heartbeat)


def read_open_shift(body: bytes) -> OpenShift:
    """Raises `BodyMalformed` (400) and `EnvelopeInvalid` (422)."""
    return _read(body, OpenShift)


def read_close_shift(body: bytes) -> CloseShift:
    """Raises `BodyMalformed` (400) and `EnvelopeInvalid` (422)."""
    return _read(body, CloseShift)


def read_close_of_before(body: bytes) -> CloseShift | None:
    """The close as the version read it that did not know the added fields, and passed over whatever stood in them.

    None where it is no close without them either. Raises `BodyMalformed` and `EnvelopeInvalid` where it is no object.
    """
    fields = {name: value for name, value in decode_object(body).items() if name not in ADDED_TO_CLOSES}
    try:
        return _convert(fields, CloseShift)
    except NotReadable:
        return None


def read_activation(body: bytes) -> Activation:
    """Raises `BodyMalformed` (400) and `EnvelopeInvalid` (422)."""
    return _read(body, Activation)


def read_heartbeat(body: bytes) -> Heartbeat:
    """Raises `BodyMalformed` (400) and `EnvelopeInvalid` (422)."""
    return _read(body, Heartbeat)


def _read(body: bytes, kind: type[Message]) -> Message:
    fields = decode_object(body)
    try:
        return _convert(fields, kind)
    except NotReadable:
        first, *others = islice(_faults(fields, kind), MOST_FAULTS)
        raise EnvelopeInvalid(**first._asdict(), others=others) from None


def _convert(fields: dict[str, Any], kind: type[Message]) -> Message:
    check_carriable(fields)
    return to_type_as_spelled(fields, kind)


def _faults(fields: dict[str, Any], kind: type[Message]) -> Iterator[Violation]:
    """Everything that is wrong with a message: one fault for each place. First what cannot be carried, known field or not."""
    named = set()
    for pointer, detail in json_values.uncarriables(fields):
        named.add(pointer)
        yield Violation(pointer, "invalid", detail)
    for fault in find_faults(fields, kind):
        if fault.pointer not in named:
            named.add(fault.pointer)
            yield fault
