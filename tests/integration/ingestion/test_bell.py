"""The broker only rings: whatever becomes of it, uploads are taken and everything is found (ADR 1)."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from celery import Celery
from django.db import connections
from django.utils import timezone
from prometheus_client import REGISTRY
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from backoffice.buckets import Buckets
from backoffice.celery import app
from backoffice.inbox.models import Batch
from backoffice.ingestion import bell, sweep
from backoffice.ingestion.sweep import process_waiting
from backoffice.metrics import requests_unmetered
from backoffice.workbench.embedded.processes import wait_until
from backoffice.workbench.embedded.valkey import binary
from pos_api.throttling import TerminalThrottle
from tests.till import Till, a_sale, outcomes


@pytest.fixture
def broker_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Everything that speaks to Redis speaks to this port instead."""

    def move(port: int) -> None:
        url = f"redis://127.0.0.1:{port}/0"
        elsewhere = Celery("elsewhere", set_as_current=False)
        elsewhere.conf.update(
            broker_url=url,
            broker_transport_options=app.conf.broker_transport_options,
            broker_connection_timeout=app.conf.broker_connection_timeout,
            task_publish_retry=app.conf.task_publish_retry,
            task_default_queue=app.conf.task_default_queue,
        )
        monkeypatch.setattr(bell, "current_app", elsewhere)
        buckets = Buckets(url, prefix="backoffice:requests", unmetered=requests_unmetered)
        monkeypatch.setattr(TerminalThrottle, "buckets", buckets)

    return move


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@pytest.fixture
def frozen_port() -> Iterator[int]:
    """A port that takes connections and never answers, as a stopped Redis does."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen(64)
        yield int(held.getsockname()[1])


def bell_failures() -> float:
    return REGISTRY.get_sample_value("backoffice_bell_failures_total") or 0.0


def rung(broker: Redis) -> bool:
    """Whether a message is there; while the server starts, there is none."""
    return answers(broker) and broker.llen("backoffice") > 0


def answers(broker: Redis) -> bool:
    """Whether the server has started."""
    try:
        return bool(broker.ping())
    except RedisConnectionError:
        return False


@contextmanager
def a_redis_on(port: int, *settings: str) -> Iterator[Redis]:
    """A Valkey of its own on a port, with nothing in it. `settings` as on its command line."""
    words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--loglevel", "warning", *settings]
    server = subprocess.Popen(
        [str(binary()), *words],
        stdout=subprocess.DEVNULL,
    )
    client = Redis(port=port)
    try:
        yield client
    finally:
        client.close()
        server.terminate()
        server.wait(10)


def taken_in(till: Till, number: int) -> float:
    """Seconds that an upload took; it was answered 202."""
    began = time.monotonic()
    assert till.upload(a_sale(number)).status_code == 202
    return time.monotonic() - began


def test_with_the_broker_down_uploads_are_taken_in_under_a_second(
    till: Till, broker_at: Callable[[int], None], closed_port: int
):
    broker_at(closed_port)
    assert max(taken_in(till, number) for number in range(1001, 1006)) < 1
    process_waiting()
    assert till.shift()["computed"]["order_count"] == 5


def test_with_the_broker_frozen_uploads_are_taken_in_under_three(
    till: Till, broker_at: Callable[[int], None], frozen_port: int
):
    broker_at(frozen_port)
    failures = bell_failures()
    assert max(taken_in(till, number) for number in range(1001, 1006)) < 3
    assert wait_until(lambda: bell_failures() > failures, timeout_s=30)


def test_with_the_broker_frozen_sixty_four_uploads_at_once_are_each_taken_in_under_three(
    committed_db: None, till: Till, broker_at: Callable[[int], None], frozen_port: int
):
    """In as many threads as a web process has: each is somebody else's soon."""
    broker_at(frozen_port)
    failures = bell_failures()
    began = time.monotonic()

    def upload(number: int) -> tuple[int, float]:
        try:
            return till.upload(a_sale(number)).status_code, time.monotonic() - began
        finally:
            connections.close_all()

    with ThreadPoolExecutor(32) as threads:
        statuses, waited = zip(*threads.map(upload, range(1001, 1065)), strict=True)
    assert set(statuses) == {202}
    assert max(waited) < 3
    assert wait_until(lambda: bell_failures() > failures, timeout_s=30)
    while process_waiting():
        """One look takes so many batches at most."""
    assert till.shift()["computed"]["order_count"] == 64


def test_when_the_broker_is_back_the_bell_rings_again_by_itself(
    till: Till, broker_at: Callable[[int], None], closed_port: int, monkeypatch: pytest.MonkeyPatch
):
    """First nobody listens on its port, then a Redis does, and nothing is told to the web process."""
    monkeypatch.setattr(bell, "PAUSE_AFTER_FAILURE_S", 0.5)
    failures = bell_failures()
    broker_at(closed_port)
    assert taken_in(till, 1001) < 1
    assert wait_until(lambda: bell_failures() > failures, timeout_s=30)
    with a_redis_on(closed_port) as broker:
        deadline = time.monotonic() + 30
        number = 1002
        while not rung(broker):
            assert time.monotonic() < deadline
            assert taken_in(till, number) < 1
            number += 1
    while process_waiting():
        """One look takes so many batches at most."""
    assert till.shift()["computed"]["order_count"] == number - 1001


def test_whoever_stores_a_batch_waits_for_no_ring(till: Till, monkeypatch: pytest.MonkeyPatch):
    """However long a ring takes, and however many ask for one meanwhile: they are rung for together."""
    rings, heard = [], threading.Event()

    def slow_ring(**_: Any) -> bool:
        rings.append(time.monotonic())
        heard.wait(30)
        return True

    monkeypatch.setattr(bell, "ring", slow_ring)
    assert taken_in(till, 1001) < 1
    assert wait_until(lambda: len(rings) == 1, timeout_s=30)  # sooner, unless a ring has just failed
    assert max(taken_in(till, number) for number in range(1002, 1021)) < 1
    heard.set()
    assert wait_until(lambda: len(rings) == 2, timeout_s=30)
    taken_in(till, 1021)
    assert wait_until(lambda: len(rings) == 3, timeout_s=30)


def test_a_live_order_needs_no_broker(till: Till, broker_at: Callable[[int], None], closed_port: int):
    broker_at(closed_port)
    answer = till.upload(a_sale(1001), Prefer="wait=5")
    assert (answer.status_code, outcomes(till.receipt(answer.json()["batch_id"]))) == (200, ["posted"])


def test_after_a_ring_that_failed_the_broker_is_left_alone_for_a_while(till: Till, monkeypatch: pytest.MonkeyPatch):
    """However many uploads ask meanwhile; then it is rung for all of them."""
    rings: list[float] = []

    def ring_that_fails_once(**_: Any) -> bool:
        rings.append(time.monotonic())
        return len(rings) > 1

    monkeypatch.setattr(bell, "ring", ring_that_fails_once)
    monkeypatch.setattr(bell, "PAUSE_AFTER_FAILURE_S", 1.0)
    number, deadline = 1001, time.monotonic() + 60  # the thread may still pause for a ring of before
    while len(rings) < 2 and time.monotonic() < deadline:
        assert taken_in(till, number) < 1
        number += 1
        wait_until(lambda: len(rings) > 1, timeout_s=0.1)  # no faster than a terminal may
    assert rings[1] - rings[0] >= 1


def test_a_broker_that_is_back_can_be_told_again(
    till: Till, broker_at: Callable[[int], None], closed_port: int, monkeypatch: pytest.MonkeyPatch
):
    broker_at(closed_port)
    assert bell.ring() is False
    monkeypatch.setattr(bell, "current_app", app)
    assert bell.ring() is True


def test_a_batch_whose_bell_was_never_rung_is_found_by_a_sweeper(till: Till, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("backoffice.ingestion.batch.accept.ring_soon", lambda: None)
    batch_id = till.upload(a_sale(1001)).json()["batch_id"]
    assert process_waiting() == 1
    assert till.receipt(batch_id)["state"] == "processed"


def test_a_worker_rings_by_itself_when_something_waits(committed_db: None, till: Till, monkeypatch: pytest.MonkeyPatch):
    till.upload(a_sale(1001))
    long_ago = timezone.now() - sweep.OLD_ENOUGH * 2
    Batch.objects.filter(terminal=till.terminal).update(received_at=long_ago, due_at=long_ago)
    rung, stop = threading.Event(), threading.Event()
    expiries: list[Any] = []

    def note(*, expires_s: float | None = None) -> bool:
        expiries.append(expires_s)
        rung.set()
        return True

    monkeypatch.setattr(sweep, "ring", note)
    monkeypatch.setattr(sweep, "WATCH_EVERY_S", 0.01)
    watcher = threading.Thread(target=sweep.watch, args=(stop,))
    watcher.start()
    try:
        assert rung.wait(10)
    finally:
        stop.set()
        watcher.join(10)
    assert expiries[0] == 0.01  # a ring that nobody heard is worth nothing by the next
    process_waiting()


def test_with_nothing_waiting_it_does_not_ring(till: Till, monkeypatch: pytest.MonkeyPatch):
    class Once(threading.Event):
        rounds = 0

        def wait(self, timeout: float | None = None) -> bool:
            self.rounds += 1
            return self.rounds > 1

    monkeypatch.setattr(sweep, "ring", lambda **_: pytest.fail("rang for nothing"))
    monkeypatch.setattr(sweep.connection, "close", lambda: None)
    till.sell(a_sale(1001))
    sweep.watch(Once())
