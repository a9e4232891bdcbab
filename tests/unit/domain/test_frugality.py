"""What is only passed on is not built: a body costs a few times its bytes, not sixty times."""

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from backoffice.domain.wire.envelope import EnvelopeInvalid, TooManyOrders, decode_batch, decode_object
from backoffice.domain.wire.members import read_order
from tests.unit.domain.builders import raw, wire_order

SIZE, TIMES = 1_200_000, 4
LONE = b'"\\ud800"'


@pytest.fixture
def peak() -> Iterator[Callable[[], int]]:
    """The most bytes that were held since the test began."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()


def filled(unit: bytes) -> bytes:
    return unit * (SIZE // len(unit))


BODIES = {
    "objects beside what msgspec cannot split": b'{"orders":[%b],"x":[%b0]}' % (LONE, filled(b'{"":0},')),
    "objects in a member": b'{"orders":[[%b,%b0]]}' % (LONE, filled(b'{"":0},')),
    "lists in a member": b'{"orders":[[%b,%b0]]}' % (LONE, filled(b"[],")),
    "fields": b'{"x":%b,%b"orders":[]}' % (LONE, filled(b'"":0,')),
    "members": b'{"orders":[%b0]}' % filled(b"0,"),
    "lists of members": b'{"x":%b,%b"orders":[]}' % (LONE, filled(b'"orders":[],')),
    "halves of pairs": b'{"orders":["%b"]}' % filled(b"\\ud800"),
    "brackets in texts": b'{"orders":["]"],"x":[%b0]}' % filled(b'"[",'),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("is_checked", [False, True])
def test_splitting_a_body_costs_a_few_times_its_bytes(peak: Callable[[], int], body: bytes, is_checked: bool) -> None:
    with suppress(TooManyOrders):
        decode_batch(body, max_orders=2000, is_checked=is_checked)
    assert peak() < TIMES * len(body)


def test_a_message_with_more_values_than_any_has_is_refused_unread(peak: Callable[[], int]) -> None:
    body = b'{"x":[%b0]}' % filled(b'{"":0},')
    with pytest.raises(EnvelopeInvalid) as refused:
        decode_object(body)
    assert refused.value.pointer == ""
    assert peak() < TIMES * len(body)


def test_a_member_that_is_too_large_is_not_built(peak: Callable[[], int]) -> None:
    member = b"[%b0]" % filled(b'{"":0},')
    read_order(member)
    assert peak() < TIMES * len(member)


def test_of_an_order_with_a_large_customer_little_is_kept(peak: Callable[[], int]) -> None:
    customer = b'{"x":[%b0]}' % (b'{"":0},' * 30_000)
    order = raw(wire_order(customer="C")).replace(b'"C"', customer)
    kept = read_order(order)
    assert peak() > 20 * len(order)
    assert tracemalloc.get_traced_memory()[0] < 6 * len(order), "two of which this test holds itself"
    assert str(kept.customer) == customer.decode()
