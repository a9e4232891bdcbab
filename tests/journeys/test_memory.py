"""Bodies made to be large as Python's objects: what they cost each process, alone and ten at once."""

import gzip
import json
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conftest import RunningStack
from tests.journeys.http_till import HttpTill, a_store_code, eventually
from tests.till import a_sale

KIB, MIB = 1024, 1024 * 1024
DECODED = 8 * MIB - 4 * KIB
"""Just below the limit of a body."""
MEMBER = 255 * KIB
FOR_ONE, FOR_TEN = 300 * MIB, 500 * MIB
PATIENCE_S = 300.0
OBJECTS, LISTS, LONE = b'{"":0},', b"[],", b'"\\ud800"'


def filled(unit: bytes, size: int) -> bytes:
    return unit * (size // len(unit))


def unknown_field() -> bytes:
    """What msgspec cannot split, beside what is costly to build."""
    return b'{"orders":[%b],"x":[%b0]}' % (LONE, filled(OBJECTS, DECODED))


def one_member() -> bytes:
    return b'{"orders":[[%b,%b0]]}' % (LONE, filled(OBJECTS, DECODED))


def no_members() -> bytes:
    """Millions of members, which are too many."""
    return b'{"orders":[%b0]}' % filled(b"0,", DECODED)


def fields() -> bytes:
    return b'{"x":%b,%b"orders":[]}' % (LONE, filled(b'"":0,', DECODED))


def brackets_in_texts() -> bytes:
    return b'{"orders":["]"],"x":[%b0]}' % filled(b'""  ,', DECODED)


def members_of_lists() -> bytes:
    member = b"[%b0]" % filled(LISTS, MEMBER)
    return b'{"orders":[%b]}' % b",".join([member] * (DECODED // len(member)))


def members_of_objects() -> bytes:
    """Each is as large as may be read, and only the slow road can read it."""
    member = b"[%b,%b0]" % (LONE, filled(OBJECTS, MEMBER))
    return b'{"orders":[%b]}' % b",".join([member] * (DECODED // len(member)))


def customers() -> bytes:
    """Orders that are posted, each with a customer that is costly to build."""
    customer = {"x": [{"": 0}] * (MEMBER // 8)}
    orders = [
        json.dumps(a_sale(number, customer=customer), separators=(",", ":")).encode()
        for number in range(1001, 1001 + DECODED // (MEMBER + KIB))
    ]
    return b'{"orders":[%b]}' % b",".join(orders)


def lines() -> bytes:
    """As many lines as go into a body, of orders that are posted."""
    line = {"quantity": "1", "unit_price": 1, "amount": 1}
    orders = []
    size = number = 0
    while size < DECODED - 24 * KIB and number < 1900:
        paid = [{"method": "cash", "amount": 400}]
        order = a_sale(1001 + number, lines=[line] * 400, total=400, payments=paid)
        orders.append(json.dumps(order, separators=(",", ":")).encode())
        size += len(orders[-1]) + 1
        number += 1
    return b'{"orders":[%b]}' % b",".join(orders)


def small_members() -> bytes:
    orders = [json.dumps(a_sale(1001 + number, x="y" * 3_500)).encode() for number in range(2000)]
    return b'{"orders":[%b]}' % b",".join(orders)


BODIES: Mapping[str, Callable[[], bytes]] = {
    body.__name__: body
    for body in (
        unknown_field,
        one_member,
        no_members,
        fields,
        brackets_in_texts,
        members_of_lists,
        members_of_objects,
        customers,
        lines,
        small_members,
    )
}


def batches() -> bytes:
    """A close with more batches than any shift has."""
    return b'{"batches":[%b0]}' % filled(b'"01953a3e-0000-7000-8000-000000000001",', DECODED)


def methods() -> bytes:
    names = b",".join(b'"%07d":0' % number for number in range(DECODED // 12))
    return b'{"totals":{"payments":{%b}}}' % names


def objects() -> bytes:
    return b'{"x":[%b0]}' % filled(OBJECTS, DECODED)


CLOSES: Mapping[str, Callable[[], bytes]] = {body.__name__: body for body in (batches, methods, objects)}


def kib_of(pid: int, what: str) -> int:
    found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1])


def descendants(pid: int) -> list[int]:
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [pid, *(each for child in children for each in descendants(child))]


@contextmanager
def within(stack: RunningStack, limit: int) -> Iterator[None]:
    """Fails the test where a process of web or worker ended, or held more than `limit` bytes more than before."""
    before: dict[int, int] = {}
    for role in ("web", "worker"):
        for pid in descendants(stack.pids[role]):
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak is counted anew
            before[pid] = kib_of(pid, "VmRSS")
    yield
    grown = {pid: (kib_of(pid, "VmHWM") - was) * KIB for pid, was in before.items()}
    assert max(grown.values()) < limit, {pid: f"{each // MIB} MiB" for pid, each in grown.items()}


@pytest.fixture(scope="module")
def tills(stack: RunningStack) -> list[HttpTill]:
    store = a_store_code(stack)
    # One that has sent such a body waits before the next (ADR 32): each is sent by another.
    tills = [HttpTill(stack, store, name=f"Till {number}") for number in range(2 * len(BODIES) + len(CLOSES))]
    for till in tills:
        till.http.timeout = PATIENCE_S
        till.open()
    return tills


def send(till: HttpTill, body: bytes) -> None:
    """Sends a batch again while there is no room for it, and sees it processed where it was taken."""
    batch_id, packed = str(uuid4()), gzip.compress(body, 6)

    def put() -> int:
        return int(till.upload(raw=packed, batch_id=batch_id, **{"Content-Encoding": "gzip"}).status_code)

    status = eventually(put, lambda status: status != 503, patience_s=PATIENCE_S)
    assert status in {202, 413}
    if status == 202:
        eventually(lambda: till.receipt(batch_id), lambda found: found["state"] == "processed", patience_s=PATIENCE_S)


@pytest.mark.parametrize("name", BODIES)
def test_one_body_costs_no_process_more_than_300_mib(stack: RunningStack, tills: list[HttpTill], name: str) -> None:
    body = BODIES[name]()
    assert len(body) <= 8 * MIB
    with within(stack, FOR_ONE):
        send(tills[list(BODIES).index(name)], body)


@pytest.mark.parametrize("name", CLOSES)
def test_one_close_costs_no_process_more_than_300_mib(stack: RunningStack, tills: list[HttpTill], name: str) -> None:
    till = tills[len(BODIES) + list(CLOSES).index(name)]
    body, path = gzip.compress(CLOSES[name](), 6), f"shifts/{till.shift_id}/close"
    with within(stack, FOR_ONE):
        answer = till.send("PUT", path, raw=body, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 422


def test_ten_bodies_at_once_cost_no_process_more_than_500_mib(stack: RunningStack, tills: list[HttpTill]) -> None:
    bodies = [body() for body in BODIES.values()]
    assert len(bodies) == 10
    with within(stack, FOR_TEN), ThreadPoolExecutor(len(bodies)) as pool:
        list(pool.map(send, tills[-len(bodies) :], bodies))
