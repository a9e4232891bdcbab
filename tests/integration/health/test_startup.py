"""Web, worker and beat refuse to begin on servers that answer and are wrong, and begin where one is merely away: it is asked later."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from django.db import connection
from redis import Redis

from backoffice.health.startup import REFUSED
from backoffice.workbench.embedded import postgres
from backoffice.workbench.embedded.ports import free_port
from backoffice.workbench.embedded.stack import Stack, StackError
from tests.conftest import CHECKOUT
from tests.integration.ingestion.test_bell import a_redis_on, answers
from tests.integration.ingestion.test_timeouts import environment_of
from tests.journeys.http_till import eventually
from tests.migrated import migrated
from tests.till import Till, a_sale

PATIENCE_S = 60
AWAY = {"DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c", "REDIS_URL": "redis://127.0.0.1:1/0"}


def command(role: str, *, folder: Path, port: int) -> list[str]:
    """As production starts it, but for what says where and how many."""
    celery = ["celery", "--app=backoffice", "--quiet"]
    words = {
        "web": [
            *("granian", "--interface=rsgi", "--host=127.0.0.1", f"--port={port}", "--workers=1", "--no-ws"),
            *(
                "--log-level=warning",
                "--workers-kill-timeout=3",
                "--respawn-failed-workers",
                "backoffice.rsgi:application",
            ),
        ],
        "worker": [*celery, "worker", "--pool=prefork", "--concurrency=1"],
        "beat": [*celery, "beat", f"--schedule={folder / 'beat-schedule'}", "--pidfile="],
    }
    return [sys.executable, "-m", *words[role]]


@contextmanager
def started(
    role: str, *, folder: Path, port: int = 0, **environment: str
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The process of a role on the tests' servers, and its log."""
    log = folder / f"{role}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(role, folder=folder, port=port),
            env=environment_of(role) | environment,
            cwd=CHECKOUT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process, log
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def refusal(role: str, *, folder: Path, **environment: str) -> str:
    """What a role says when it ends by itself, with an error, before it does anything."""
    with started(role, folder=folder, port=free_port(), **environment) as (process, log):
        assert process.wait(PATIENCE_S) != 0
        said = log.read_text()
    assert "refused to start" in said
    assert "Traceback" not in said
    return said


@pytest.fixture
def dropping_broker(settings: Any) -> Iterator[None]:
    with Redis.from_url(settings.REDIS_URL) as client:
        client.config_set("maxmemory-policy", "volatile-ttl")
        yield
        client.config_set("maxmemory-policy", "noeviction")


@pytest.mark.parametrize("role", ["web", "worker", "beat"])
def test_a_broker_that_drops_messages_is_refused(
    committed_db: None, dropping_broker: None, tmp_path: Path, role: str
) -> None:
    assert "maxmemory-policy is volatile-ttl; set it to noeviction" in refusal(role, folder=tmp_path)


def test_commits_that_do_not_wait_for_the_disk_are_refused(committed_db: None, tmp_path: Path) -> None:
    url = environment_of("command")["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as owner:
        database = connection.settings_dict["NAME"]
        owner.execute(f'ALTER DATABASE "{database}" SET synchronous_commit = off')
        try:
            assert "synchronous_commit = off" in refusal("worker", folder=tmp_path)
        finally:
            owner.execute(f'ALTER DATABASE "{database}" RESET synchronous_commit')


def test_a_postgresql_that_does_not_wait_for_its_disk_is_refused(tmp_path: Path) -> None:
    log, data = tmp_path / "log", migrated(tmp_path / "data")
    with pytest.MonkeyPatch.context() as patch, log.open("w") as output:
        patch.setitem(postgres.SETTINGS, "fsync", "off")
        with pytest.raises(StackError, match="ended with exit code"), Stack(data, log=output):
            pytest.fail("it came up")
    assert "PostgreSQL runs with fsync = off: what is answered 2xx could be lost" in log.read_text()


def test_migrations_that_are_not_applied_are_refused(committed_db: None, tmp_path: Path) -> None:
    url = environment_of("command")["DATABASE_URL"]
    empty = url.rpartition("/")[0] + "/not_migrated"
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("DROP DATABASE IF EXISTS not_migrated")
        owner.execute("CREATE DATABASE not_migrated")
        try:
            assert "migrations are not applied" in refusal("worker", folder=tmp_path, DATABASE_URL=empty)
        finally:
            owner.execute("DROP DATABASE not_migrated WITH (FORCE)")


def test_with_both_servers_away_web_comes_up_and_says_503(committed_db: None, tmp_path: Path) -> None:
    port = free_port()

    def ask(path: str) -> int:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/{path}", timeout=30).status_code
        except httpx.TransportError:
            return 0

    with started("web", folder=tmp_path, port=port, **AWAY) as (process, log):
        eventually(lambda: ask("livez"), lambda status: status == 200, patience_s=PATIENCE_S)
        assert ask("readyz") == 503
        assert process.poll() is None
    assert "refused to start" not in log.read_text()


@pytest.mark.parametrize(("synchronous_commit", "answered"), [("on", 202), ("off", 503)])
def test_a_postgresql_that_was_away_is_looked_at_before_it_is_used(
    committed_db: None, tmp_path: Path, synchronous_commit: str, answered: int
) -> None:
    till, port = Till(), free_port()
    till.open()
    base_url = f"http://127.0.0.1:{port}"
    batch = f"{base_url}/api/v1/shifts/{till.shift_id}/batches/{uuid4()}"

    def reasons() -> list[str]:
        try:
            return httpx.get(f"{base_url}/readyz", timeout=30).json()["reasons"]
        except httpx.TransportError:
            return ["web does not answer"]

    order = a_sale(1001)

    def upload() -> int:
        headers = {"Authorization": f"Bearer {till.token}"}
        return httpx.put(batch, json={"orders": [order]}, headers=headers, timeout=30).status_code

    database = connection.settings_dict["NAME"]
    url = environment_of("command")["DATABASE_URL"].rpartition("/")[0] + "/postgres"
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false')
        try:
            with started("web", folder=tmp_path, port=port) as (process, log):
                eventually(reasons, lambda said: said == ["PostgreSQL does not answer"], patience_s=PATIENCE_S)
                owner.execute(f'ALTER DATABASE "{database}" SET synchronous_commit = {synchronous_commit}')
                owner.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true')
                unsafe = "PostgreSQL runs with synchronous_commit = off: what is answered 2xx could be lost"
                wanted = [unsafe] * (synchronous_commit == "off")
                eventually(reasons, lambda said: said == wanted, patience_s=PATIENCE_S)
                assert upload() == answered
                assert process.poll() is None
        finally:
            owner.execute(f'ALTER DATABASE "{database}" RESET synchronous_commit')
            owner.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true')
    told = [line for line in log.read_text().splitlines() if "PostgreSQL is not used" in line]
    assert len(told) == (synchronous_commit == "off")
    assert all("level=critical" in line for line in told)
    assert till.send("GET", f"batches/{batch.rpartition('/')[2]}").status_code == (200 if answered == 202 else 404)


def test_a_broker_that_was_away_and_drops_messages_is_refused_once_it_answers(
    committed_db: None, tmp_path: Path
) -> None:
    port = free_port()
    with started("worker", folder=tmp_path, REDIS_URL=f"redis://127.0.0.1:{port}/0") as (process, log):
        eventually(log.read_text, lambda said: "Cannot connect to" in said, patience_s=PATIENCE_S)
        with a_redis_on(port, "--maxmemory-policy", "volatile-ttl"):
            assert process.wait(PATIENCE_S) == REFUSED
    said = log.read_text()
    assert "maxmemory-policy is volatile-ttl; set it to noeviction" in said
    assert "Traceback" not in said


def test_a_broker_that_does_not_say_its_policy_is_warned_of_and_used(committed_db: None, tmp_path: Path) -> None:
    port, till = free_port(), Till()
    till.open()
    with a_redis_on(port) as broker:
        eventually(lambda: answers(broker), bool)
        broker.execute_command("ACL", "SETUSER", "somebody", "on", ">secret", "~*", "&*", "+@all", "-config", "-info")
        with started("worker", folder=tmp_path, REDIS_URL=f"redis://somebody:secret@127.0.0.1:{port}/0") as (_, log):
            eventually(log.read_text, lambda said: "Redis does not say it" in said, patience_s=PATIENCE_S)
            batch_id = till.upload(a_sale(1001)).json()["batch_id"]
            # The bell was rung at the tests' own broker: this one is rung by the worker that hears it.
            eventually(
                lambda: till.receipt(batch_id)["state"], lambda state: state == "processed", patience_s=PATIENCE_S
            )
    assert "setting=maxmemory-policy" in log.read_text()
    assert "refused to start" not in log.read_text()


def test_migrations_that_may_not_be_seen_are_refused(committed_db: None, tmp_path: Path) -> None:
    url = environment_of("command")["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("REVOKE SELECT ON django_migrations FROM CURRENT_USER")
        try:
            assert "deploy/postgres/grants.sql" in refusal("worker", folder=tmp_path)
        finally:
            owner.execute("GRANT SELECT ON django_migrations TO CURRENT_USER")


def test_with_redis_away_a_worker_waits_for_it(committed_db: None, tmp_path: Path) -> None:
    with started("worker", folder=tmp_path, REDIS_URL=AWAY["REDIS_URL"]) as (process, log):
        eventually(log.read_text, lambda said: "Cannot connect to" in said, patience_s=PATIENCE_S)
        assert process.poll() is None
    assert "refused to start" not in log.read_text()
