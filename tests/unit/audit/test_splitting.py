"""Large bodies are split member by member, with the same result as small ones and a fraction of the memory."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.audit.reading import ReadingError, read_batch_body
from backoffice.audit.splitting import MAX_MEMBER_BYTES, Piece, parse_large, split_body

PADDING = '"x": "' + "y" * MAX_MEMBER_BYTES + '"'

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=10,
)


def pieces(body: bytes) -> list[tuple[str, int, Piece]]:
    return split_body(body, lambda *found: found)


@given(members=st.lists(values, max_size=4), movements=st.lists(values, max_size=2), indent=st.sampled_from([None, 1]))
def test_a_large_body_has_the_members_of_a_small_one(members: list[Any], movements: list[Any], indent: int) -> None:
    small = json.dumps({"x": 0, "orders": members, "cash_movements": movements}, indent=indent)
    large = small.replace('"x": 0', PADDING, 1).encode()
    assert [(what, place, piece.value) for what, place, piece in pieces(large)] == [
        *(("order", place, value) for place, value in enumerate(members)),
        *(("movement", place, value) for place, value in enumerate(movements)),
    ]
    assert pieces(small.encode()) == pieces(large)


def test_of_two_lists_with_one_name_the_last_counts() -> None:
    body = f'{{"orders": [1, 2], "orders": 5, "\\u006frders": [3], {PADDING}}}'.encode()
    assert pieces(body) == [("order", 0, Piece(3, None))]


@pytest.mark.parametrize("letter", ["y", "é", "\U0001f956"])
def test_a_member_above_the_limit_comes_as_bytes(letter: str) -> None:
    fits = json.dumps(letter, ensure_ascii=False)[:-1] + "y" * (MAX_MEMBER_BYTES - 2 - len(letter.encode())) + '"'
    large = fits[:-1] + 'y"'
    found = pieces(f'{{"orders": [{large} , {fits},{large}, 1{"0" * 5000}]}}'.encode())
    assert [piece.large for _, _, piece in found] == [large.encode(), None, large.encode(), None]
    assert [piece.value for _, _, piece in found] == [None, json.loads(fits), None, float("inf")]
    assert parse_large(large.encode()) == json.loads(large)


@pytest.mark.parametrize(
    "body",
    [
        f"[{{{PADDING}}}]",
        f'{{{PADDING}, "orders": {{}}}}',
        f'{{{PADDING}, "orders": [1, ]}}',
        f'{{{PADDING}, "orders": [1 2]}}',
        f'{{{PADDING}, "orders": [1]',
        f'{{{PADDING}, "orders" [1]}}',
        f"{{{PADDING}, 1: [1]}}",
        f"{{{PADDING}}} x",
        f"{{{PADDING}, }}",
        f'{{{PADDING}, "z": NaN}}',
        f'{{{PADDING}, "orders": ["{"x" * MAX_MEMBER_BYTES}]}}',
    ],
)
def test_what_is_no_batch_is_said_to_be_none(body: str) -> None:
    with pytest.raises(ReadingError):
        pieces(body.encode())
    small = body.replace("y" * MAX_MEMBER_BYTES, "").replace("x" * MAX_MEMBER_BYTES, "")
    with pytest.raises(ReadingError):
        read_batch_body(small.encode())


def test_one_member_at_a_time_is_a_value() -> None:
    member = '[{"":0}' + ',{"":0}' * 30_000 + "]"
    body = f'{{"orders": [{",".join([member] * 5)}]}}'.encode()
    tracemalloc.start()
    split_body(body, lambda _what, _position, piece: len(piece.value))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 25 * len(body)
