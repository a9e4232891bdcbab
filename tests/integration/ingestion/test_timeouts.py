"""No peer that froze or vanished holds anything for ever: the time-outs of a live connection, and a frozen worker."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from backoffice.ingestion.batch.claims import process_next
from backoffice.ingestion.sweep import process_waiting
from backoffice.postgres.pipeline import pipelined
from tests.conftest import CHECKOUT
from tests.journeys.http_till import eventually
from tests.journeys.test_crashes import HOLD_AN_IDENTITY, children_of
from tests.till import Till, a_sale, later, outcomes

ON_THE_SERVER = {
    "statement_timeout": "1min",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
    "client_connection_check_interval": "10s",
    "tcp_user_timeout": "30000",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
ON_OUR_SIDE = {"TCP_USER_TIMEOUT": 30_000, "TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
ASK = """
import json, socket
import django
django.setup()
from django.db import connection
from backoffice.celery import app
names = {names}
def options(descriptor, names):
    with socket.socket(fileno=descriptor) as link:
        found = {{name: link.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names}}
        found["SO_KEEPALIVE"] = link.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        link.detach()
        return found
with connection.cursor() as cursor:
    cursor.execute("SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name", [list({server})])
    server = dict(cursor.fetchall())
    database = options(connection.connection.fileno(), names)
with app.connection_for_read() as link:
    redis = link.default_channel.client.connection_pool.get_connection()
    redis.connect()
    broker = options(redis._sock.fileno(), [name for name in names if name != "TCP_USER_TIMEOUT"])
    broker["timeout"] = redis._sock.gettimeout()
print(json.dumps([server, database, broker]))
"""
# As in production, but for how long a frozen worker may hold what it claimed.
HURRIED = """
from backoffice.settings import *
DATABASES["default"]["OPTIONS"]["options"] = DATABASES["default"]["OPTIONS"]["options"].replace(
    "idle_in_transaction_session_timeout=30s", "idle_in_transaction_session_timeout=2s")
"""
AT_WORK = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'backoffice-worker' AND datname = current_database() AND {}
"""
WAITS_FOR_US = AT_WORK.format("wait_event_type = 'Lock' AND query LIKE '%INSERT INTO sales_identity%'")
HOLDS_ITS_CLAIM = AT_WORK.format("state = 'idle in transaction'")


def environment_of(role: str) -> dict[str, str]:
    """A role's, on the test database."""
    settings = connection.settings_dict
    url = f"postgresql://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
    return {**os.environ, "DATABASE_URL": url, "BACKOFFICE_ROLE": role}


@pytest.mark.parametrize("role", ["web", "worker"])
def test_a_live_connection_has_the_time_outs(committed_db: None, role: str) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", ASK.format(names=list(ON_OUR_SIDE), server=list(ON_THE_SERVER))],
        env=environment_of(role) | {"DJANGO_SETTINGS_MODULE": "backoffice.settings"},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    server, database, broker = json.loads(asked.stdout)
    assert server == ON_THE_SERVER
    assert database == ON_OUR_SIDE | {"SO_KEEPALIVE": 1}
    assert broker.pop("timeout") == (5.0 if role == "worker" else 0.3)
    assert broker == {name: value for name, value in ON_OUR_SIDE.items() if name != "TCP_USER_TIMEOUT"} | {
        "SO_KEEPALIVE": 1
    }


def test_time_counts_after_statements_that_were_sent_in_one_go(committed_db: None) -> None:
    """PostgreSQL stops counting at a Flush that comes after the Sync, as psycopg's own pipeline sends it."""
    alive = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s"

    def freeze(watcher: psycopg.Connection) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '300ms'")
            with pipelined():
                cursor.execute("SELECT 1")
                cursor.execute("SELECT pg_backend_pid()")
            pid = cursor.fetchone()
            eventually(lambda: watcher.execute(alive, pid).fetchone(), lambda count: count == (0,))
            cursor.execute("SELECT 2")

    url = environment_of("command")["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as watcher, pytest.raises(DatabaseError, match="idle-in-transaction"):
        freeze(watcher)
    connection.close()


@pytest.fixture
def worker(committed_db: None, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker with one child, which may hold a claim for two seconds only."""
    (tmp_path / "hurried.py").write_text(HURRIED)
    words = [
        "celery",
        "--app",
        "backoffice",
        "--quiet",
        "worker",
        "--concurrency",
        "1",
        "--without-gossip",
        "--without-mingle",
    ]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            env=environment_of("worker") | {"DJANGO_SETTINGS_MODULE": "hurried", "PYTHONPATH": str(tmp_path)},
            cwd=CHECKOUT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
            print((tmp_path / "log").read_text())


def test_a_frozen_workers_claim_is_freed_and_its_late_commit_changes_nothing(
    till: Till, worker: subprocess.Popen[bytes]
) -> None:
    order = a_sale(1001)
    url = environment_of("command")["DATABASE_URL"]
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as watcher:

        def seen(question: str) -> bool:
            return watcher.execute(question).fetchone()[0] > 0  # type: ignore[index]

        # Whoever holds its identity makes the worker stop between two statements: there it freezes.
        holder.execute(HOLD_AN_IDENTITY, [order["order_id"], uuid4(), uuid4()])
        batch_id = till.upload(order).json()["batch_id"]
        eventually(lambda: seen(WAITS_FOR_US), bool)
        (child,) = children_of(worker.pid)
        os.kill(child, signal.SIGSTOP)
        holder.rollback()
        eventually(lambda: seen(HOLDS_ITS_CLAIM), bool)
        process_next(now=later(hours=1))
        assert till.receipt(batch_id)["state"] == "received"
        eventually(lambda: seen(HOLDS_ITS_CLAIM), lambda holds: not holds)
    eventually(lambda: (process_waiting(), till.receipt(batch_id)["state"])[1], lambda state: state == "processed")
    os.kill(child, signal.SIGCONT)
    after = till.upload(a_sale(1002)).json()["batch_id"]
    assert outcomes(eventually(lambda: till.receipt(after), lambda receipt: receipt["state"] == "processed")) == [
        "posted"
    ]
    assert outcomes(till.receipt(batch_id)) == ["posted"]
    assert till.shift()["computed"]["order_count"] == 2
    assert children_of(worker.pid) == [child]
