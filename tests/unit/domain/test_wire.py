"""The other messages of a terminal: what is read, and what is told of those that are not the message they should be."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from backoffice.domain.orders import CashMovement, Order, Unreadable
from backoffice.domain.scalars import Quantity, UnitPrice, scalar_schema
from backoffice.domain.totals import ShiftTotals
from backoffice.domain.wire.envelope import BodyMalformed, EnvelopeInvalid
from backoffice.domain.wire.members import read_order
from backoffice.domain.wire.messages import (
    Activation,
    CloseShift,
    Heartbeat,
    OpenShift,
    read_activation,
    read_close_shift,
    read_heartbeat,
    read_open_shift,
)
from tests.unit.domain.builders import ORDER_ID, SHIFT_ID, wire_order

OPEN: dict[str, Any] = {
    "number": 311, "opened_at": "2026-03-01T08:00:00+01:00", "cashier": "Anna", "opening_float": 20000,
    "first_number": 1001,
}  # fmt: skip
CLOSE: dict[str, Any] = {
    "closed_at": "2026-03-01T18:00:00+01:00", "batches": [ORDER_ID], "order_count": 48, "first_number": 1001,
    "last_number": 1048, "cash_counted": 61250,
    "totals": {"sales": 120340, "refunds": -1200, "tax": 9120, "tips": 900, "rounding": 0,
               "payments": {"cash": 42350, "card": 77690}},
}  # fmt: skip
ACTIVATE: dict[str, Any] = {
    "activation_code": "7KQF-2MXD-9RTV",
    "device": {"name": "Till 2", "model": "T8", "serial": "A1B2", "app_version": "4.1.0"},
}
BEAT: dict[str, Any] = {
    "sent_at": "2026-03-01T11:02:00+01:00", "offline_mode": True, "cached_orders": 12, "cached_total": 18450,
    "oldest_cached_at": "2026-03-01T09:40:11+01:00", "last_number": 1048, "shift_id": str(SHIFT_ID),
    "app_version": "4.1.0",
}  # fmt: skip
MESSAGES = {"open": (read_open_shift, OPEN), "close": (read_close_shift, CLOSE),
            "activate": (read_activation, ACTIVATE), "beat": (read_heartbeat, BEAT)}  # fmt: skip


def refused(name: str, **fields: Any) -> EnvelopeInvalid:
    read, message = MESSAGES[name]
    with pytest.raises(EnvelopeInvalid) as error:
        read(json.dumps({**message, **fields}).encode())
    assert error.value.detail
    return error.value


def test_a_shift_opens_with_what_the_terminal_says():
    shift = read_open_shift(json.dumps(OPEN).encode())
    assert (shift.number, shift.opening_float, shift.first_number, shift.cashier) == (311, 20000, 1001, "Anna")
    assert shift.opened_at == datetime(2026, 3, 1, 7, tzinfo=UTC)
    assert (shift.currency, shift.prices_include_tax, shift.closed_at) == (None, None, None)


def test_a_shift_may_say_its_currency_its_prices_and_its_end():
    extra = {"currency": "JPY", "prices_include_tax": False, "closed_at": "2026-03-01T09:00:00Z"}
    shift = read_open_shift(json.dumps({**OPEN, **extra}).encode())
    assert (shift.currency, shift.prices_include_tax) == ("JPY", False)
    assert shift.closed_at == datetime(2026, 3, 1, 9, tzinfo=UTC)


def test_a_close_is_read_with_its_totals():
    close = read_close_shift(json.dumps(CLOSE).encode())
    assert close.batches == [UUID(ORDER_ID)]
    assert close.declared_totals() == ShiftTotals(
        order_count=48, sales=120340, refunds=-1200, tax=9120, tips=900, payments={"cash": 42350, "card": 77690}
    )


def test_a_close_may_say_what_stays_and_what_is_still_open_and_leave_the_count_to_others():
    close = read_close_shift(
        json.dumps({**CLOSE, "carried_over": [1005], "float_left": 0, "cash_counted": None}).encode()
    )
    assert (close.carried_over, close.float_left, close.cash_counted) == ([1005], 0, None)
    before = read_close_shift(json.dumps(CLOSE).encode())
    assert (before.carried_over, before.float_left) == ([], None)


def test_a_cashier_of_any_length_opens_a_shift():
    assert len(read_open_shift(json.dumps({**OPEN, "cashier": "x" * 500}).encode()).cashier) == 500


def test_an_empty_shift_closes():
    close = {**CLOSE, "batches": [], "order_count": 0, "first_number": 1, "last_number": 0}
    assert read_close_shift(json.dumps(close).encode()).last_number == 0


def test_a_heartbeat_needs_only_what_every_terminal_knows():
    beat = {name: BEAT[name] for name in ("sent_at", "offline_mode", "cached_orders", "cached_total")}
    message = read_heartbeat(json.dumps(beat).encode())
    assert (message.shift_id, message.last_number, message.oldest_cached_at) == (None, None, None)
    assert read_heartbeat(json.dumps(BEAT).encode()).shift_id == SHIFT_ID


def test_an_activation_is_read_with_its_device():
    message = read_activation(json.dumps(ACTIVATE).encode())
    assert (message.activation_code, message.device.serial) == ("7KQF-2MXD-9RTV", "A1B2")


@pytest.mark.parametrize("name", MESSAGES)
def test_unknown_fields_are_ignored(name):
    read, message = MESSAGES[name]
    assert read(json.dumps({**message, "newer": {"deep": 1}}).encode()) == read(json.dumps(message).encode())


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize(
    "body", [b"", b"{", b"NaN", b"\xff", b"\xef\xbb\xbf{}", b'{"x": ' + b"[" * 40 + b"]" * 40 + b"}"]
)
def test_bytes_that_are_not_json_are_malformed(name, body):
    with pytest.raises(BodyMalformed):
        MESSAGES[name][0](body)


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("body", [b"[]", b"null", b"5", b'"open"'])
def test_what_is_no_object_is_no_message(name, body):
    with pytest.raises(EnvelopeInvalid) as error:
        MESSAGES[name][0](body)
    assert (error.value.pointer, error.value.code) == ("", "invalid")


@pytest.mark.parametrize(
    ("name", "field"),
    [("open", field) for field in ("number", "opened_at", "opening_float", "first_number")]
    + [("close", field) for field in CLOSE]
    + [("activate", field) for field in ACTIVATE]
    + [("beat", field) for field in ("sent_at", "offline_mode", "cached_orders", "cached_total")],
)
def test_a_field_that_is_missing_is_named(name, field):
    read, message = MESSAGES[name]
    with pytest.raises(EnvelopeInvalid) as error:
        read(json.dumps({key: value for key, value in message.items() if key != field}).encode())
    assert (error.value.pointer, error.value.code) == (f"/{field}", "missing")


@pytest.mark.parametrize(
    ("name", "fields", "pointer"),
    [
        ("open", {"opening_float": 200.0}, "/opening_float"),
        ("open", {"opening_float": -1}, "/opening_float"),
        ("open", {"opening_float": 10**12 + 1}, "/opening_float"),
        ("open", {"opened_at": "2026-03-01T08:00:00"}, "/opened_at"),
        ("open", {"opened_at": "9999-03-01T08:00:00Z"}, "/opened_at"),
        ("open", {"closed_at": "1999-03-01T08:00:00Z"}, "/closed_at"),
        ("open", {"currency": "euro"}, "/currency"),
        ("open", {"currency": "EUR\n"}, "/currency"),
        ("open", {"cashier": "a\0b"}, "/cashier"),
        ("open", {"cashier": "\ud800"}, "/cashier"),
        ("open", {"first_number": 0}, "/first_number"),
        ("close", {"batches": ["x"]}, "/batches/0"),
        ("close", {"batches": [ORDER_ID, ORDER_ID.replace("-", "")]}, "/batches/1"),
        ("close", {"batches": None}, "/batches"),
        ("close", {"order_count": -1}, "/order_count"),
        ("close", {"cash_counted": True}, "/cash_counted"),
        ("close", {"totals": {**CLOSE["totals"], "tax": "9120"}}, "/totals/tax"),
        ("close", {"totals": {**CLOSE["totals"], "payments": {"cash": 1.5}}}, "/totals/payments/cash"),
        ("close", {"totals": {**CLOSE["totals"], "payments": {"a\0": 1}}}, "/totals/payments/a?"),
        ("activate", {"activation_code": 7}, "/activation_code"),
        ("activate", {"device": {"name": 5}}, "/device/name"),
        ("beat", {"shift_id": SHIFT_ID.hex}, "/shift_id"),
        ("beat", {"offline_mode": "yes"}, "/offline_mode"),
        ("beat", {"sent_at": 5}, "/sent_at"),
        ("beat", {"cached_orders": -1}, "/cached_orders"),
    ],
)
def test_a_field_that_is_not_what_it_must_be_is_named(name, fields, pointer):
    error = refused(name, **fields)
    assert (error.pointer, error.code) == (pointer, "invalid")


def test_every_fault_of_a_message_is_named_once():
    error = refused("open", number="1", opened_at="9999-03-01T08:00:00Z", cashier="a\0b", first_number=0, extra=["\0"])
    assert [(error.pointer, error.detail), *((fault.pointer, fault.detail) for fault in error.others)] == [
        ("/cashier", "The character U+0000"),
        ("/extra/0", "The character U+0000"),
        ("/number", "Expected an integer, got a string"),
        ("/opened_at", "Expected a time between the years 2000 and 2099"),
        ("/first_number", "Expected an integer of at least 1"),
    ]


def test_twenty_faults_are_enough():
    assert len(refused("close", batches=["x"] * 10_000).others) == 19


WRONG: tuple[Any, ...] = (None, True, 0, -1, 1.5, 10**30, "", "x", "x" * 300, "2026-03-01", [], [1], {}, {"a": 1})


@pytest.mark.parametrize("name", MESSAGES)
def test_faults_are_told_in_words_of_json(name):
    read, message = MESSAGES[name]
    told = set()
    for field in message:
        for value in (*WRONG, [*WRONG], {"cash": 1.5, "payments": {"cash": "1", "x" * 65: 1}}):
            try:
                read(json.dumps({**message, field: value}).encode())
            except EnvelopeInvalid as error:
                told |= {error.detail, *(fault.detail for fault in error.others)}
    assert told
    for detail in told:
        assert not re.search(r"`|\bint\b|\bstr\b|\bfloat\b|\bbool\b|datetime|uuid|regex|Struct|None", detail), detail
        assert len(detail) <= 200


def test_a_member_that_cannot_be_read_is_told_in_the_same_words():
    line = {"quantity": "2", "unit_price": 1.5, "amount": 240, "taxes": [{"code": "X", "rate": "5.5%", "amount": 1}]}
    details = []
    for order in (wire_order(lines=[line]), wire_order(lines=[line | {"unit_price": 1}]), wire_order(mode="away")):
        read = read_order(json.dumps(order).encode())
        assert isinstance(read, Unreadable)
        details.append(read.reasons[0].detail)
    assert details == [
        "Expected an integer, or a decimal string with at most 4 decimals",
        'Expected a decimal string with at most 6 decimals, a fraction: 5.5 % is "0.055"',
        "'away' is none of the values of this field",
    ]


def test_a_number_beyond_everything_is_refused_and_crashes_nothing():
    body = json.dumps(OPEN)[:-1] + ', "opening_float": ' + "9" * 5000 + "}"
    with pytest.raises(EnvelopeInvalid) as error:
        read_open_shift(body.encode())
    assert error.value.pointer == "/opening_float"


def test_the_types_describe_themselves_as_json_schema():
    _, components = msgspec.json.schema_components(
        [OpenShift, CloseShift, Activation, Heartbeat, Order, CashMovement], schema_hook=scalar_schema
    )
    line = components["Line"]["properties"]
    assert line["quantity"] == {"type": "string", "pattern": r"^-?[0-9]{1,13}(?:\.[0-9]{1,4})?$"}
    assert line["unit_price"]["anyOf"][0]["type"] == "integer"
    assert components["Order"]["properties"]["order_id"]["format"] == "uuid"
    assert components["OpenShift"]["properties"]["opened_at"]["format"] == "date-time"
    assert set(components["Order"]["required"]) == {
        "order_id", "number", "mode", "kind", "status", "opened_at", "closed_at", "lines", "total", "payments",
    }  # fmt: skip


def test_other_types_are_not_ours_to_describe():
    with pytest.raises(NotImplementedError):
        scalar_schema(complex)


def test_a_scalar_keeps_its_exact_value_when_it_is_copied():
    for value in (Quantity("0.350"), UnitPrice("149.9999")):
        copy = type(value)(str(value))
        assert (copy, copy.scaled) == (value, value.scaled)


@pytest.mark.parametrize("value", ["\ud800", {"\ud83d": 1}, ["\udfff"], [{"x": "a\ud800"}]], ids=ascii)
@pytest.mark.parametrize("name", ["opened_at", "cashier", "number", "unknown"])
def test_half_a_surrogate_pair_anywhere_in_a_message_is_a_fault_and_no_crash(name: str, value: Any) -> None:
    body = json.dumps({"number": 1, "opened_at": "x", "opening_float": -1, "first_number": 1, name: value}).encode()
    with pytest.raises(EnvelopeInvalid) as caught:
        read_open_shift(body)
    faults = [caught.value.pointer, *[fault.pointer for fault in caught.value.others]]
    assert any(pointer.startswith(f"/{name}") for pointer in faults)
    assert "/opening_float" in faults
