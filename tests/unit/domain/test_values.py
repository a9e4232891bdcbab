"""JSON values as such, and that nothing hostile costs more than its length."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.domain.json_values import NotJson, canonical_json, find_uncarriable, parse, pointer_to
from backoffice.domain.orders import Unreadable
from backoffice.domain.wire.conversion import MAX_DETAIL
from backoffice.domain.wire.envelope import BodyMalformed, decode_batch
from backoffice.domain.wire.members import read_order
from tests.unit.domain.builders import raw, wire_order


def test_a_text_nested_deeper_than_the_interpreter_can_follow_is_not_json():
    with pytest.raises(NotJson, match="Nested too deeply"):
        parse("[" * 100_000)


def test_a_pointer_escapes_what_pointers_are_made_of():
    assert pointer_to("a/b", 0, "m~n", "") == "/a~1b/0/m~0n/"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "1.0"),
        ("1", "1e0"),
        ("0", "-0.0"),
        ("100", "1e2"),
        ('{"a":1,"b":2}', '{"b":2,"a":1}'),
        ('"\\u00e9"', '"é"'),
    ],
)
def test_two_spellings_of_a_value_are_one(one, other):
    assert canonical_json(parse(one)) == canonical_json(parse(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [("1", '"1"'), ("1", "true"), ("0", "false"), ("null", "0"), ("[]", "{}"), ("[1,2]", "[2,1]"), ("1e400", "1e401"),
     ("9007199254740992", "9007199254740993"), ("0.1", "0.2"), ('"a"', '"A"'), ('"\\ud800"', '"\\ud801"')],
)  # fmt: skip
def test_two_values_are_two(one, other):
    assert canonical_json(parse(one)) != canonical_json(parse(other))


@given(st.text())
def test_texts_without_nul_or_surrogates_are_carried(text):
    assert (find_uncarriable(text) is None) == ("\0" not in text)


def test_a_refusal_does_not_repeat_all_it_was_given():
    order = read_order(raw(wire_order(mode="x" * 100_000)))
    assert isinstance(order, Unreadable)
    assert len(order.reasons[0].detail) <= MAX_DETAIL


SIZE = 2_000_000
SLOW = {
    "a text of escaped quotes that never ends": b'{"x":"' + b"[" * 40 + b'\\"' * (SIZE // 2),
    "a text of quotes": b'{"x":"[' + b'","x":"[' * (SIZE // 8),
    "flat brackets": b'{"orders":[' + b"[]," * (SIZE // 3) + b"[]]}",
    "wide nests": b'{"orders":[' + b",".join([b"[" * 30 + b"]" * 30] * (SIZE // 61)) + b"]}",
    "an endless number": b'{"orders":[' + b"9" * SIZE + b"]}",
    "an endless fraction": b'{"orders":[{"total":0.' + b"9" * SIZE + b'}], "x": "\\ud800"}',
    "an endless exponent": b'{"orders":[{"total":1e' + b"9" * SIZE + b'}], "x": "\\ud800"}',
    "runs of digits": b'{"orders":[{"total":' + b"0," * 0 + b'"' + (b"9" * 308 + b"x") * (SIZE // 309) + b'"}]}',
    "many surrogates": b'{"orders":["' + b"\\ud800" * (SIZE // 6) + b'"]}',
    "many names": b'{"orders":[{' + b",".join(b'"k%d":1' % index for index in range(SIZE // 12)) + b"}]}",
}


@pytest.mark.parametrize("body", SLOW.values(), ids=SLOW.keys())
def test_a_hostile_body_costs_no_more_than_its_length(body):
    began = time.process_time()
    try:
        envelope = decode_batch(body, max_orders=10**9)
    except BodyMalformed:
        envelope = None
    for member in (envelope.orders if envelope else [])[:5]:
        assert isinstance(read_order(member), Unreadable)
    # Two megabytes take well under a second; anything quadratic would take minutes.
    assert time.process_time() - began < 10


def test_what_is_canonical_is_json():
    assert json.loads(canonical_json({"b": [1.0, None], "a": "é"})) == {"a": "é", "b": [1, None]}
