"""`manage.py up` as somebody at a terminal meets it."""

import contextlib
import http.client
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from backoffice.env import names_own_servers, read_stack_file
from backoffice.workbench.embedded.ports import free_port
from tests.integration.embedded.machine import CHECKOUT, OURS, Up, descendants, eventually, status, still_running

Start = Callable[..., Up]


def test_it_answers_tells_where_it_is_lets_no_second_one_in_and_leaves_nothing_behind(up: Start, folder: Path) -> None:
    running = up(folder)
    address = running.wait_until_ready()
    assert status(address) == 200

    addresses = read_stack_file(folder)
    assert addresses["BASE_URL"] == address
    assert len(addresses["SECRET_KEY"]) >= 50
    assert stat.S_IMODE((folder / "env").stat().st_mode) == 0o600
    with redis.Redis.from_url(addresses["REDIS_URL"]) as valkey:
        assert valkey.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
        assert valkey.config_get("append*")["appendfsync"] == "everysec"
    with psycopg.connect(addresses["DATABASE_URL"]) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {name}").fetchone() == ("on",)
        assert connection.execute("SELECT usesuper FROM pg_user WHERE usename = current_user").fetchone() == (False,)

    second = up(folder)
    assert second.process.wait(30) == 1
    assert f"already running in {folder} (process {running.process.pid})" in second.text()
    assert "Traceback" not in second.text()
    assert read_stack_file(folder) == addresses
    assert status(address) == 200

    processes = descendants(running.process.pid)
    assert len(processes) >= 5
    assert running.end(signal.SIGTERM) == 0
    assert still_running(processes) == []
    assert not (folder / "env").exists()
    assert "Traceback" not in running.text()


def test_who_waits_until_it_is_ready_finds_its_addresses(up: Start, folder: Path) -> None:
    port = free_port()
    running = up(folder, "--port", str(port))
    eventually(lambda: is_ready(port), timeout_s=60, saw=running.text, interval_s=0.001)
    assert read_stack_file(folder).get("BASE_URL") == f"http://127.0.0.1:{port}"
    assert status(running.wait_until_ready()) == 200


def is_ready(port: int) -> bool:
    """As cheaply as can be: the moment after the first answer is what is looked at."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def test_after_a_kill_of_the_supervisor_or_of_everything_the_next_one_finds_all_data(up: Start, folder: Path) -> None:
    first = up(folder)
    first.wait_until_ready()
    before = read_stack_file(folder)
    with psycopg.connect(before["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with redis.Redis.from_url(before["REDIS_URL"]) as valkey:
        valkey.set("kept", "42")
    processes = descendants(first.process.pid)
    first.end(signal.SIGKILL)

    second = up(folder)  # at once: the first one's servers may still be ending
    second.wait_until_ready()
    assert still_running(processes) == []
    assert data(folder) == (42, b"42")
    for pid in [*descendants(second.process.pid), second.process.pid]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    second.process.wait(10)

    up(folder).wait_until_ready()
    assert data(folder) == (42, b"42")
    assert read_stack_file(folder)["SECRET_KEY"] == before["SECRET_KEY"]


def data(folder: Path) -> tuple[object, object]:
    """What the first run stored, as the database and the broker have it now."""
    addresses = read_stack_file(folder)
    with (
        psycopg.connect(addresses["DATABASE_URL"]) as connection,
        redis.Redis.from_url(addresses["REDIS_URL"]) as valkey,
    ):
        row = connection.execute("SELECT answer FROM kept").fetchone()
        return row and row[0], valkey.get("kept")


def test_a_taken_port_is_said_before_anything_starts(up: Start, folder: Path) -> None:
    folder.mkdir()
    (folder / "env").write_text("DATABASE_URL=postgresql://of.one.that.was.killed\n")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = up(folder, "--port", str(port))
        assert refused.process.wait(30) == 1
    assert f"Port {port} is in use" in refused.text()
    assert not (folder / "postgres").exists()
    assert not (folder / "env").exists()


def test_named_servers_are_used_and_none_are_started(up: Start, folder: Path) -> None:
    named = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
    running = up(folder, environment=named)
    assert status(running.wait_until_ready()) == 200
    addresses = read_stack_file(folder)
    assert {name: addresses[name] for name in named} == named
    assert not (folder / "postgres").exists()
    assert not (folder / "valkey").exists()


def test_one_named_server_is_not_enough(up: Start, folder: Path) -> None:
    refused = up(folder, environment={"DATABASE_URL": os.environ["DATABASE_URL"]})
    assert refused.process.wait(30) == 1
    assert "Set both DATABASE_URL and REDIS_URL" in refused.text()


@pytest.mark.parametrize("stale", [False, True], ids=["never started", "killed"])
def test_a_command_says_in_plain_words_that_nothing_runs(folder: Path, *, stale: bool) -> None:
    folder.mkdir()
    if stale:
        (folder / "env").write_text(
            f"DATABASE_URL=postgresql://a:b@127.0.0.1:1/c\nREDIS_URL=redis://127.0.0.1:1/0\nBACKOFFICE_STACK={folder}\n"
        )
    program = (
        "import os, sys; from backoffice.env import load_stack_environment; load_stack_environment(sys.argv);"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'backoffice.settings';"
        "import django; django.setup(); from django.db import connection;"
        "from backoffice.management.base import StackCommand;"
        "Look = type('Look', (StackCommand,), {'requires_system_checks': [],"
        "    'handle': lambda self, **options: connection.ensure_connection()});"
        "Look().run_from_argv(['manage.py', 'look', *sys.argv[1:]])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--data-dir", str(folder)],
        env={name: value for name, value in os.environ.items() if name not in OURS},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"CommandError: No Back Office is running in `{folder}`")


def test_addresses_that_a_stack_wrote_are_not_mistaken_for_an_operators_choice() -> None:
    assert names_own_servers({"DATABASE_URL": "postgresql://example"})
    assert not names_own_servers({"DATABASE_URL": "postgresql://example", "BACKOFFICE_STACK": "/somewhere"})
    assert not names_own_servers({})
