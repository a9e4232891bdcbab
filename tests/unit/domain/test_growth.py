"""Twice the bytes take at most two and a half times the time, whatever is repeated in them and whoever reads them."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.cycle_collector import YOUNG_OBJECTS
from backoffice.domain.wire.envelope import BodyMalformed, EnvelopeInvalid, TooManyOrders, decode_batch
from backoffice.domain.wire.members import read_movement, read_order
from backoffice.domain.wire.messages import read_close_shift, read_heartbeat
from tests.unit.domain.builders import raw, wire_movement, wire_order

SIZE, MOST_TRIES, AT_MOST = 60_000, 4, 2.5
GRACE_S = 0.003
"""What a measurement may be off by: of the shortest the clock's own grain is a part."""

VALUES = [
    b"0", b"-1.5e9", b"1e400", b"9" * 400, b"null", b"[]", b"{}", b"[[]]", b'{"":0}', b'{"a":[{"a":[]}]}', b'""',
    b'"]"', b'"["', b'"{"', b'"\\ud800"', b'"\\\\"', b'"\\u0000"', b'{"\\ud800":1}', b'{"a":1,"a":2}', b"[" * 25 + b"]" * 25,
    b'"01953a3e-0000-7000-8000-000000000001"', b'"4111111111111111"', b'"2026-03-01T10:00:00Z"', b'{"order_id":"0195"}',
]  # fmt: skip
FRAGMENTS = [
    b"a", b" ", b"0", b"1", b"-", b".", b"e", b"1e9", b"e000", b"[", b"]", b"{", b"}", b",", b":", b'\\"', b"\\\\", b"\\/",
    b"\\n", b"\\u0000", b"\\ud800", b"\\udc00", b"\\ud83d\\ude00", b"\\u0030", "é".encode(), "😀".encode(), b'"', b"\\", b"\\u",
]  # fmt: skip
NAMES = [b'""', b'"a"', b'"orders"', b'"cash_movements"', b'"order_id"', b'"\\u006frders"', b'"\\ud800"', b'"payments"']

units = st.lists(st.sampled_from(VALUES), min_size=1, max_size=3).map(b",".join)
texts = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=4).map(b"".join)
fields = st.tuples(st.sampled_from(NAMES), st.sampled_from([*VALUES, b'["\\ud800"]', b"[0]"])).map(b":".join)
patterns = st.one_of(
    st.tuples(st.just(b"["), units, st.just(b","), st.just(b"0]")),
    st.tuples(st.just(b"{"), fields, st.just(b","), st.just(b'"z":0}')),
    st.tuples(st.just(b'"'), texts, st.just(b""), st.just(b'"')),
    st.tuples(st.just(b""), texts, st.just(b""), st.just(b"")),
)
Pattern = tuple[bytes, bytes, bytes, bytes]


def written(pattern: Pattern, size: int) -> bytes:
    """About `size` bytes with the pattern's second part again and again."""
    begin, unit, between, end = pattern
    return begin + (unit + between) * (size // len(unit + between)) + end


def beside(message: dict[str, Any], name: str, value: bytes) -> bytes:
    """The message with one field more, or another value in one it has."""
    rest = {key: value for key, value in message.items() if key != name}
    return b'%b,"%b":%b}' % (raw(rest)[:-1], name.encode(), value)


def batch(value: bytes) -> None:
    decode_batch(value, max_orders=2000)


def stored(value: bytes) -> None:
    decode_batch(b'{"x":%b,"orders":[%b]}' % (value, value), max_orders=2000, is_checked=True)


def close(value: bytes) -> None:
    with suppress(BodyMalformed, EnvelopeInvalid):
        read_close_shift(b'{"totals":{"payments":%b}}' % value)
    read_close_shift(b'{"batches":%b}' % value)


READERS: dict[str, Callable[[bytes], Any]] = {
    "a batch": batch,
    "its orders": lambda value: batch(b'{"orders":%b}' % value),
    "beside its orders": lambda value: batch(b'{"orders":["\\ud800"],"x":%b}' % value),
    "a stored batch": stored,
    "a member": read_order,
    "an order with a field more": lambda value: read_order(beside(wire_order(), "x", value)),
    "an order's customer": lambda value: read_order(beside(wire_order(), "customer", value)),
    "an order's lines": lambda value: read_order(beside(wire_order(), "lines", value)),
    "an order's identifier": lambda value: read_order(beside(wire_order(), "order_id", value)),
    "a cash movement": lambda value: read_movement(beside(wire_movement(), "x", value)),
    "a close": close,
    "a heartbeat": read_heartbeat,
}


@pytest.fixture(autouse=True)
def as_in_production() -> Iterator[None]:
    """The cycle collector as the service has it; what this process has loaded is none of its business."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 100)
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def seconds_of(read: Callable[[bytes], Any], value: bytes) -> float:
    """The processor's time for one reading, the best of three."""
    found = []
    for _ in range(3):
        began = time.thread_time()
        # A member nested deeper than the door takes never comes as far as these readers.
        with suppress(BodyMalformed, EnvelopeInvalid, TooManyOrders, ValueError, RecursionError):
            read(value)
        found.append(time.thread_time() - began)
    return min(found)


def grows_too_fast(read: Callable[[bytes], Any], pattern: Pattern) -> str | None:
    """What says so, at sizes that double: another measurement must find the same."""
    size = SIZE
    for _ in range(MOST_TRIES):
        once, twice = (seconds_of(read, written(pattern, many * size)) for many in (1, 2))
        if twice <= AT_MOST * once + GRACE_S:
            return None
        size *= 2
    return f"{once * 1000:.0f} ms become {twice * 1000:.0f} ms"


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pattern=patterns)
def test_twice_the_bytes_take_at_most_two_and_a_half_times_the_time(reader: str, pattern: Pattern) -> None:
    assert grows_too_fast(READERS[reader], pattern) is None


@pytest.mark.parametrize("unit", [b'{"":0}', b"[]", b'"\\ud800"', b'"]"', b"9" * 400, b'"\\\\"'])
@pytest.mark.parametrize("reader", READERS)
def test_neither_do_the_patterns_that_are_costly(reader: str, unit: bytes) -> None:
    assert grows_too_fast(READERS[reader], (b"[", unit, b",", b"0]")) is None


def test_what_grows_with_the_square_is_found() -> None:
    def squared(value: bytes) -> None:
        for _ in range(len(value) // 3_000):
            sum(value)

    assert grows_too_fast(squared, (b"", b"a", b"", b"")) is not None
