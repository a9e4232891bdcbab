"""Which bytes are refused whole, and which harm only the member that they stand in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.domain.wire.envelope import BodyMalformed, EnvelopeInvalid, TooManyOrders, decode_batch, decode_object
from tests.unit.domain.builders import raw, wire_movement, wire_order


def decode(body: bytes):
    return decode_batch(body, max_orders=2000)


NOT_JSON = {
    "empty": b"",
    "only blanks": b" \n",
    "cut off": b'{"orders": [{"order_id": "0195',
    "trailing bytes": b'{"orders": []} x',
    "two bodies": b"{}{}",
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"orders": []}'.encode("utf-16"),
    "invalid UTF-8": b'{"orders": [{"note": "caf\xe9"}]}',
    "invalid UTF-8 in an unknown field": b'{"x": "\xff"}',
    "a raw surrogate": b'{"orders": ["\xed\xa0\x80"]}',
    "an overlong slash": b'{"orders": ["\xc0\xaf"]}',
    "NaN": b'{"orders": [NaN]}',
    "Infinity": b'{"orders": [{"total": Infinity}]}',
    "minus Infinity": b'{"x": -Infinity}',
    "a comment": b'{"orders": [] /* none */}',
    "single quotes": b"{'orders': []}",
    "a trailing comma": b'{"orders": [1,]}',
    "a leading zero": b'{"orders": [007]}',
    "a leading plus": b'{"orders": [+1]}',
    "a bare fraction": b'{"orders": [.5]}',
    "hexadecimal": b'{"orders": [0x1F]}',
    "a control character": b'{"orders": ["a\x01b"]}',
    "a raw NUL": b'{"orders": ["a\x00b"]}',
    "a line break in a text": b'{"orders": ["a\nb"]}',
    "an unknown escape": b'{"orders": ["\\x41"]}',
    "half an escape": b'{"orders": ["\\u12"]}',
    "a list of the wrong type, then nonsense": b'{"orders": 5 nonsense',
    "half a surrogate pair, then nonsense": b'{"orders": ["\\ud800"], nonsense',
    "thousands of brackets": b'{"orders": ' + b"[" * 100_000,
    "brackets of an unknown field": b'{"x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_bytes_that_are_not_json_are_refused_whole(body):
    with pytest.raises(BodyMalformed) as refused:
        decode(body)
    assert refused.value.detail
    with pytest.raises(BodyMalformed):
        decode_object(body)


def nested(depth: int, *, opening: str = "[", closing: str = "]") -> str:
    return opening * depth + closing * depth


def test_a_body_may_nest_thirty_two_levels_and_no_more():
    assert decode(f'{{"orders": [{nested(30)}]}}'.encode()).orders == [nested(30).encode()]
    for body in (f'{{"orders": [{nested(31)}]}}', f'{{"x": {nested(32)}}}'):
        with pytest.raises(BodyMalformed, match="Nested deeper than 32"):
            decode(body.encode())


def test_objects_and_arrays_count_alike():
    deep = '{"a":[' * 16
    assert decode_object(f'{{"a":[{deep[6:]}{"]}" * 15}]}}'.encode())
    with pytest.raises(BodyMalformed, match="Nested deeper"):
        decode_object(f'{{"a":{deep}{"]}" * 16}}}'.encode())


def test_many_brackets_side_by_side_are_not_deep():
    assert len(decode(f'{{"orders": [{",".join(["[[]]"] * 1500)}]}}'.encode()).orders) == 1500


@pytest.mark.parametrize("text", ["[" * 60, "{[" * 60, '\\"[' * 60, "\\\\" + "[" * 60, "]" * 60])
def test_brackets_in_a_text_are_not_depth(text):
    assert decode(f'{{"orders": [{{"note": "{text}"}}]}}'.encode()).orders


def test_brackets_in_a_text_do_not_hide_depth():
    with pytest.raises(BodyMalformed, match="Nested deeper"):
        decode(f'{{"orders": [{{"note": "{"]" * 60}", "x": {nested(31)}}}]}}'.encode())


@pytest.mark.parametrize(
    "body", ['{"orders": [{"number": 1', '{"orders": [', '{"orders": []}]', f'{{"orders": {"[" * 60}']
)
def test_a_body_that_was_cut_off_is_not_called_deep(body):
    with pytest.raises(BodyMalformed, match="Brackets without their other half"):
        decode(body.encode())


@pytest.mark.parametrize("body", [b"[]", b"5", b'"orders"', b"null", b"true"])
def test_a_body_that_is_no_object_is_no_envelope(body):
    for read in (decode, decode_object):
        with pytest.raises(EnvelopeInvalid) as refused:
            read(body)
        assert refused.value.pointer == ""


@pytest.mark.parametrize("name", ["orders", "cash_movements"])
@pytest.mark.parametrize("value", ["null", "{}", '"[]"', "0", "false"])
def test_a_list_that_is_no_array_is_no_envelope(name, value):
    with pytest.raises(EnvelopeInvalid) as refused:
        decode(f'{{"{name}": {value}}}'.encode())
    assert refused.value.pointer == f"/{name}"


def test_two_lists_that_are_no_arrays_are_two_faults():
    with pytest.raises(EnvelopeInvalid) as refused:
        decode(b'{"cash_movements": {}, "orders": null}')
    assert [refused.value.pointer, *(fault.pointer for fault in refused.value.others)] == ["/orders", "/cash_movements"]


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"order": {"lines": []}}',
        b'{"order_id": "x", "lines": []}',
        b'{"protocol": 2, "extra": {"orders": []}}',
        b'{"\\ud800": 0}',
    ],
)
def test_a_body_with_neither_list_is_no_batch_unless_it_was_taken_once(body):
    with pytest.raises(EnvelopeInvalid) as refused:
        decode(body)
    assert (refused.value.pointer, refused.value.code) == ("/orders", "missing")
    stored = decode_batch(body, max_orders=2000, is_checked=True)
    assert (stored.orders, stored.movements) == ([], [])


def test_either_list_may_be_absent_and_unknown_fields_are_ignored():
    assert decode(b'{"cash_movements": []}') == decode(b'{"orders": []}')
    envelope = decode(b'{"protocol": 2, "orders": [], "extra": {"orders": 5}}')
    assert (envelope.orders, envelope.movements) == ([], [])


def test_members_come_back_byte_for_byte_in_the_order_sent():
    members = [b'{ "order_id" : 1 }', b"[1,  2]", b'"text"', b"null", b"-0.0e0", b"true"]
    envelope = decode(b'{"cash_movements":[1],"orders":[ ' + b" ,\n".join(members) + b" ]}")
    assert envelope.orders == members
    assert envelope.movements == [b"1"]


# What msgspec cannot read although it is JSON goes another way, which must find the same members.
HOSTILE = {
    "half a surrogate pair": b'{"note": "\\ud800"}',
    "the other half": b'{"note": "\\udc00 and more"}',
    "halves in the wrong order": b'{"note": "\\udc00\\ud800"}',
    "half a pair in a name": b'{"\\ud800": 1}',
    "NUL": b'{"note": "\\u0000"}',
    "an integer of 5 000 digits": b'{"total": ' + b"9" * 5000 + b"}",
    "an integer of 100 000 digits": b'{"total": -' + b"9" * 100_000 + b"}",
    "1e400": b'{"total": 1e400}',
    "an exponent of 5 000 digits": b'{"total": 1e' + b"9" * 5000 + b"}",
    "no object": b"[null]",
    "the same name twice": b'{"total": 1, "total": 2}',
}


@pytest.mark.parametrize("member", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_member_that_nobody_can_read_leaves_its_neighbours_alone(member):
    good = raw(wire_order())
    movement = raw(wire_movement())
    body = b'{"cash_movements": [' + movement + b'], "orders": [' + b" , ".join([good, member, good]) + b"]}"
    envelope = decode(body)
    assert envelope.orders == [good, member, good]
    assert envelope.movements == [movement]


def test_half_a_surrogate_pair_in_an_unknown_field_of_the_envelope_harms_nobody():
    envelope = decode(b'{"x": ["\\ud800", {"orders": 1}], "orders": [], "cash_movements": [1 , 2]}')
    assert (envelope.orders, envelope.movements) == ([], [b"1", b"2"])


def test_of_two_lists_with_one_name_the_last_counts():
    assert decode(b'{"orders": [1], "orders": [2, 3]}').orders == [b"2", b"3"]
    assert decode(b'{"orders": 5, "orders": [2]}').orders == [b"2"]
    assert decode(b'{"orders": ["\\ud800"], "orders": [2]}').orders == [b"2"]
    with pytest.raises(EnvelopeInvalid):
        decode(b'{"orders": [1], "orders": null}')


def test_a_name_may_be_escaped():
    assert decode(b'{"\\u006frders": [1]}').orders == [b"1"]
    assert decode(b'{"x": "\\ud800", "\\u006frders": [1]}').orders == [b"1"]


def test_more_members_than_a_batch_may_have_are_told_apart_by_list():
    body = b'{"orders": [1, 2], "cash_movements": [1, 2, 3]}'
    assert len(decode_batch(body, max_orders=3).movements) == 3
    with pytest.raises(TooManyOrders) as refused:
        decode_batch(body, max_orders=2)
    assert (refused.value.pointer, refused.value.count, refused.value.limit) == ("/cash_movements", 3, 2)
    with pytest.raises(TooManyOrders, match="at most 1"):
        decode_batch(body, max_orders=1)


@pytest.mark.parametrize(
    "value", ['"yesterday"', '"2026-03-01T11:02:00"', '"9999-01-01T00:00:00Z"', "5", "null", "{}", '"\\ud800"']
)
def test_an_unreadable_time_of_sending_is_ignored(value):
    assert decode(f'{{"sent_at": {value}, "orders": [1]}}'.encode()).orders == [b"1"]


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=15,
)


@given(
    members=st.lists(json_values, max_size=4),
    extra=st.dictionaries(st.text(max_size=8), json_values, max_size=2),
    ascii_only=st.booleans(),
    indent=st.one_of(st.none(), st.integers(0, 3)),
    on_slow_road=st.booleans(),
)
def test_whatever_the_members_are_they_are_found_whole(members, extra, ascii_only, indent, on_slow_road):
    envelope = {**extra, "orders": members}
    if on_slow_road:
        envelope["zz"] = "LONE"
    text = json.dumps(envelope, ensure_ascii=ascii_only, indent=indent).replace("LONE", "\\ud800")
    found = decode(text.encode("utf-8", "surrogatepass") if ascii_only else text.encode())
    assert [json.loads(member) for member in found.orders] == members


@given(st.binary(max_size=60))
def test_no_bytes_crash_it(body):
    try:
        decode(body)
    except (BodyMalformed, EnvelopeInvalid):
        pass
    else:
        assert isinstance(json.loads(body), dict)
