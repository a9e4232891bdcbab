"""Servers and processes that die, freeze or forget while tills send: nothing is lost, nothing is posted twice."""

import base64
import json
import os
import pickle
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
from redis import Redis

from backoffice.ingestion.bell import PAUSE_AFTER_FAILURE_S
from backoffice.workbench.embedded.log import Log
from backoffice.workbench.embedded.roles import RoleOptions, role_child
from tests.faults.conftest import MANY, TAKEN, Mortal, assert_posted_once, send, send_until_taken, some_orders
from tests.journeys.http_till import HttpTill, eventually
from tests.journeys.test_crashes import children_of
from tests.till import outcomes


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A process, with all of its group, that is there and does nothing."""
    os.killpg(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(pid, signal.SIGCONT)


@contextmanager
def held_down(mortal: Mortal, name: str, *, url: str, by: signal.Signals) -> Iterator[None]:
    """A server that was struck and cannot come back: somebody else has its port, and takes no connection there."""
    address = urlsplit(url)
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

        def struck() -> bool:
            with suppress(KeyError, ProcessLookupError):  # it is gone already
                os.kill(mortal.pids[name], by)
            with suppress(OSError):  # it still listens
                held.bind((address.hostname, address.port))
            return held.getsockname()[1] == address.port

        eventually(struck, bool)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)  # nor can it share the port with us
        yield


def send_at_once(till: HttpTill, batches: dict[str, list[dict]]) -> list[tuple[int, float]]:
    """Sends all of them at the same moment: the status and the seconds of each."""
    together = Barrier(len(batches))

    def send_one(batch_id: str, orders: list[dict]) -> tuple[int, float]:
        together.wait(timeout=30)
        began = time.monotonic()
        answer = till.upload(*orders, batch_id=batch_id)
        return answer.status_code, time.monotonic() - began

    with ThreadPoolExecutor(len(batches)) as pool:
        sending = [pool.submit(send_one, *batch) for batch in batches.items()]
        return [each.result(timeout=60) for each in sending]


def told(mortal: Mortal, metric: str) -> float:
    """One of the service's own figures, over all of its processes."""
    text = httpx.get(f"{mortal.base_url}/metrics", timeout=30).text
    return float(re.findall(rf"^{metric} (\S+)$", text, re.MULTILINE)[0])


def failed_rings(mortal: Mortal) -> float:
    """How often the broker could not be told so far; asked when no process leaves it alone because of that."""
    failed, since = -1.0, 0.0

    def unchanged_s() -> float:
        nonlocal failed, since
        if failed != (now := told(mortal, "backoffice_bell_failures_total")):
            failed, since = now, time.monotonic()
        return time.monotonic() - since

    eventually(unchanged_s, lambda seconds: seconds > PAUSE_AFTER_FAILURE_S)
    return failed


def readiness(mortal: Mortal) -> dict[str, Any]:
    return httpx.get(f"{mortal.base_url}/readyz", timeout=30).json()


# --- The web role ---------------------------------------------------------------------------------------------------


def test_web_killed_with_uploads_in_flight_has_all_of_each_or_nothing(mortal: Mortal, till: HttpTill) -> None:
    batches = {str(uuid4()): some_orders() for _ in range(8)}
    web = mortal.pids["web"]
    with ThreadPoolExecutor(len(batches)) as pool:
        sending = [pool.submit(send, till, orders, batch_id) for batch_id, orders in batches.items()]
        os.killpg(web, signal.SIGKILL)
        answers = [each.result(timeout=60) for each in sending]
    assert {answer.status_code for answer in answers if answer is not None} <= TAKEN
    mortal.came_back("web", web)
    for batch_id, orders in batches.items():
        send_until_taken(till, orders, batch_id)
    for batch_id in batches:
        assert outcomes(till.processed(batch_id)) == ["posted"] * MANY
    assert_posted_once(mortal, [order for orders in batches.values() for order in orders])


# --- The broker -----------------------------------------------------------------------------------------------------


def test_a_broker_that_is_killed_and_has_lost_everything_costs_nothing(mortal: Mortal, till: HttpTill) -> None:
    batches = {str(uuid4()): some_orders(5) for _ in range(6)}
    valkey = mortal.pids["valkey"]
    broker = Redis.from_url(mortal.environment["REDIS_URL"])
    for place, (batch_id, orders) in enumerate(batches.items()):
        if place == 2:
            broker.flushall()
            os.kill(valkey, signal.SIGKILL)
        assert till.upload(*orders, batch_id=batch_id).status_code in TAKEN
    mortal.came_back("valkey", valkey)
    for batch_id in batches:
        assert outcomes(till.processed(batch_id)) == ["posted"] * 5
    assert_posted_once(mortal, [order for orders in batches.values() for order in orders])


def slowest_of_twenty_at_once(mortal: Mortal, till: HttpTill, trouble: AbstractContextManager[Any]) -> float:
    """Seconds that the slowest of 20 uploads took while the broker was in trouble; each is 202, and posted once afterwards."""
    batches = {str(uuid4()): some_orders(3) for _ in range(20)}
    failed = failed_rings(mortal)
    with trouble:
        answers = send_at_once(till, batches)
        eventually(lambda: told(mortal, "backoffice_bell_failures_total"), lambda now: now > failed)  # it was tried
    assert {status for status, _ in answers} == {202}
    for batch_id in batches:
        assert outcomes(till.processed(batch_id)) == ["posted"] * 3
    assert_posted_once(mortal, [order for orders in batches.values() for order in orders])
    return max(seconds for _, seconds in answers)


def test_with_the_broker_frozen_twenty_uploads_at_once_are_each_taken_in_under_three_seconds(
    mortal: Mortal, till: HttpTill
) -> None:
    assert slowest_of_twenty_at_once(mortal, till, frozen(mortal.pids["valkey"])) < 3


def test_with_the_broker_down_twenty_uploads_at_once_are_each_taken_in_under_a_second(
    mortal: Mortal, till: HttpTill
) -> None:
    down = held_down(mortal, "valkey", url=mortal.environment["REDIS_URL"], by=signal.SIGKILL)
    assert slowest_of_twenty_at_once(mortal, till, down) < 1


def test_with_beat_frozen_and_the_message_lost_a_worker_finds_the_batch_by_itself(
    mortal: Mortal, till: HttpTill
) -> None:
    orders, batch_id = some_orders(3), str(uuid4())
    with frozen(mortal.pids["beat"]):
        assert till.upload(*orders, batch_id=batch_id).status_code in TAKEN
        Redis.from_url(mortal.environment["REDIS_URL"]).flushall()
        assert outcomes(till.processed(batch_id)) == ["posted"] * 3
    assert_posted_once(mortal, orders)


def test_two_beats_post_nothing_twice(mortal: Mortal, till: HttpTill, tmp_path: Path) -> None:
    options = RoleOptions(port=0, workers=1, data_dir=tmp_path)
    with (tmp_path / "log").open("w") as log:
        second = role_child("beat", options, log=Log(log), environment={**os.environ, **mortal.environment})
        second.start()
        try:
            eventually(lambda: list(tmp_path.glob("beat-schedule*")), bool)  # it has begun to send
            batches = {str(uuid4()): some_orders(3) for _ in range(5)}
            for batch_id, orders in batches.items():
                assert till.upload(*orders, batch_id=batch_id).status_code in TAKEN
            for batch_id in batches:
                assert outcomes(till.processed(batch_id)) == ["posted"] * 3
            assert second.ending() is None
        finally:
            second.stop()
    assert_posted_once(mortal, [order for orders in batches.values() for order in orders])


CALL = json.dumps([[], {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]).encode()


class Evil:
    """Whoever unpickles it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


def message(body: bytes, *, media: str = "application/json", task: str = "backoffice.ingestion.tasks.look") -> str:
    """A task as it lies in the broker."""
    return json.dumps(
        {
            "body": base64.b64encode(body).decode(),
            "content-encoding": "utf-8" if "json" in media else "binary",
            "content-type": media,
            "headers": {"lang": "py", "task": task, "id": str(uuid4()), "argsrepr": "()", "kwargsrepr": "{}"},
            "properties": {
                "correlation_id": str(uuid4()),
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": "backoffice"},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": str(uuid4()),
            },
        }
    )


def test_forged_and_pickled_messages_are_rejected_and_the_worker_goes_on(
    mortal: Mortal, till: HttpTill, tmp_path: Path
) -> None:
    bait = tmp_path / "unpickled"
    with_arguments = json.dumps([["rm -rf /"], {"now": 1}, {}]).encode()
    forged = [
        message(pickle.dumps(Evil(bait)), media="application/x-python-serialize"),
        message(pickle.dumps([[Evil(bait)], {}, {}]), media="application/x-python-serialize"),
        message(CALL, task="os.system"),
        message(CALL, task="backoffice.ingestion.batch.claims.process_claimed"),
        message(with_arguments),
        message(b"no json"),
        message(b'"no call"'),
        message(b"[[], {}]"),
        message(b'[[], {}, {"callbacks": [{"task": "backoffice.ingestion.tasks.look"}]}]'),
        message(b'{"args": [], "kwargs": {}}'),
    ]
    worker = mortal.pids["worker"]
    broker = Redis.from_url(mortal.environment["REDIS_URL"])
    broker.rpush("backoffice", *forged)
    eventually(lambda: broker.llen("backoffice"), lambda left: left == 0)
    orders, batch_id = some_orders(3), str(uuid4())
    assert till.upload(*orders, batch_id=batch_id).status_code in TAKEN
    assert outcomes(till.processed(batch_id)) == ["posted"] * 3
    assert not bait.exists()
    assert mortal.pids["worker"] == worker
    assert mortal.times_logged("ContentDisallowed"), "nobody looked at the pickled messages"
    assert mortal.times_logged("unregistered task"), "nobody looked at the forged ones"
    assert_posted_once(mortal, orders)


def test_what_is_not_even_a_message_costs_a_worker_its_life_at_most(mortal: Mortal, till: HttpTill) -> None:
    broker = Redis.from_url(mortal.environment["REDIS_URL"])
    worker, ready = mortal.pids["worker"], mortal.times_logged("ready.")
    broker.rpush("backoffice", b"\x80garbage")
    mortal.came_back("worker", worker)
    eventually(lambda: mortal.times_logged("ready."), lambda times: times > ready)
    orders, batch_id = some_orders(3), str(uuid4())
    assert till.upload(*orders, batch_id=batch_id).status_code in TAKEN
    assert outcomes(till.processed(batch_id)) == ["posted"] * 3
    assert_posted_once(mortal, orders)


def test_a_worker_whose_acknowledgements_were_lost_with_the_broker_listens_again(
    mortal: Mortal, till: HttpTill
) -> None:
    """As many as the worker has processes: were they counted as taken, it would take no more."""
    broker = Redis.from_url(mortal.environment["REDIS_URL"])
    processes = children_of(mortal.pids["worker"])
    lost_before = mortal.times_logged("Couldn't ack")
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    calls = [message(CALL) for _ in processes]
    tags = [json.loads(call)["properties"]["delivery_tag"] for call in calls]
    broker.rpush("backoffice", *calls)
    # A worker takes a message and notes it as unacknowledged only then: frozen in between, it would acknowledge nothing.
    eventually(lambda: broker.hmget("unacked", tags), all)
    with frozen(mortal.pids["valkey"]):
        for pid in processes:
            os.kill(pid, signal.SIGCONT)
        eventually(
            lambda: mortal.times_logged("Couldn't ack"),
            lambda times: times >= lost_before + len(processes),
            patience_s=60,
        )
    orders, batch_id = some_orders(3), str(uuid4())
    assert till.upload(*orders, batch_id=batch_id).status_code in TAKEN
    assert outcomes(till.processed(batch_id)) == ["posted"] * 3
    assert_posted_once(mortal, orders)


def test_a_worker_that_is_connected_and_does_nothing_is_seen_by_the_age_of_what_waits(
    mortal: Mortal, till: HttpTill
) -> None:
    orders, batch_id = some_orders(3), str(uuid4())
    assert eventually(lambda: readiness(mortal), lambda said: said["ready"])["reasons"] == []
    with frozen(mortal.pids["worker"]):
        assert till.upload(*orders, batch_id=batch_id).status_code in TAKEN
        with mortal.database as connection:
            connection.execute(
                "UPDATE inbox_batch SET received_at = received_at - interval '6 minutes',"
                " due_at = due_at - interval '6 minutes' WHERE batch_id = %s AND state = 'received'",
                [batch_id],
            )
        said = readiness(mortal)
        assert (said["ready"], said["oldest_waiting_s"] > 300) == (False, True)
        assert "are the workers running?" in said["reasons"][0]
    till.processed(batch_id)
    assert readiness(mortal)["reasons"] == []
    assert_posted_once(mortal, orders)


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


def test_postgresql_that_stops_at_once_leaves_nothing_partial_and_is_found_again(
    mortal: Mortal, till: HttpTill
) -> None:
    batches = {str(uuid4()): some_orders() for _ in range(6)}
    postgres, statuses = mortal.pids["postgres"], []
    for place, (batch_id, orders) in enumerate(batches.items()):
        if place == 3:  # some of the first are stored, some being processed
            # SIGQUIT is pg_ctl stop -m immediate.
            with held_down(mortal, "postgres", url=mortal.environment["DATABASE_URL"], by=signal.SIGQUIT):
                refused = till.upload(*orders, batch_id=batch_id)
            assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (503, "unavailable")
            assert int(refused.headers["Retry-After"]) > 0
        statuses += send_until_taken(till, orders, batch_id)
    assert set(statuses) <= {200, 202, 503}
    mortal.came_back("postgres", postgres)
    for batch_id in batches:
        assert outcomes(till.processed(batch_id)) == ["posted"] * MANY
    assert_posted_once(mortal, [order for orders in batches.values() for order in orders])


@contextmanager
def connection_killed_at_commit(mortal: Mortal, batch_id: str, *, state: str) -> Iterator[None]:
    """Whoever is first to commit this batch in this state finds its connection cut by the COMMIT."""
    with mortal.database as connection:
        connection.execute("CREATE SEQUENCE killed_at_commit")  # counts also what is rolled back
        connection.execute(
            "CREATE FUNCTION kill_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF nextval('killed_at_commit') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;"
            " RETURN NULL; END $$"
        )
        connection.execute(
            "CREATE CONSTRAINT TRIGGER kill_at_commit AFTER INSERT OR UPDATE ON inbox_batch DEFERRABLE INITIALLY DEFERRED"
            f" FOR EACH ROW WHEN (NEW.batch_id = '{batch_id}' AND NEW.state = '{state}') EXECUTE FUNCTION kill_at_commit()"
        )
        try:
            yield
            (tried,) = connection.execute("SELECT last_value FROM killed_at_commit").fetchone()  # type: ignore[misc]
            assert tried == 2, "the first was killed, the second was not"
        finally:
            connection.execute("DROP TRIGGER kill_at_commit ON inbox_batch")
            connection.execute("DROP FUNCTION kill_at_commit")
            connection.execute("DROP SEQUENCE killed_at_commit")


def test_a_connection_killed_at_the_commit_of_an_upload_is_503_and_the_retry_resolves_it(
    mortal: Mortal, till: HttpTill
) -> None:
    orders, batch_id = some_orders(), str(uuid4())
    with connection_killed_at_commit(mortal, batch_id, state="received"):
        first, *others = send_until_taken(till, orders, batch_id)
        assert (first, len(others)) == (503, 1)
    assert outcomes(till.processed(batch_id)) == ["posted"] * MANY
    assert_posted_once(mortal, orders)


def test_a_connection_killed_at_the_commit_of_the_posting_leaves_nothing_and_the_next_try_posts(
    mortal: Mortal, till: HttpTill
) -> None:
    orders, batch_id = some_orders(), str(uuid4())
    with connection_killed_at_commit(mortal, batch_id, state="processed"):
        assert till.upload(*orders, batch_id=batch_id).status_code in TAKEN
        assert outcomes(till.processed(batch_id)) == ["posted"] * MANY
    assert_posted_once(mortal, orders)
