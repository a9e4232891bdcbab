"""A worker that dies in the middle of a batch, with the broker's memory gone as well."""

import json
import os
import signal
from pathlib import Path
from uuid import uuid4

import psycopg
from redis import Redis

from tests.conftest import RunningStack
from tests.journeys.http_till import HttpTill, a_store_code, eventually
from tests.till import a_sale, outcomes

WAITING_FOR_US = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'backoffice-worker' AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO sales_identity%'
"""
HOLD_AN_IDENTITY = """
INSERT INTO sales_identity (item_id, version, terminal_id, shift_id, content_hash, batch_id, business_date, row_id)
VALUES (%s, 0, 0, %s, '', %s, '2026-03-01', 0)
"""


def children_of(pid: int) -> list[int]:
    """The processes that a process started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_worker_killed_in_the_middle_of_a_batch_and_a_flushed_broker_lose_and_double_nothing(
    stack: RunningStack,
) -> None:
    code = a_store_code(stack)
    till = HttpTill(stack, code)
    till.open()
    sold = [a_sale(number) for number in range(1001, 1101)]
    batch = str(uuid4())
    url = stack.environment["DATABASE_URL"]
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as watcher:
        # Whoever holds one of the identities makes the worker stop between two of its statements.
        holder.execute(HOLD_AN_IDENTITY, [sold[50]["order_id"], uuid4(), uuid4()])
        assert till.upload(*sold, batch_id=batch).status_code == 202
        eventually(lambda: watcher.execute(WAITING_FOR_US).fetchone()[0], lambda waiting: waiting > 0)
        worker = stack.pids["worker"]
        for pid in [*children_of(worker), worker]:
            os.kill(pid, signal.SIGKILL)
        Redis.from_url(stack.environment["REDIS_URL"]).flushall()
        holder.rollback()
    assert outcomes(till.processed(batch)) == ["posted"] * 100
    till.close(*sold, batches=[batch])
    assert till.settled()["state"] == "reconciled"
    report = json.loads(stack.manage("verify_books", "--json"))
    assert report["differences"] == []
    assert [(store["orders"], store["sales"]) for store in report["stores"] if store["code"] == code] == [(100, 24000)]


def test_a_batch_whose_message_was_lost_is_found_and_processed(stack: RunningStack) -> None:
    till = HttpTill(stack, a_store_code(stack))
    till.open()
    broker = Redis.from_url(stack.environment["REDIS_URL"])
    batch = str(uuid4())
    till.upload(a_sale(1001), batch_id=batch)
    broker.flushall()
    assert outcomes(till.processed(batch)) == ["posted"]
