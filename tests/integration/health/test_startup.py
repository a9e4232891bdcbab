"""Web, worker and beat refuse to begin on servers that answer and are wrong, and begin where one is merely away."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from django.db import connection
from redis import Redis

from backoffice.embedded import postgres
from backoffice.embedded.ports import free_port
from backoffice.embedded.stack import Stack, StackError
from tests.conftest import CHECKOUT
from tests.integration.ingestion.test_timeouts import environment_of
from tests.journeys.http_till import eventually

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
    log = tmp_path / "log"
    with pytest.MonkeyPatch.context() as patch, log.open("w") as output:
        patch.setitem(postgres.SETTINGS, "fsync", "off")
        with pytest.raises(StackError, match="ended with exit code"), Stack(tmp_path / "data", log=output):
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


def test_with_redis_away_a_worker_waits_for_it(committed_db: None, tmp_path: Path) -> None:
    with started("worker", folder=tmp_path, REDIS_URL=AWAY["REDIS_URL"]) as (process, log):
        eventually(log.read_text, lambda said: "Cannot connect to" in said, patience_s=PATIENCE_S)
        assert process.poll() is None
    assert "refused to start" not in log.read_text()
