"""Field by field, the schema allows exactly what is read: tried with values of every kind, without a server."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from backoffice.domain.orders import CashMovement, Order
from backoffice.domain.reasons import AMOUNT_NOT_POSITIVE, LIMIT_EXCEEDED
from backoffice.domain.rules import holds, movement_holds
from backoffice.domain.wire.envelope import EnvelopeInvalid
from backoffice.domain.wire.members import read_movement, read_order
from backoffice.domain.wire.messages import read_activation, read_close_shift, read_heartbeat, read_open_shift
from pos_api.description.examples import ACTIVATION, CACHE, CLOSE, HEARTBEAT, OPENING
from pos_api.description.schema import COMPONENTS
from tests.integration.openapi.contract import components, errors
from tests.unit.domain.builders import a_shift

ORDER, MOVEMENT = CACHE["orders"][0], CACHE["cash_movements"][0]
ABSENT = object()
BIG = 10**12
# Not among them: 1.0, which is an integer to JSON Schema and none to the protocol ("digits only").
VALUES: tuple[Any, ...] = (
    ABSENT,
    None,
    *(True, False, 0, 1, -1, 64, 2**53 - 1, 2**53, BIG, BIG + 1, -BIG, -BIG - 1, 10**30, 0.5, 1e300),
    *("", " ", "x", "x" * 64, "x" * 65, "x" * 200, "x" * 201, "x" * 500, "x" * 501, "é" * 64, "EUR", "eur", "EURO"),
    *(
        "0",
        "-0",
        "00.10",
        "1.2345",
        "1.23456",
        "1.1234567",
        "1e3",
        "+1",
        ".5",
        "1.",
        "１２",
        "1_000",
        "-12",
        "0.000001",
    ),
    *("1000000000000", "1000000000000.1", "9999999999999", "-1000000000001", "12345678901234"),
    "0195518b-9bd2-7c05-8a47-0d9e6f21b301",
    "0195518B-9BD2-7C05-8A47-0D9E6F21B301",
    "0195518b9bd27c058a470d9e6f21b301",
    "{0195518b-9bd2-7c05-8a47-0d9e6f21b301}",
    "urn:uuid:0195518b-9bd2-7c05-8a47-0d9e6f21b301",
    "2026-03-01T10:00:00+01:00",
    "2026-03-01T10:00:00.123456789Z",
    "2026-03-01T10:00:00",
    "2026-03-01",
    "2026-02-30T10:00:00Z",
    "2026-03-01T10:00:60Z",
    "2026-03-01T24:00:00Z",
    "1999-12-31T23:59:59Z",
    "2000-01-01T00:00:00Z",
    "2099-12-31T23:59:59Z",
    "2100-01-01T00:00:00Z",
    "9999-01-01T00:00:00Z",
    "10:00:00Z",
    *([], [1], ["x"], {}, {"a": 1}, {"cash": 1}, {"cash": "1"}, {"cash": None}),
    *(
        "sale",
        "refund",
        "paid",
        "voided",
        "training",
        "online",
        "offline",
        "none",
        "local",
        "network",
        "cash_in",
        "cash_out",
    ),
)

Reader = Callable[[bytes], bool]


def reads(read: Callable[[bytes], Any]) -> Reader:
    def is_read(body: bytes) -> bool:
        try:
            read(body)
        except EnvelopeInvalid:
            return False
        return True

    return is_read


def is_order_within_limits(body: bytes) -> bool:
    order = read_order(body)
    if not isinstance(order, Order):
        return False
    found = holds(order, shift=a_shift(), methods={"cash", "card"})
    return LIMIT_EXCEEDED not in {reason.code for reason in found}


def is_movement_within_limits(body: bytes) -> bool:
    movement = read_movement(body)
    held = (
        {reason.code for reason in movement_holds(movement)} if isinstance(movement, CashMovement) else {LIMIT_EXCEEDED}
    )
    return not held & {LIMIT_EXCEEDED, AMOUNT_NOT_POSITIVE}


# Component, a whole message, the place of that component in it, and who reads it.
PLACES: dict[str, tuple[Any, tuple[str | int, ...], Reader]] = {
    "Activation": (ACTIVATION, (), reads(read_activation)),
    "Device": (ACTIVATION, ("device",), reads(read_activation)),
    "OpenShift": (OPENING, (), reads(read_open_shift)),
    "CloseShift": (CLOSE, (), reads(read_close_shift)),
    "Totals": (CLOSE, ("totals",), reads(read_close_shift)),
    "Heartbeat": (HEARTBEAT, (), reads(read_heartbeat)),
    "Order": (ORDER, (), is_order_within_limits),
    "Line": (ORDER, ("lines", 0), is_order_within_limits),
    "Tax": (ORDER, ("lines", 0, "taxes", 0), is_order_within_limits),
    "Payment": (ORDER, ("payments", 0), is_order_within_limits),
    "CashMovement": (MOVEMENT, (), is_movement_within_limits),
}


def variants(message: Any, place: tuple[str | int, ...], field: str) -> Iterator[tuple[Any, Any]]:
    """The component with one field changed, and the message around it."""
    for value in VALUES:
        whole = json.loads(json.dumps(message))
        part = whole
        for step in place:
            part = part[step]
        part.pop(field, None)
        if value is not ABSENT:
            part[field] = value
        yield part, whole


FIELDS = [(name, field) for name in PLACES for field in COMPONENTS[name]["properties"]]


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=lambda word: word)
def test_the_schema_allows_what_is_read_and_nothing_else(name: str, field: str):
    message, place, is_read = PLACES[name]
    schema = components(closed=False)[name]
    for part, whole in variants(message, place, field):
        wrong = errors(schema, part, closed=False)
        assert is_read(json.dumps(whole).encode()) == (not wrong), (part.get(field, "absent"), wrong)
