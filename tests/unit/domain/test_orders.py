"""Which members can be read as orders and cash movements, and what is said of those that cannot."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.domain.identity import content_hash
from backoffice.domain.limits import MAX_MEMBER_BYTES
from backoffice.domain.orders import CashMovement, Order, Unreadable
from backoffice.domain.wire.members import read_movement, read_order
from tests.unit.domain.builders import (
    ORDER_ID,
    OTHER_ID,
    a_movement,
    an_order,
    cash,
    raw,
    spelled_out,
    wire_line,
    wire_movement,
    wire_order,
    wire_tax,
)

FULL = wire_order(
    mode="offline",
    type="takeaway",
    cashier="Anna",
    customer={"name": "Zoë", "points": 1.5, "tags": [1, None]},
    printed_to="local",
    refund_of=OTHER_ID,
    note="no sugar",
    rounding=0,
    tip=0,
)


def unreadable(value: Any) -> Unreadable:
    member = value if isinstance(value, bytes) else raw(value)
    order = read_order(member)
    assert isinstance(order, Unreadable), order
    assert [reason.code for reason in order.reasons] == ["unreadable-order"]
    return order


def pointer_of(value: Any) -> str:
    return unreadable(value).reasons[0].pointer


def test_an_order_is_read_as_it_was_sent():
    order = an_order(**FULL)
    assert order.order_id == UUID(ORDER_ID)
    assert order.refund_of == UUID(OTHER_ID)
    assert order.closed_at == datetime(2026, 3, 1, 10, 2, tzinfo=UTC)
    assert (order.number, order.total, json.loads(str(order.customer))) == (1017, 240, FULL["customer"])
    line = order.lines[0]
    assert (line.quantity, line.unit_price, line.taxes[0].rate) == (Decimal(2), Decimal(120), Decimal("0.055"))
    assert (order.payments[0].tendered_minor, order.payments[0].change_minor) == (500, 260)


def test_a_member_above_the_limit_is_not_read_and_is_known_by_its_bytes():
    fits = raw(wire_order(x=""))
    fits = fits.replace(b'"x": ""', b'"x": "%b"' % (b"y" * (MAX_MEMBER_BYTES - len(fits))))
    assert len(fits) == MAX_MEMBER_BYTES
    assert isinstance(read_order(fits), Order)
    for read in (read_order, read_movement):
        for large in (fits + b" ", b"[%b0]" % (b"0," * MAX_MEMBER_BYTES)):
            member = read(large)
            assert isinstance(member, Unreadable)
            assert (member.item_id, member.number) == (None, None)
            assert [(reason.code, reason.pointer) for reason in member.reasons] == [("limit-exceeded", "")]
            assert member.content_hash == b"\x01" + sha256(b"bytes:" + large).digest()


def test_what_is_optional_has_the_defaults_of_the_protocol():
    order = an_order(lines=[{"quantity": "1", "unit_price": 5, "amount": 5}], payments=[cash(5)])
    assert (order.type, order.customer, order.refund_of, order.printed_to) == (None, None, None, "none")
    assert (order.cashier, order.note, order.rounding, order.tip) == ("", "", 0, 0)
    line, payment = order.lines[0], order.payments[0]
    assert (line.kind, line.sku, line.name, line.discount, line.taxes) == ("item", "", "", 0, [])
    assert (payment.tendered_minor, payment.change_minor, payment.reference) == (None, None, "")


@pytest.mark.parametrize(
    "name", ["order_id", "number", "mode", "kind", "status", "opened_at", "closed_at", "lines", "total", "payments"]
)
def test_a_required_field_that_is_missing_is_named(name):
    order = wire_order()
    del order[name]
    reason = unreadable(order).reasons[0]
    assert (reason.pointer, reason.detail) == (f"/{name}", f"{name} is missing")


@pytest.mark.parametrize("name", ["quantity", "unit_price", "amount"])
def test_a_required_field_of_a_line_that_is_missing_is_named(name):
    line = wire_line()
    del line[name]
    assert pointer_of(wire_order(lines=[wire_line(), line])) == f"/lines/1/{name}"


def test_a_required_field_of_a_tax_or_payment_that_is_missing_is_named():
    assert pointer_of(wire_order(lines=[wire_line(taxes=[{"code": "A", "rate": "0.1"}])])) == "/lines/0/taxes/0/amount"
    assert pointer_of(wire_order(payments=[{"amount": 240}])) == "/payments/0/method"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"mode": "airplane"}, "/mode"),
        ({"kind": "gift"}, "/kind"),
        ({"status": "open"}, "/status"),
        ({"printed_to": "moon"}, "/printed_to"),
        ({"number": 0}, "/number"),
        ({"number": 2**53}, "/number"),
        ({"number": "1017"}, "/number"),
        ({"customer": "Anna"}, "/customer"),
        ({"customer": []}, "/customer"),
        ({"type": 5}, "/type"),
        ({"note": None}, "/note"),
        ({"tip": None}, "/tip"),
        ({"lines": None}, "/lines"),
        ({"lines": [5]}, "/lines/0"),
        ({"payments": {}}, "/payments"),
        ({"refund_of": "the last one"}, "/refund_of"),
        ({"payments": [cash(240, tendered=None)]}, "/payments/0/tendered"),
        ({"payments": [cash(240, reference=None)]}, "/payments/0/reference"),
        ({"lines": [wire_line(taxes=None)]}, "/lines/0/taxes"),
    ],
)
def test_a_field_that_is_not_what_it_must_be_is_named(fields, pointer):
    assert pointer_of(wire_order(**fields)) == pointer


NOT_MONEY = ["240.0", "2.4e2", "0.5", "true", '"240"', '"1_000"', '"\uff11\uff12"', "null", "[240]", "1e400",
             "1000000000001", "-1000000000001", "9" * 5000, "9" * 100_000]  # fmt: skip


@pytest.mark.parametrize("spelling", NOT_MONEY, ids=lambda text: text[:12])
@pytest.mark.parametrize("pointer", ["/total", "/lines/0/amount", "/payments/0/amount", "/lines/0/taxes/0/amount"])
def test_money_is_an_integer_in_digits_within_the_limit(spelling, pointer):
    marked = wire_order(total=777, lines=[wire_line(amount=777, taxes=[wire_tax(777)])], payments=[cash(777)])
    place = {"/total": 0, "/lines/0/amount": 1, "/lines/0/taxes/0/amount": 2, "/payments/0/amount": 3}[pointer]
    order = {name: marked[name] for name in ("total", "lines", "payments")} | wire_order(
        **{name: marked[name] for name in ("total", "lines", "payments")}
    )
    line = order["lines"][0]
    order["lines"] = [{"amount": line.pop("amount"), **line}]
    pieces = json.dumps(order).split("777")
    text = "".join(
        piece + ("" if index == 4 else spelling if index == place else "777") for index, piece in enumerate(pieces)
    )
    assert pointer_of(text.encode()) == pointer


@pytest.mark.parametrize("amount", [10**12, -(10**12), 0, -0])
def test_money_at_its_limits_is_read(amount):
    assert an_order(total=amount).total == amount


@pytest.mark.parametrize("quantity", ["2", "-2", "0.350", "0.0001", "1000000000000", "007"])
def test_a_quantity_is_a_decimal_string(quantity):
    assert an_order(lines=[wire_line(quantity=quantity)]).lines[0].quantity == Decimal(quantity)


@pytest.mark.parametrize(
    "quantity", [2, 2.5, True, None, "", "2.", ".5", "+2", "1e3", " 2", "2\n", "1_000", "\uff11\uff12", "٣", "0.00001",
                 "1000000000000.1", "99999999999999", "NaN", "Infinity", "0x1", "2,5", [], {}]
)  # fmt: skip
def test_anything_else_is_no_quantity(quantity):
    assert pointer_of(wire_order(lines=[wire_line(quantity=quantity)])) == "/lines/0/quantity"


@pytest.mark.parametrize("price", [120, -120, "120", "149.9999", "0.5", 10**12])
def test_a_unit_price_is_minor_units_in_an_integer_or_a_decimal_string(price):
    assert an_order(lines=[wire_line(unit_price=price)]).lines[0].unit_price == Decimal(price)


@pytest.mark.parametrize(
    "price", [1.5, 120.0, True, None, "1.00001", "1e3", "\uff11\uff12", 10**12 + 1, "1000000000000.5"]
)
def test_anything_else_is_no_unit_price(price):
    assert pointer_of(wire_order(lines=[wire_line(unit_price=price)])) == "/lines/0/unit_price"


@pytest.mark.parametrize("rate", [0.055, 1, "0.0000001", "5 %", True])
def test_anything_but_a_decimal_string_of_six_decimals_is_no_rate(rate):
    assert pointer_of(wire_order(lines=[wire_line(taxes=[wire_tax(13, rate)])])) == "/lines/0/taxes/0/rate"


BAD_UUIDS = [5, None, "", "01953a3e000070008000000000000001", "{01953a3e-0000-7000-8000-000000000001}", "01953a3e",
             "urn:uuid:01953a3e-0000-7000-8000-000000000001", "01953a3e-0000-7000-8000-00000000000g"]  # fmt: skip


@pytest.mark.parametrize("identifier", BAD_UUIDS)
def test_an_identifier_has_the_canonical_form(identifier):
    order = unreadable(wire_order(order_id=identifier))
    assert (order.item_id, order.number, order.reasons[0].pointer) == (None, 1017, "/order_id")
    if identifier is not None:
        assert pointer_of(wire_order(refund_of=identifier)) == "/refund_of"


def test_an_identifier_in_capitals_is_the_same():
    assert an_order(order_id=ORDER_ID.upper(), refund_of=OTHER_ID.upper()).order_id == UUID(ORDER_ID)


def test_an_identifier_without_dashes_is_noticed_beside_its_own_canonical_form():
    order = wire_order(order_id=ORDER_ID.replace("-", ""), refund_of=OTHER_ID)
    assert pointer_of(order) == "/order_id"


@pytest.mark.parametrize(
    "time", ["2026-03-01T11:02:00", "2026-03-01T11:02:60Z", "2026-03-01T24:00:00Z", "9999-01-01T00:00:00Z",
             "1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "2099-12-31T23:59:59.9999999Z", "2026-02-29T00:00:00Z",
             "0000-01-01T00:00:00Z", "yesterday", "", 1772359320, None]
)  # fmt: skip
@pytest.mark.parametrize("name", ["opened_at", "closed_at"])
def test_a_time_has_an_offset_and_is_of_this_century(name, time):
    assert pointer_of(wire_order(**{name: time})) == f"/{name}"


@pytest.mark.parametrize("time", ["2000-01-01T00:00:00Z", "2099-12-31T23:59:59-12:00", "2026-03-01t11:02:00.123z"])
def test_times_at_the_limits_are_read(time):
    assert isinstance(read_order(raw(wire_order(closed_at=time))), Order)


def test_unknown_fields_are_ignored_wherever_they_are():
    order = wire_order(
        table_zone={"deep": [1, 2.5, "x"]},
        lines=[wire_line(colour="red", taxes=[{**wire_tax(13), "law": 5}])],
        payments=[cash(240, tendered=500, change=260, terminal="T8")],
    )
    assert spelled_out(read_order(raw(order))) == spelled_out(an_order())


def test_other_values_of_type_method_and_line_kind_are_read_and_left_to_the_rules():
    order = an_order(type="drive_thru", lines=[wire_line(kind="mystery")], payments=[cash(240) | {"method": "shells"}])
    assert (order.type, order.lines[0].kind, order.payments[0].method) == ("drive_thru", "mystery", "shells")


def test_an_order_beyond_the_limits_is_still_an_order():
    order = an_order(note="x" * 501, lines=[wire_line()] * 501, payments=[cash(1)] * 21)
    assert (order.number, len(order.lines)) == (1017, 501)


@pytest.mark.parametrize("member", ["null", "5", '"order"', "[]", "true", "1e400", "[[]]"])
def test_a_member_that_is_no_object_is_unreadable_as_a_whole(member):
    order = unreadable(member.encode())
    assert (order.item_id, order.number, order.reasons[0].pointer) == (None, None, "")


@pytest.mark.parametrize(
    ("extra", "pointer"),
    [
        ('"note": "a\\u0000b"', "/note"),
        ('"note": "\\ud800"', "/note"),
        ('"note": "\\udc00\\ud800"', "/note"),
        ('"customer": {"name": "\\ud83d"}', "/customer/name"),
        ('"customer": {"a/b~c": ["\\u0000"]}', "/customer/a~1b~0c/0"),
        ('"customer": {"points": 1e400}', "/customer/points"),
        ('"unknown": "\\ud800"', "/unknown"),
        ('"unknown": {"x": [0, "\\u0000"]}', "/unknown/x/1"),
        ('"unknown": -1e400', "/unknown"),
        ('"unknown": ' + "9" * 5000, "/unknown"),
        ('"unknown": ' + "9" * 310, "/unknown"),
        ('"\\ud800": 1', "/?"),
        ('"\\u0000": 1', "/?"),
    ],
)
def test_text_and_numbers_that_nothing_can_carry_make_it_unreadable_even_in_unknown_fields(extra, pointer):
    text = json.dumps(wire_order())[:-1] + f", {extra}}}"
    order = unreadable(text.encode())
    assert (order.item_id, order.number) == (UUID(ORDER_ID), 1017)
    assert order.reasons[0].pointer == pointer
    msgspec.json.encode(order.reasons)


def test_an_escaped_backslash_before_u0000_is_only_text():
    note = r"the path C:\u0000"
    assert an_order(note=note).note == note


def test_a_real_surrogate_pair_is_one_character():
    text = json.dumps(wire_order(note="😀", extra="😀"))
    assert "\\ud83d" in text
    order = read_order(text.encode())
    assert isinstance(order, Order)
    assert order.note == "😀"


def test_large_numbers_in_unknown_fields_are_nobodys_business():
    assert spelled_out(read_order(raw(wire_order(serial=10**300, ratio=1e300)))) == spelled_out(an_order())


def test_of_duplicate_keys_the_last_counts():
    text = json.dumps(wire_order())
    assert spelled_out(read_order(('{"total": "x", ' + text[1:]).encode())) == spelled_out(an_order())
    assert pointer_of((text[:-1] + ', "total": "x"}').encode()) == "/total"
    twice = read_order(('{"note": "a", ' + json.dumps(wire_order(note="b"))[1:]).encode())
    assert spelled_out(twice) == spelled_out(an_order(note="b"))


def test_unreadable_members_are_known_by_their_value_not_their_spelling():
    first = unreadable(b'{"number": 7, "total": 1.0, "x": {"a": 1, "b": -0.0}}')
    again = unreadable(b' {"x":{"b":0,"a":1e0},"total":1,"number":7}')
    assert first.content_hash == again.content_hash
    assert len(first.content_hash) == 33
    others = [b'{"number": 8, "total": 1, "x": {"a": 1, "b": 0}}', b"null", b"1e400", b"1e401", b'"1e400"', b"[]"]
    assert len({unreadable(other).content_hash for other in others} | {first.content_hash}) == 7


@pytest.mark.parametrize("number", [0, -1, 2**53, "7", 7.0, True, None])
def test_a_number_that_is_none_is_not_reported(number):
    assert unreadable({"number": number}).number is None


def test_bytes_that_are_not_json_are_the_callers_mistake():
    with pytest.raises(ValueError, match="character"):
        read_order(b"{nonsense")


def test_a_cash_movement_is_read_as_it_was_sent():
    movement = a_movement()
    assert (movement.kind, movement.amount, movement.reason, movement.cashier) == ("cash_in", 5000, "change", "Anna")
    assert movement.movement_id == UUID(ORDER_ID)
    assert read_movement(raw(wire_movement(drawer="left"))) == movement


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"kind": "cash_sideways"}, "/kind"),
        ({"amount": 50.0}, "/amount"),
        ({"movement_id": ORDER_ID.replace("-", "")}, "/movement_id"),
        ({"occurred_at": "9999-01-01T00:00:00Z"}, "/occurred_at"),
        ({"reason": "a\0b"}, "/reason"),
    ],
)
def test_a_cash_movement_that_cannot_be_read_says_why(fields, pointer):
    movement = read_movement(json.dumps(wire_movement(**fields)).encode())
    assert isinstance(movement, Unreadable)
    assert [(reason.code, reason.pointer) for reason in movement.reasons] == [("unreadable-movement", pointer)]
    assert movement.number is None
    assert (movement.item_id is None) == ("movement_id" in fields)


def test_a_cash_movement_of_zero_is_read_and_left_to_the_rules():
    assert isinstance(read_movement(raw(wire_movement(amount=0))), CashMovement)


paths = st.sampled_from([(name,) for name in FULL] + [("lines", 0, name) for name in FULL["lines"][0]]
                        + [("payments", 0, name) for name in FULL["payments"][0]]
                        + [("lines", 0, "taxes", 0, name) for name in wire_tax(1)])  # fmt: skip
junk = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5),
    st.just([]), st.just({}), st.lists(st.none(), max_size=2), st.sampled_from(["0.1", ORDER_ID, "2026-03-01T00:00:00Z"])
)  # fmt: skip


@given(changes=st.lists(st.tuples(paths, junk), min_size=1, max_size=3), extra=st.booleans())
def test_no_mutation_of_an_order_crashes_and_both_roads_agree(changes, extra):
    order = json.loads(json.dumps(FULL))
    for path, value in changes:
        target = order
        for step in path[:-1]:
            try:
                target = target[step]
            except (TypeError, KeyError, IndexError):
                break
        if isinstance(target, dict):
            target[path[-1]] = deepcopy(value)  # it may be what `target` is
    fast = read_order(raw(order))
    slow = read_order(raw({**order, "unknown": 1}))
    if isinstance(fast, Order):
        assert spelled_out(slow) == spelled_out(fast)
        assert isinstance(slow, Order)
        assert content_hash(slow) == content_hash(fast)
    else:
        assert isinstance(slow, Unreadable)
        assert slow.reasons == fast.reasons
        assert fast.reasons[0].detail
