"""The audit's own reader takes what the protocol allows, and nothing else."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from backoffice.audit.batches import members_of
from backoffice.audit.reading import (
    ReadingError,
    is_text_throughout,
    item_identifier,
    order_of_before,
    read_batch_body,
    read_movement,
    read_order,
)
from backoffice.audit.values import as_stored, same_content, same_json, unequal
from tests.till import a_movement, a_sale

REQUIRED = ["order_id", "number", "mode", "kind", "status", "opened_at", "closed_at", "lines", "total", "payments"]


def with_line(**changes: Any) -> dict[str, Any]:
    return a_sale(1, lines=[a_sale(1)["lines"][0] | changes])


def with_tax(**changes: Any) -> dict[str, Any]:
    return with_line(taxes=[{"code": "T", "rate": "0.1", "amount": 1} | changes])


def with_payment(**changes: Any) -> dict[str, Any]:
    return a_sale(1, payments=[{"method": "cash", "amount": 240} | changes])


def test_what_is_left_out_has_its_default() -> None:
    full = a_sale(1)
    order = read_order({name: full[name] for name in REQUIRED})
    assert (order.rounding, order.tip, order.note, order.cashier, order.type) == (0, 0, "", "", None)
    assert (order.printed_to, order.customer, order.refund_of) == ("none", None, None)
    sparse = read_order(a_sale(1, lines=[{"quantity": "1", "unit_price": 1, "amount": 1}]))
    assert sparse.lines[0][:3] == ("item", "", "")
    assert sparse.lines[0].taxes == ()


@pytest.mark.parametrize("name", REQUIRED)
def test_what_is_required_is_missed(name: str) -> None:
    order = a_sale(1)
    del order[name]
    with pytest.raises(ReadingError, match=name):
        read_order(order)


@pytest.mark.parametrize(
    "order",
    [
        a_sale(0),
        a_sale(2**53),
        a_sale(1.0),
        a_sale(True),
        a_sale(1, order_id="urn:uuid:0"),
        a_sale(1, order_id=7),
        a_sale(1, mode="later"),
        a_sale(1, total="240"),
        a_sale(1, total=10**12 + 1),
        a_sale(1, tip=None),
        a_sale(1, type=7),
        a_sale(1, type="x" * 65),
        a_sale(1, note=None),
        a_sale(1, adjusts="x"),
        a_sale(1, adjusts=5),
        a_sale(1, customer=[]),
        a_sale(1, refund_of="x"),
        a_sale(1, opened_at="2026-03-01T10:00:00"),
        a_sale(1, opened_at="2026-03-01T10:00:60Z"),
        a_sale(1, opened_at="2026-02-30T10:00:00Z"),
        a_sale(1, opened_at="1999-12-31T10:00:00Z"),
        a_sale(1, opened_at=0),
        a_sale(1, lines={}),
        a_sale(1, lines=[{}] * 501),
        a_sale(1, lines=[7]),
        a_sale(1, payments=[7]),
        a_sale(1, printed_to=None),
        with_line(refund_of="x"),
        with_line(quantity=2),
        with_line(quantity="1_000"),
        with_line(quantity="１２"),
        with_line(quantity="1.00001"),
        with_line(unit_price=1.5),
        with_line(unit_price="1.00001"),
        with_line(taxes=[{}] * 11),
        with_line(taxes=[7]),
        with_tax(rate="0.0000001"),
        with_tax(code=None),
        with_tax(code="x" * 65),
        with_tax(kind=None),
        with_payment(method=None),
        with_payment(tendered=None),
        "no object",
        [],
    ],
)
def test_what_is_no_order(order: Any) -> None:
    with pytest.raises(ReadingError):
        read_order(order)


@pytest.mark.parametrize(
    "movement", ["x", a_movement(0), a_movement(-1), a_movement(kind="gift"), a_movement(movement_id=""), {}]
)
def test_what_is_no_movement(movement: Any) -> None:
    with pytest.raises(ReadingError):
        read_movement(movement)


@pytest.mark.parametrize(
    "order",
    [
        a_sale(1, adjusts=5),
        a_sale(1, adjusts=str(uuid4())),
        with_line(refund_of=[]),
        with_line(refund_of=str(uuid4())),
        with_tax(kind=None),
        with_tax(kind="compound"),
    ],
)
def test_before_they_were_known_new_fields_were_passed_over_whatever_they_held(order: dict[str, Any]) -> None:
    plain = json.loads(json.dumps(order))
    plain.pop("adjusts", None)
    plain["lines"][0].pop("refund_of", None)
    plain["lines"][0]["taxes"][0].pop("kind", None)
    assert order_of_before(order) == read_order(plain)
    (member,) = members_of(json.dumps({"orders": [order]}).encode())
    assert member.read_as(of_before=True) == read_order(plain)
    assert member.read_as(of_before=False) != read_order(plain)


@pytest.mark.parametrize("order", [a_sale(1, adjusts=5, tip=None), "x", {}, {"lines": 7}, {"lines": [{"taxes": 7}, 7]}])
def test_what_was_no_order_before_either(order: Any) -> None:
    assert order_of_before(order) is None


def test_texts_that_only_describe_are_shortened_in_the_tables() -> None:
    order = read_order(with_line(sku="s" * 65, name="n" * 201) | {"note": "😀" * 501, "cashier": "c" * 65})
    payments = tuple(payment._replace(reference="r" * 65) for payment in order.payments)
    stored = as_stored(order._replace(payments=payments))
    assert (stored.note, stored.cashier) == ("😀" * 500, "c" * 64)
    assert (stored.lines[0].sku, stored.lines[0].name) == ("s" * 64, "n" * 200)
    assert stored.payments[0].reference == "r" * 64
    assert as_stored(stored) is stored


def test_values_are_read_exactly() -> None:
    order = read_order(with_line(quantity="0.350", unit_price="99.9999") | {"opened_at": "2026-03-01t10:00:00.5+01:00"})
    assert (order.lines[0].quantity, order.lines[0].unit_price) == (Decimal("0.35"), Decimal("99.9999"))
    assert order.opened_at == datetime(2026, 3, 1, 9, 0, 0, 500_000, UTC)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"orders": {}}', b'{"orders": NaN}', b"[" * 9999])
def test_what_is_no_batch(body: bytes) -> None:
    with pytest.raises(ReadingError):
        read_batch_body(body)


def test_of_duplicate_keys_the_last_counts_and_thousands_of_digits_do_not_hurt() -> None:
    body = b'{"orders": [1], "orders": [' + b"9" * 5000 + b'], "cash_movements": [{}]}'
    orders, movements = read_batch_body(body)
    assert orders == [float("inf")]
    assert movements == [{}]


@pytest.mark.parametrize("value", ["\0", ["\ud800"], {"\udfff": 1}, {"a": [{"b": "\0"}]}])
def test_texts_that_cannot_be_kept(value: Any) -> None:
    assert not is_text_throughout(value)
    assert is_text_throughout(json.loads('{"a": ["\\ud83d\\ude00", 1, null]}'))


def test_identifiers_are_known_in_either_case() -> None:
    order = a_sale(1)
    assert item_identifier({"order_id": order["order_id"].upper()}, "order_id") == order["order_id"]
    assert item_identifier({"order_id": order["order_id"].replace("-", "")}, "order_id") is None
    assert item_identifier("x", "order_id") is None


def test_how_an_order_came_is_not_its_content() -> None:
    order = a_sale(1, mode="offline", printed_to="local")
    other = order | {"mode": "online", "printed_to": "none", "opened_at": "2026-03-01T09:00:00Z", "future": 1}
    assert same_content(read_order(order), read_order(other))
    assert not same_content(read_order(order), read_order(order | {"note": "x"}))


def test_each_unequal_field_is_named() -> None:
    one, other = read_order(a_sale(1)), read_order(with_tax(code="X") | {"note": "x"})
    named = {each.what for each in unequal(one, other)}
    assert named == {"order_id", "note", "line 1 tax 1 code", "line 1 tax 1 rate", "line 1 tax 1 amount"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1, "b": [1.0]}, {"b": [1], "a": 1}, True),
        ({"a": 1e23}, {"a": 10**23}, True),
        ({"a": 2**53 + 1}, {"a": 2**53}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1.0}, {"a": True}, False),
        ({"a": None}, {}, False),
        ([1], [1, 2], False),
    ],
)
def test_json_values_compare_by_value(one: Any, other: Any, same: bool) -> None:
    assert same_json(one, other) is same
