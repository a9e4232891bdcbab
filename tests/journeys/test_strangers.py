"""Whoever is no terminal costs the terminals nothing: no memory, no thread, no connection, no time."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.conftest import RunningStack
from tests.journeys.http_till import HttpTill, a_store_code, eventually
from tests.journeys.test_hostile_clients import PATIENCE_S, connect, web_processes
from tests.till import a_sale

KIBIBYTE = 1024
FULL_BATCH = 4 * KIBIBYTE * KIBIBYTE
ESTABLISHED = "01"
LARGE_FILE = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"


@pytest.fixture
def till(stack: RunningStack) -> HttpTill:
    till = HttpTill(stack, a_store_code(stack))
    till.open()
    return till


def memory_kib(stack: RunningStack) -> int:
    """What the web role's processes hold now, all together."""
    pages = [Path(f"/proc/{pid}/status").read_text() for pid in web_processes(stack)]
    return sum(int(found[1]) for page in pages if (found := re.search(r"VmRSS:\s+(\d+) kB", page)))


def withhold(one: socket.socket, first_line: str, **headers: str) -> None:
    """Sends as much of a full batch as is taken, but for its last byte."""
    lines = [first_line, "Host: localhost", f"Content-Length: {FULL_BATCH}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    one.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    one.settimeout(0.2)
    with suppress(OSError):  # it is refused, or not taken in
        one.sendall(bytes(FULL_BATCH - 1))


ADDRESSES = {
    "a batch without a token": (f"PUT /api/v1/shifts/{uuid4()}/batches/{uuid4()} HTTP/1.1", {}),
    "a batch with a token of nobody's": (
        f"PUT /api/v1/shifts/{uuid4()}/batches/{uuid4()} HTTP/1.1",
        {"Authorization": "Bearer 4HxqkNmcK3zQd9cI7wJm2m1sH7qJ0r8b5Y6uT4vXw2A"},
    ),
    "a probe": ("GET /livez HTTP/1.1", {}),
    "a form": ("POST /console/login/ HTTP/1.1", {}),
    "nothing": ("PUT /nowhere HTTP/1.1", {}),
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_hundred_strangers_that_withhold_bodies_cost_no_memory(stack: RunningStack, name: str) -> None:
    first_line, headers = ADDRESSES[name]
    httpx.get(f"{stack.base_url}/livez")
    before = memory_kib(stack)
    with ExitStack() as crowd:
        strangers = [crowd.enter_context(connect(stack)) for _ in range(100)]
        # Each takes as long as it waits for more to be taken of it.
        with ThreadPoolExecutor(20) as at_once:
            list(at_once.map(lambda one: withhold(one, first_line, **headers), strangers))
        assert memory_kib(stack) - before < 100 * KIBIBYTE


@pytest.mark.parametrize("cookie", ["", "sessionid=abcdefghijklmnopqrstuvwxyz012345", 'sessionid="\\000\\000"'])
def test_of_the_file_of_a_till_nothing_is_read_without_a_session(stack: RunningStack, cookie: str) -> None:
    with connect(stack) as one:
        lines = ["POST /console/fleet/terminal/cache/ HTTP/1.1", "Host: localhost", "Content-Length: 4000000"]
        lines += ["Content-Type: multipart/form-data; boundary=x", f"Cookie: {cookie}"]
        one.sendall(("\r\n".join(lines) + "\r\n\r\n--x").encode())
        one.settimeout(10)
        assert b" 403 " in one.recv(4096), "it does not wait for the rest"


def test_a_terminal_holds_no_more_than_its_share_of_bodies_and_others_send(stack: RunningStack, till: HttpTill) -> None:
    greedy = HttpTill(stack, a_store_code(stack), name="Greedy")
    with ExitStack() as crowd:
        told = b""
        for one in [crowd.enter_context(connect(stack)) for _ in range(20)]:
            line = f"PUT /api/v1/shifts/{uuid4()}/batches/{uuid4()} HTTP/1.1"
            withhold(one, line, Authorization=f"Bearer {greedy.token}")
            with suppress(OSError):
                told += one.recv(4096)
        assert b" 503 " in told
        assert b"retry-after: 5" in told.lower()
        assert till.upload(a_sale(1001), Prefer="wait=5").status_code == 200


def slowest_of(till: HttpTill, numbers: range) -> float:
    """Seconds within which each of some live orders was answered."""
    waited = []
    for number in numbers:
        began = time.perf_counter()
        assert till.upload(a_sale(number), Prefer="wait=5").status_code == 200
        waited.append(time.perf_counter() - began)
    return max(waited)


def a_login(number: int) -> bytes:
    # The token of the form is no secret: it must only be the same in both places.
    body = f"csrfmiddlewaretoken={'a' * 32}&username=user-{number}&password=wrong".encode()
    lines = [
        "POST /console/login/ HTTP/1.1",
        "Host: localhost",
        f"Cookie: csrftoken={'a' * 32}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def test_five_hundred_logins_whose_senders_have_gone_keep_no_till_waiting(stack: RunningStack, till: HttpTill) -> None:
    assert till.upload(a_sale(1001), Prefer="wait=5").status_code == 200
    for number in range(500):
        with connect(stack) as one:
            one.sendall(a_login(number))
    assert slowest_of(till, range(1002, 1012)) < PATIENCE_S
    console = eventually(
        lambda: httpx.get(f"{stack.base_url}/console/login/", timeout=30), lambda page: page.is_success
    )
    assert b"password" in console.content


@pytest.fixture
def logging_in(stack: RunningStack) -> Iterator[None]:
    """Twenty people who try passwords without a pause."""
    gone = threading.Event()

    def guess(person: int) -> None:
        number = 0
        while not gone.is_set():
            with suppress(OSError), connect(stack) as one:
                one.sendall(a_login(person * 1_000_000 + number))
                one.recv(4096)
            number += 1

    with ThreadPoolExecutor(20) as pool:
        guessing = [pool.submit(guess, person) for person in range(20)]
        try:
            yield
        finally:
            gone.set()
            for each in guessing:
                each.result(timeout=60)


@pytest.mark.usefixtures("logging_in")
def test_people_who_guess_passwords_keep_no_till_waiting(till: HttpTill) -> None:
    assert slowest_of(till, range(1001, 1031)) < PATIENCE_S


def served(stack: RunningStack, port: int) -> bool:
    """Whether the server still has a connection from that port of ours."""
    ours, theirs = f":{port:04X}", f":{urlsplit(stack.base_url).port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(
        local.endswith(theirs) and remote.endswith(ours) and state == ESTABLISHED
        for _, local, remote, state, *_ in lines
    )


@pytest.mark.parametrize("path", ["/api/schema/", LARGE_FILE])
def test_a_connection_whose_answers_nobody_reads_is_ended(stack: RunningStack, path: str) -> None:
    address = urlsplit(stack.base_url)
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect((address.hostname, address.port))
        one.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 100)  # more than any buffer takes
        port = one.getsockname()[1]
        assert served(stack, port)
        eventually(lambda: served(stack, port), lambda there: not there, patience_s=90)


def test_static_files_that_nobody_reads_cost_no_memory(stack: RunningStack) -> None:
    size = len(httpx.get(stack.base_url + LARGE_FILE).content)
    before = memory_kib(stack)
    address = urlsplit(stack.base_url)
    with ExitStack() as crowd:
        for _ in range(100):
            one = crowd.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect((address.hostname, address.port))
            one.sendall(f"GET {LARGE_FILE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            one.recv(1)
        assert size > 10**6
        assert memory_kib(stack) - before < 100 * KIBIBYTE  # they are 150 MB
