"""Clients that are slow, silent or malicious: others are served meanwhile, and memory stays flat."""

import gzip
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from tests.conftest import RunningStack
from tests.journeys.http_till import HttpTill, a_store_code, eventually
from tests.till import a_sale

assert ssl  # imported before sockets are counted
MEBIBYTE = 1024 * 1024


@pytest.fixture
def till(stack: RunningStack) -> HttpTill:
    till = HttpTill(stack, a_store_code(stack))
    till.open()
    return till


def a_request(till: HttpTill, *, length: int, **headers: str) -> bytes:
    lines = [
        f"PUT /api/v1/shifts/{till.shift_id}/batches/{uuid4()} HTTP/1.1",
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


@pytest.fixture
def crowd(stack: RunningStack, till: HttpTill) -> Iterator[list[socket.socket]]:
    """Sixty-four connections at once: idle ones, slow headers, and uploads whose body never comes."""
    with ExitStack() as stack_of_sockets:
        sockets = [stack_of_sockets.enter_context(connect(stack)) for _ in range(64)]
        for place, one in enumerate(sockets):
            if place % 3 == 1:
                one.sendall(b"GET /api/v1/terminal HTTP/1.1\r\nHost: local")
            elif place % 3 == 2:
                one.sendall(a_request(till, length=4 * MEBIBYTE) + b'{"orders": [')
        yield sockets


@pytest.mark.usefixtures("crowd")
def test_a_well_behaved_till_is_served_beside_64_hostile_clients(till: HttpTill) -> None:
    waited = []
    for number in range(1001, 1031):
        began = time.perf_counter()
        answer = till.upload(a_sale(number), Prefer="wait=5")
        waited.append(time.perf_counter() - began)
        assert answer.status_code == 200
    assert max(waited) < 1.0


@pytest.mark.usefixtures("crowd")
def test_uploads_whose_body_never_comes_hold_no_database_connection(stack: RunningStack) -> None:
    with psycopg.connect(stack.environment["DATABASE_URL"]) as watcher:
        (busy,) = watcher.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'backoffice-web' AND state <> 'idle'"
        ).fetchone()
    assert busy == 0


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
    assert answer.json()["limits"]["max_decoded_bytes"] == 32 * MEBIBYTE
    grown = max(peak_memory_kib(pid) - before[pid] for pid in before)
    assert grown < 100 * 1024
    assert till.upload(a_sale(1001), Prefer="wait=5").status_code == 200


def test_a_body_that_arrives_too_slowly_is_answered_408(stack: RunningStack, till: HttpTill) -> None:
    with connect(stack) as one:
        one.settimeout(60)
        one.sendall(a_request(till, length=1000))
        answer = eventually(lambda: one.recv(4096), bool, patience_s=60)
    assert b" 408 " in answer.split(b"\r\n")[0]
    assert b"body-timeout" in answer
