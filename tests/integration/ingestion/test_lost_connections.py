"""Connections that break, wait or lock each other out: what was not committed is tried again, what was is not done twice."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import OperationalError, connection, connections
from django.utils import timezone

from backoffice.inbox.models import Batch
from backoffice.ingestion.batch import post
from backoffice.ingestion.batch.accept import STORE_BATCH
from backoffice.ingestion.batch.claims import process_claimed, process_next
from backoffice.ingestion.batch.lock import LockedBatch
from backoffice.ingestion.batch.members import ReadMember
from backoffice.ingestion.sweep import process_waiting
from backoffice.sales.models import Order
from tests.conftest import CHECKOUT
from tests.integration.ingestion.claiming import claim_of
from tests.till import Till, a_sale, at_once, balance, later, outcomes

PATIENCE_S = 30


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def in_a_thread(work: Callable[[], Any]) -> threading.Thread:
    """Somebody at work beside us, with a connection of their own."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def a_connection() -> psycopg.Connection:
    """A connection beside Django's, to the tests' database."""
    settings = connection.settings_dict
    return psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        dbname=settings["NAME"],
        user=settings["USER"],
        password=settings["PASSWORD"],
    )


def test_an_upload_whose_commit_was_never_answered_is_503_and_its_repeat_finds_it(till: Till):
    order, batch_id = a_sale(1001), uuid4()

    def cut_afterwards(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql == STORE_BATCH:
            raise OperationalError("server closed the connection unexpectedly")
        return result

    with connection.execute_wrapper(cut_afterwards):
        answer = till.upload(order, batch_id=batch_id)
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (503, True)
    assert till.upload(order, batch_id=batch_id).status_code == 202
    process_waiting()
    assert outcomes(till.receipt(str(batch_id))) == ["posted"]
    assert till.shift()["computed"]["order_count"] == 1


def test_a_posting_whose_commit_was_never_answered_is_not_done_again(
    committed_db: None, till: Till, monkeypatch: pytest.MonkeyPatch
):
    batch_id = till.upload(a_sale(1001)).json()["batch_id"]
    commit = connection._commit

    def cut_afterwards() -> None:
        commit()
        monkeypatch.undo()
        raise OperationalError("server closed the connection unexpectedly")

    def once_written(*args: Any, **facts: Any) -> Any:
        monkeypatch.setattr(connection, "_commit", cut_afterwards)
        return write_judged(*args, **facts)

    write_judged = post.write_judged
    monkeypatch.setattr(post, "write_judged", once_written)
    assert process_next(now=timezone.now())
    assert connection._commit == commit
    batch = Batch.objects.get(batch_id=batch_id)
    assert (batch.state, batch.last_error, batch.attempts) == ("processed", "", 1)
    while process_next(now=later(hours=1)):
        """Batches of other tests may wait."""
    assert Batch.objects.get(batch_id=batch_id).attempts == 1
    assert balance(till) == 20240


def test_a_worker_that_froze_loses_its_claim_and_its_late_commit_fails(
    committed_db: None, till: Till, monkeypatch: pytest.MonkeyPatch
):
    batch_id = till.upload(a_sale(1001, note="frozen")).json()["batch_id"]
    read, asleep, awake, came_to = post.number_members, threading.Event(), threading.Event(), []

    def freeze(batch: LockedBatch, members: Sequence[ReadMember]) -> Any:
        if not asleep.is_set():
            with connection.cursor() as cursor:  # half a minute in production: see the next test
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '500ms'")
            asleep.set()
            assert awake.wait(PATIENCE_S)
        return read(batch, members)

    monkeypatch.setattr(post, "number_members", freeze)
    worker = in_a_thread(lambda: came_to.append(process_claimed([claim_of(batch_id)], now=timezone.now())))
    try:
        assert asleep.wait(PATIENCE_S)
        # PostgreSQL ends the frozen one's transaction, and the batch is free again.
        until(lambda: process_next(now=later(minutes=1)) and till.receipt(batch_id)["state"] == "processed")
        assert outcomes(till.receipt(batch_id)) == ["posted"]
    finally:
        awake.set()
        worker.join(PATIENCE_S)
    assert came_to == [{}]
    assert Batch.objects.get(batch_id=batch_id).state == "processed"
    assert Order.objects.filter(terminal=till.terminal).count() == 1
    assert balance(till) == 20240


@pytest.mark.parametrize("role", ["web", "worker", "beat"])
def test_no_role_can_hold_a_row_for_ever(role: str):
    asked = "from django.db import connection as c; k = c.cursor(); "
    for name in ("idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout"):
        asked += f"k.execute('SHOW {name}'); print(k.fetchone()[0]); "
    done = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {asked}"],
        cwd=CHECKOUT,
        env={**os.environ, "BACKOFFICE_ROLE": role, "DJANGO_SETTINGS_MODULE": "backoffice.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["30s", "1min", "10s"]


HOLD_IDENTITY = """
INSERT INTO sales_identity (item_id, version, terminal_id, shift_id, content_hash, batch_id, business_date, row_id)
VALUES (%s, 0, 0, %s, '', %s, '2026-03-01', 0)
"""
SOMEBODY_WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"


def test_a_batch_that_postgresql_chose_to_end_a_deadlock_is_tried_again(committed_db: None, till: Till):
    """Of two that wait for each other, PostgreSQL ends the one that finds out; which one that is, is not ours to say."""
    for attempt in range(5):
        first, second = sorted([uuid4(), uuid4()])
        orders = [a_sale(1001 + 2 * attempt + place, order_id=str(name)) for place, name in enumerate((first, second))]
        batch_id = till.upload(*orders).json()["batch_id"]
        error = deadlock(batch_id, first, second)
        if error:
            until(
                lambda batch_id=batch_id: (
                    process_next(now=later(minutes=1)) and till.receipt(batch_id)["state"] == "processed"
                )
            )
        assert outcomes(till.receipt(batch_id)) == ["posted", "posted"]
        assert till.shift()["computed"]["order_count"] == 2 * (attempt + 1)
        if "deadlock" in error:
            return
    pytest.fail("PostgreSQL ended the other one each time")


def deadlock(batch_id: str, first: UUID, second: UUID) -> str:
    """A worker that has written `first` and wants `second`, and somebody who wants them the other way round.

    What the batch says went wrong at this try.
    """
    with a_connection() as other, a_connection() as watcher:
        watcher.autocommit = True
        other.execute(HOLD_IDENTITY, [second, uuid4(), uuid4()])
        worker = in_a_thread(lambda: process_claimed([claim_of(batch_id)], now=timezone.now()))
        until(lambda: watcher.execute(SOMEBODY_WAITS).fetchone()[0])  # type: ignore[index]
        with contextlib.suppress(psycopg.errors.DeadlockDetected, psycopg.errors.UniqueViolation):
            other.execute(HOLD_IDENTITY, [first, uuid4(), uuid4()])  # chosen itself, or the worker had gone on
        other.rollback()
        worker.join(PATIENCE_S)
    return Batch.objects.get(batch_id=batch_id).last_error


def test_a_credential_revoked_while_uploads_arrive_lets_each_in_wholly_or_not_at_all(committed_db: None, till: Till):
    from tests.integration.api.test_credentials import revoke  # noqa: PLC0415

    batches = {str(uuid4()): a_sale(1001 + place) for place in range(12)}
    uploads = [
        lambda batch_id=batch_id, order=order: till.upload(order, batch_id=batch_id)
        for batch_id, order in batches.items()
    ]
    *answers, _ = at_once([*uploads, lambda: revoke(till)])
    assert {answer.status_code for answer in answers} <= {202, 401}
    let_in = {batch_id for batch_id, answer in zip(batches, answers, strict=True) if answer.status_code == 202}
    stored = Batch.objects.filter(terminal=till.terminal).values_list("batch_id", "order_count")
    assert {str(batch_id) for batch_id, _ in stored} == let_in
    process_waiting()
    posted = Order.objects.filter(terminal=till.terminal).values_list("order_id", flat=True)
    assert sorted(map(str, posted)) == sorted(batches[batch_id]["order_id"] for batch_id in let_in)
    assert till.send("GET", "terminal").status_code == 401


def test_restored_to_an_earlier_point_it_names_what_it_lacks_and_takes_it_again(till: Till):
    """What came after the point is gone without a trace; the till, which kept it, sends it again."""
    before, after = [a_sale(number) for number in (1001, 1002)], [a_sale(number) for number in (1003, 1004, 1005)]
    first, second = str(uuid4()), str(uuid4())
    till.sell(*before, batch_id=first)
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT dump")
        till.sell(*after, batch_id=second)
        till.close(*before, *after, batches=[first, second])
        assert till.shift()["state"] == "reconciled"
        cursor.execute("ROLLBACK TO SAVEPOINT dump")
    assert till.send("GET", f"batches/{second}").status_code == 404
    assert till.send("GET", "terminal").json()["last_number"] == 1002
    shift = till.close(*before, *after, batches=[first, second]).json()
    assert (shift["state"], shift["missing_numbers"], shift["missing_batches"]) == ("closing", [[1003, 1005]], [second])
    assert outcomes(till.sell(*before, batch_id=first)) == ["posted"] * 2  # its receipt, as it was
    assert outcomes(till.sell(*after, batch_id=second)) == ["posted"] * 3
    assert till.shift()["state"] == "reconciled"
    assert balance(till) == 20000 + 5 * 240
