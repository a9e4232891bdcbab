"""Clients that are slow, silent or malicious: others are served meanwhile, and memory stays flat."""

import gzip
import json
import re
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.conftest import RunningStack
from tests.journeys.http_till import HttpTill, a_store_code, eventually
from tests.till import a_sale

assert ssl  # imported before sockets are counted
MEBIBYTE = 1024 * 1024
# What ninety-nine of a hundred live orders of a till beside them take at most; 0.02 to 0.16 s on two busy cores.
PATIENCE_S = 1.0


@pytest.fixture
def till(stack: RunningStack) -> HttpTill:
    till = HttpTill(stack, a_store_code(stack))
    till.open()
    return till


def a_request(till: HttpTill, *, length: int, batch_id: str | None = None, **headers: str) -> bytes:
    lines = [
        f"PUT /api/v1/shifts/{till.shift_id}/batches/{batch_id or uuid4()} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {till.token}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def connect(stack: RunningStack) -> socket.socket:
    address = urlsplit(stack.base_url)
    return socket.create_connection((address.hostname or "", address.port or 0), timeout=30)


def idle(one: socket.socket, till: HttpTill) -> None:
    """Connects, and says nothing."""


def slow_headers(one: socket.socket, till: HttpTill) -> None:
    one.sendall(b"GET /api/v1/terminal HTTP/1.1\r\nHost: local")


def slow_body(one: socket.socket, till: HttpTill) -> None:
    one.sendall(a_request(till, length=4 * MEBIBYTE) + b'{"orders": [')


def half_open(one: socket.socket, till: HttpTill) -> None:
    """Has closed its own side in the middle of a body, and leaves the other open."""
    one.sendall(a_request(till, length=1000) + b'{"orders": [')
    one.shutdown(socket.SHUT_WR)


def never_reads(one: socket.socket, till: HttpTill) -> None:
    """Asks for the same large page again and again, and takes none of the answers."""
    one.setblocking(False)
    with suppress(BlockingIOError):
        one.sendall(b"GET /api/schema/ HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50)
    one.setblocking(True)


KINDS = (idle, slow_headers, slow_body, half_open, never_reads)
DRIPPING = (slow_headers, slow_body)


@pytest.fixture
def crowd(stack: RunningStack, till: HttpTill) -> Iterator[list[socket.socket]]:
    """Sixty-four connections at once, of every kind; the slow ones send a byte now and then."""
    gone = threading.Event()
    with ExitStack() as stack_of_sockets:
        sockets = [stack_of_sockets.enter_context(connect(stack)) for _ in range(64)]
        kinds = [KINDS[place % len(KINDS)] for place in range(len(sockets))]
        for one, kind in zip(sockets, kinds, strict=True):
            kind(one, till)

        def drip() -> None:
            while not gone.wait(0.2):
                for one, kind in zip(sockets, kinds, strict=True):
                    if kind in DRIPPING:
                        with suppress(OSError):  # the service has had enough of it
                            one.sendall(b" ")

        dripping = threading.Thread(target=drip)
        dripping.start()
        stack_of_sockets.callback(dripping.join)
        stack_of_sockets.callback(gone.set)
        yield sockets


@pytest.fixture
def flood(stack: RunningStack) -> Iterator[Counter[int]]:
    """Sixteen clients that ask without a pause: half of them nobody, half of them one terminal. What they were told."""
    flooder = HttpTill(stack, a_store_code(stack), name="Flooder")
    gone, told = threading.Event(), Counter()

    def ask(token: str | None) -> None:
        with httpx.Client(base_url=stack.base_url, timeout=30, headers={"Authorization": f"Bearer {token}"}) as client:
            while not gone.is_set():
                told[client.get("/api/v1/terminal").status_code] += 1

    with ThreadPoolExecutor(16) as pool:
        asking = [pool.submit(ask, token) for token in ["nobody", flooder.token] * 8]
        try:
            yield told
        finally:
            gone.set()
            for each in asking:
                each.result(timeout=60)


def p99_of(till: HttpTill, numbers: range) -> float:
    """Seconds within which ninety-nine of a hundred live orders were answered; all of them were posted."""
    waited = []
    for number in numbers:
        began = time.perf_counter()
        answer = till.upload(a_sale(number), Prefer="wait=5")
        waited.append(time.perf_counter() - began)
        assert answer.status_code == 200
    return sorted(waited)[len(waited) * 99 // 100 - 1]


@pytest.mark.usefixtures("crowd")
def test_a_well_behaved_till_is_served_beside_64_hostile_clients(till: HttpTill) -> None:
    assert p99_of(till, range(1001, 1101)) < PATIENCE_S


def test_a_well_behaved_till_is_served_beside_a_flood(till: HttpTill, flood: Counter[int]) -> None:
    eventually(lambda: flood.total() > 1_000, bool)
    assert p99_of(till, range(1001, 1101)) < PATIENCE_S
    assert set(flood) <= {200, 401, 429}


def test_who_does_not_finish_its_headers_is_sent_away(stack: RunningStack, till: HttpTill) -> None:
    with connect(stack) as slow:
        slow_headers(slow, till)
        slow.settimeout(60)
        with suppress(ConnectionResetError):
            answer = slow.recv(4096)
            assert answer == b"" or b" 408 " in answer.split(b"\r\n")[0]


@pytest.mark.usefixtures("crowd")
def test_uploads_whose_body_never_comes_hold_no_database_connection(stack: RunningStack) -> None:
    busy = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'backoffice-web' AND state <> 'idle'"
    with psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True) as watcher:
        # What was asked before may still be at work for a moment; what waits for a body would hold one until its time is up.
        eventually(lambda: watcher.execute(busy).fetchone(), lambda found: found == (0,), patience_s=3)


def test_a_client_that_goes_away_in_the_middle_leaves_nothing_behind(stack: RunningStack, till: HttpTill) -> None:
    batch_id = str(uuid4())
    head = a_request(till, length=1000).replace(b"batches/", b"batches/" + batch_id.encode() + b"?", 1)
    with connect(stack) as one:
        one.sendall(head + b'{"orders": []')
    assert till.upload(a_sale(1001), Prefer="wait=5").status_code == 200
    assert till.send("GET", f"batches/{batch_id}").status_code == 404


def peak_memory_kib(pid: int) -> int:
    """The most memory that a process ever held."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1])


def web_processes(stack: RunningStack) -> list[int]:
    pid = stack.pids["web"]
    return [pid, *(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def test_a_gzip_bomb_stops_at_the_cap_with_memory_flat(stack: RunningStack, till: HttpTill) -> None:
    bomb = gzip.compress(bytes(1024 * MEBIBYTE), compresslevel=9)
    assert len(bomb) < 4 * MEBIBYTE
    before = {pid: peak_memory_kib(pid) for pid in web_processes(stack)}
    answer = till.upload(raw=bomb, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 413
    assert answer.json()["limits"]["max_decoded_bytes"] == 8 * MEBIBYTE
    grown = max(peak_memory_kib(pid) - before[pid] for pid in before)
    assert grown < 100 * 1024
    assert till.upload(a_sale(1001), Prefer="wait=5").status_code == 200


def answer_to(one: socket.socket, request: bytes) -> tuple[int, str, dict]:
    """Status, media type and message of what a request is answered, whatever the server makes of the connection then."""
    one.sendall(request)
    answer = HTTPResponse(one)
    answer.begin()
    return answer.status, answer.headers["Content-Type"], json.loads(answer.read())


def test_a_body_that_is_too_large_is_413_before_any_of_it_is_sent(stack: RunningStack, till: HttpTill) -> None:
    with connect(stack) as one:
        status, media, problem = answer_to(one, a_request(till, length=5 * MEBIBYTE))
    assert (status, media) == (413, "application/problem+json")
    assert problem["type"].endswith("/too-large")
    assert problem["limits"] == {
        "max_batch_orders": 2000,
        "max_batch_bytes": 4 * MEBIBYTE,
        "max_decoded_bytes": 8 * MEBIBYTE,
        "max_member_bytes": 256 * 1024,
    }


def test_a_body_in_chunks_that_does_not_say_how_long_it_is_is_411(stack: RunningStack, till: HttpTill) -> None:
    batch_id, body = str(uuid4()), json.dumps({"orders": [a_sale(1001)]}).encode()
    head = re.sub(rb"Content-Length: \d+", b"Transfer-Encoding: chunked", a_request(till, length=0, batch_id=batch_id))
    with connect(stack) as one:
        status, media, problem = answer_to(one, head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
    assert (status, media) == (411, "application/problem+json")
    assert problem["type"].endswith("/length-required")
    assert till.send("GET", f"batches/{batch_id}").status_code == 404


def test_a_body_that_arrives_too_slowly_is_answered_408(stack: RunningStack, till: HttpTill) -> None:
    with connect(stack) as one:
        one.settimeout(60)
        one.sendall(a_request(till, length=1000))
        answer = eventually(lambda: one.recv(4096), bool, patience_s=60)
    assert b" 408 " in answer.split(b"\r\n")[0]
    assert b"body-timeout" in answer


@pytest.mark.parametrize(
    ("query", "answered"), [(b"\xc3\xa9", b"HTTP/1.1 200 OK\r\n"), (b"\xff", b"HTTP/1.1 400 Bad Request\r\n")]
)
def test_bytes_that_should_not_be_in_a_head_are_no_error_of_ours(
    stack: RunningStack, till: HttpTill, query: bytes, answered: bytes
) -> None:
    with connect(stack) as one:
        authorization = f"Authorization: Bearer {till.token}".encode()
        lines = [b"GET /api/v1/terminal?" + query + b" HTTP/1.1", b"Host: localhost", b"X-Odd: \xff\xfe", authorization]
        one.sendall(b"\r\n".join(lines) + b"\r\nConnection: close\r\n\r\n")
        assert one.makefile("rb").readline() == answered


def test_a_header_with_an_underscore_does_not_pass_for_the_one_with_a_dash(stack: RunningStack) -> None:
    said = {
        name: httpx.get(f"{stack.base_url}/livez", headers={name: "mine"}) for name in ("X-Request-ID", "X_Request_ID")
    }
    assert {name: answer.headers["X-Request-ID"] == "mine" for name, answer in said.items()} == {
        "X-Request-ID": True,
        "X_Request_ID": False,
    }
