"""Terminals that send as fast as they are answered: bodies are made before the clock starts, clients are processes."""

import http.client
import json
import re
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from multiprocessing import get_context
from os import environ
from typing import NamedTuple, Never
from urllib.parse import urlsplit

from backoffice_terminal.api import framed

from backoffice.workbench.embedded.stack import Stack
from tests.bench.books import Books
from tests.bench.shop import MakeOrder, typical_order

TODAY = datetime.now(UTC).date().isoformat()
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
MORNING, NOON = f"{TODAY}T08:00:00+00:00", f"{TODAY}T12:00:00+00:00"


class Request(NamedTuple):
    """One upload, ready to send."""

    message: bytes


@dataclass
class Measured:
    """Orders, the seconds from the first request until the last was in the books, and each answer's milliseconds."""

    orders: int
    seconds: float
    latencies: list[float] = field(default_factory=list)

    @classmethod
    def together(cls, turns: "Sequence[Measured]") -> "Measured":
        """What was measured in several turns, as one."""
        latencies = [latency for turn in turns for latency in turn.latencies]
        return cls(sum(turn.orders for turn in turns), sum(turn.seconds for turn in turns), latencies)

    @property
    def rate(self) -> float:
        """Orders a second."""
        return self.orders / self.seconds

    def latency_ms(self, percentile: float) -> float:
        """The latency that `percentile` per cent of the requests stayed within."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percentile / 100))]


@dataclass
class Till:
    """An activated terminal with its open shift and its own counter."""

    token: str
    shift_id: str
    numbers: "count[int]" = field(default_factory=lambda: count(1))


class Traffic:
    """A store with tills, and client processes that send for them: `clients`, and `live_clients` where so many are asked for."""

    def __init__(
        self, stack: Stack, *, clients: int, terminals: int, books: Books, live_clients: int | None = None
    ) -> None:
        self._address = urlsplit(stack.base_url).netloc
        self._books = books
        self._pool = ProcessPoolExecutor(live_clients or clients, get_context("spawn"))
        self._clients = clients
        self._live_clients = live_clients or clients
        self._environment = {**environ, **stack.environment}
        self.sent = 0
        self._manage("create_store", "BENCH", "--timezone", "Europe/Paris", "--currency", "EUR")
        self._tills = [self._till(number) for number in range(terminals)]

    def send(
        self, *, size: int, batches: int, make_order: MakeOrder = typical_order
    ) -> tuple[Measured, list[tuple[Till, bytes]]]:
        """New orders; what they were, too, for `send_again`."""
        orders = [self._orders(till, size, make_order) for _, till in zip(range(batches), self._turns(), strict=False)]
        fresh = self._timed(self._requests(orders), orders=size * batches)
        self.sent += size * batches
        return fresh, orders

    def send_again(self, orders: Sequence[tuple[Till, bytes]], *, size: int) -> Measured:
        """The same orders in other batches, of `size` each as they were."""
        return self._timed(self._requests(orders), orders=size * len(orders))

    def send_live(self, *, rate_per_s: int | None, seconds: int = 0, count: int = 0) -> Measured:
        """Batches of one that wait for their outcome, from many clients: at a steady rate, or without a pause."""
        count = count or (rate_per_s or 0) * seconds
        orders = [self._orders(till, 1, typical_order) for _, till in zip(range(count), self._turns(), strict=False)]
        clients = self._live_clients
        every_s = clients / rate_per_s if rate_per_s else 0.0
        measured = self._timed(self._requests(orders, wait=True), orders=count, every_s=every_s, clients=clients)
        self.sent += count
        return measured

    def _timed(
        self, requests: Sequence[Request], *, orders: int, every_s: float = 0.0, clients: int | None = None
    ) -> Measured:
        clients = clients or self._clients
        shares = [requests[start::clients] for start in range(clients)]
        # At a steady rate the clients take turns, as tills do that know nothing of each other.
        offsets = [every_s * place / clients for place in range(clients)]
        with get_context("spawn").Manager() as manager:
            gate = manager.Barrier(clients)
            each = [self._address] * clients, shares, [every_s] * clients, offsets, [gate] * clients
            sent = list(self._pool.map(_send_all, *each))
        self._books.wait_until_processed()
        began = min(at for at, _ in sent)  # a clock that all processes share
        return Measured(orders, time.perf_counter() - began, [one for _, share in sent for one in share])

    def _turns(self) -> "list[Till]":
        while True:
            yield from self._tills

    def _orders(self, till: Till, size: int, make_order: MakeOrder) -> tuple[Till, bytes]:
        orders = [
            make_order(next(till.numbers), order_id=str(uuid.uuid4()), opened_at=NOON, closed_at=NOON)
            for _ in range(size)
        ]
        return till, json.dumps({"orders": orders}, separators=(",", ":")).encode()

    def _requests(self, orders: Sequence[tuple[Till, bytes]], *, wait: bool = False) -> list[Request]:
        return [
            Request(_message(f"/api/v1/shifts/{till.shift_id}/batches/{uuid.uuid4()}", till.token, body, wait=wait))
            for till, body in orders
        ]

    def _till(self, number: int) -> Till:
        code = self._manage("issue_activation_code", "BENCH", f"Till {number}").split()[-1]
        client = http.client.HTTPConnection(self._address)
        device = {"activation_code": code, "device": {"name": f"Till {number}"}}
        token = _ask(client, "POST", "/api/v1/activations", json.dumps(device).encode())["token"]
        shift_id = str(uuid.uuid4())
        opening = {"number": 1, "opened_at": MORNING, "opening_float": 20000, "first_number": 1}
        _ask(client, "PUT", f"/api/v1/shifts/{shift_id}", json.dumps(opening).encode(), token)
        return Till(token, shift_id)

    def _manage(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments], env=self._environment, check=True, capture_output=True, text=True
        ).stdout


def _ask(client: http.client.HTTPConnection, method: str, path: str, body: bytes, token: str = "") -> dict:
    client.request(method, path, body, {"Content-Type": "application/json", "Authorization": f"Bearer {token}"})
    answer = client.getresponse()
    content = json.loads(answer.read())
    if answer.status >= 300:
        raise RuntimeError(f"{answer.status} {content}")
    return content


def _message(path: str, token: str, body: bytes, *, wait: bool) -> bytes:
    """A whole PUT as it goes over the wire, framed as our terminals do: large bodies as gzip, each with its digest."""
    sent, framing = framed(body)
    assert sent is not None
    head = [
        f"PUT {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {token}",
        *(f"{name}: {value}" for name, value in framing.items()),
        f"Content-Length: {len(sent)}",
        *(["Prefer: wait=5"] if wait else []),
    ]
    return "\r\n".join([*head, "", ""]).encode() + sent


def _send_all(
    address: str, requests: Sequence[Request], every_s: float, offset_s: float, gate: threading.Barrier
) -> tuple[float, list[float]]:
    """Sends one after the other, `every_s` apart at least and `offset_s` later than asked.

    All begin once all are there: when that was, and the milliseconds of each request.
    """
    client = _Connection(address)
    latencies = []
    gate.wait(timeout=120)
    started = time.perf_counter()
    due = started + offset_s
    for request in requests:
        if every_s:
            due += every_s
            time.sleep(max(0.0, due - time.perf_counter()))
        began = time.perf_counter()
        status = client.send(request.message)
        latencies.append((time.perf_counter() - began) * 1000)
        if status not in {200, 202}:
            raise RuntimeError(f"HTTP {status}")
    return started, latencies


class _Connection:
    """A keep-alive connection that costs next to nothing: it shares the machine with what it measures."""

    def __init__(self, address: str) -> None:
        host, _, port = address.partition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, message: bytes) -> int:
        """The status of the answer, when all of it has arrived."""
        self._socket.sendall(message)
        arrived = b""
        while (end := arrived.find(b"\r\n\r\n")) < 0:
            arrived += self._more()
        length = int(CONTENT_LENGTH.search(arrived, 0, end + 2)[1])  # type: ignore[index]
        while len(arrived) < end + 4 + length:
            arrived += self._more()
        return int(arrived[9:12])

    def _more(self) -> bytes:
        return self._socket.recv(65_536) or _closed()


def _closed() -> Never:
    raise RuntimeError("The server closed the connection.")
