"""The stack as Python code uses it, and what it does when its children die."""

import os
import signal
import subprocess
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from backoffice.env import read_stack_file
from backoffice.workbench.embedded import StackError, identity, launch, stack
from backoffice.workbench.embedded.folder import DataFolder
from backoffice.workbench.embedded.leftovers import end_leftovers
from backoffice.workbench.embedded.log import Log
from backoffice.workbench.embedded.ports import free_port
from backoffice.workbench.embedded.postgres import Postgres
from backoffice.workbench.embedded.processes import Child
from backoffice.workbench.embedded.servers import start_with_retries
from backoffice.workbench.embedded.stack import Stack
from backoffice.workbench.embedded.valkey import Valkey
from backoffice.workbench.embedded.watch import Watch
from tests.integration.embedded.machine import eventually, state, status

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")


@pytest.fixture(scope="module")
def log() -> StringIO:
    return StringIO()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, log: StringIO) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("stack") / "data", log=log) as stack:
        yield stack


@pytest.mark.parametrize("name", ["web", "worker", "beat", "valkey", "postgres"])
def test_a_killed_child_is_started_again_and_the_log_says_so(running: Stack, log: StringIO, name: str) -> None:
    killed = running.pids[name]
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: running.pids.get(name) not in {None, killed}, saw=log.getvalue)
    assert f"{name} was ended by SIGKILL: starting it again in" in log.getvalue()
    eventually(lambda: is_at_work(running), saw=log.getvalue)


def is_at_work(stack: Stack) -> bool:
    try:
        with psycopg.connect(stack.environment["DATABASE_URL"], connect_timeout=2) as connection:
            connection.execute("SELECT 1")
        with redis.Redis.from_url(stack.environment["REDIS_URL"]) as valkey:
            valkey.ping()
    except (psycopg.OperationalError, redis.RedisError):
        return False
    return len(stack.pids) == 5 and status(stack.base_url) == 200


def test_a_child_that_keeps_dying_is_started_ever_more_rarely(tmp_path: Path) -> None:
    output = StringIO()
    child = Child(name="web", command=["/bin/false"], log=Log(output), directory=tmp_path, environment={})
    child.start()
    watch = Watch([child], log=Log(output))
    watch.start()
    eventually(lambda: "again in 0.8 s" in output.getvalue(), saw=output.getvalue)
    watch.stop()
    assert output.getvalue().index("again in 0.2 s") < output.getvalue().index("again in 0.4 s")


def test_a_child_that_does_not_end_is_killed_with_all_it_started(tmp_path: Path) -> None:
    output = StringIO()
    stubborn = ["/bin/sh", "-c", "trap '' TERM; sleep 600 & echo child $!; wait; sleep 600"]
    child = Child(
        name="web",
        command=stubborn,
        log=Log(output),
        directory=tmp_path,
        environment=dict(os.environ),
        stop_timeout_s=0.2,
    )
    child.start()
    eventually(lambda: "child" in output.getvalue())
    grandchild = int(output.getvalue().split()[-1])
    child.stop()
    assert "did not end within 0.2 s: killed" in output.getvalue()
    eventually(lambda: state(grandchild) in {"", "Z"})


def test_a_process_that_took_a_dead_servers_number_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    with subprocess.Popen(["/bin/sleep", "600"]) as stranger:
        pid_file = f"{stranger.pid}\n/data\n1700000000\n5432\n\n127.0.0.1\n\nready\n"
        (tmp_path / "postgres" / "postmaster.pid").write_text(pid_file)
        end_leftovers(tmp_path, token="no such token")
        assert stranger.poll() is None
        stranger.kill()
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()


@pytest.mark.parametrize("dies", ["web", "worker"])
def test_a_stack_that_does_not_come_up_leaves_no_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    seen: list[str] = []

    def child(role: str, *_: object, **options: Any) -> Child:
        seen.append(read_stack_file(tmp_path).get("BASE_URL", ""))
        command = ["/bin/false"] if role == dies else ["/bin/sleep", "600"]
        return Child(name=role, command=command, directory=tmp_path, **options)

    monkeypatch.setattr(stack, "role_child", child)
    servers = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
    broken = Stack(tmp_path, environment=servers, log=StringIO())
    with pytest.raises(StackError, match=f"{dies} ended with exit code 1"):
        broken.start()
    assert set(seen) == {broken.base_url}
    assert not (tmp_path / "env").exists()


def test_one_that_finds_another_running_leaves_the_others_addresses_alone(running: Stack) -> None:
    addresses = read_stack_file(running.data_dir)
    second = Stack(running.data_dir, log=StringIO())
    with pytest.raises(StackError, match="already running"):
        second.start()
    second.stop()
    assert read_stack_file(running.data_dir) == addresses
    assert addresses["BASE_URL"] == running.base_url


def test_secrets_are_made_once_and_are_private(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "new")
    folder.acquire()
    first = folder.secrets()
    assert folder.secrets() == first
    assert len(set(first.values())) == len(first)
    assert (tmp_path / "new" / "secrets.json").stat().st_mode & 0o077 == 0
    folder.release()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"token": 5}'])
def test_secrets_that_were_lost_are_said_plainly_and_not_made_anew(tmp_path: Path, damage: str) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.acquire()
    folder.secrets()
    (tmp_path / "data" / "secrets.json").write_text(damage)
    with pytest.raises(StackError, match=r"secrets\.json is damaged"):
        folder.secrets()
    assert (tmp_path / "data" / "secrets.json").read_text() == damage
    folder.release()


def test_a_valkey_whose_file_is_broken_starts_afresh_and_keeps_the_file_aside(tmp_path: Path) -> None:
    said = StringIO()
    valkey = Valkey(tmp_path / "valkey", password="of-this-test", log=Log(said))
    start_with_retries(valkey)
    valkey.stop()
    for path in (tmp_path / "valkey" / "appendonlydir").glob("*.aof"):
        path.write_bytes(path.read_bytes() + b"garbage" * 100 + b"\r\n*3\r\n")
    try:
        start_with_retries(valkey)
        with redis.Redis.from_url(valkey.url) as client:
            assert client.ping()
    finally:
        valkey.stop()
    assert (tmp_path / "valkey" / "appendonlydir.broken-1").is_dir()
    assert "appendonlydir.broken-1; nothing in it is needed" in said.getvalue()


def test_a_folder_that_cannot_be_made_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StackError, match="cannot be used: Not a directory"):
        DataFolder(tmp_path / "file" / "data").acquire()


@as_root
@pytest.mark.parametrize("attempts", [[identity.namespace], [identity.nobody]], ids=["namespace", "nobody"])
def test_root_gets_a_postgres_below_folders_that_only_root_may_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attempts: list[object]
) -> None:
    monkeypatch.setattr(identity, "ATTEMPTS", attempts)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    output = StringIO()
    answers = []
    for _ in range(2):  # made by the first start, found by the second
        server = Postgres(closed / "postgres", password="secret", log=Log(output))
        try:
            server.start(free_port())
            with psycopg.connect(server.url) as connection:
                answers.append(connection.execute("SELECT current_user").fetchone())
        except StackError as error:
            if "could not become another user" in str(error):
                pytest.skip(str(error))
            raise AssertionError(output.getvalue()) from error
        finally:
            server.stop()
    assert answers == [("backoffice",)] * 2
    assert not identity.copy_of(closed / "postgres").exists()


@as_root
def test_data_that_another_identity_made_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for attempt in (identity.nobody, identity.namespace, identity.nobody):
        monkeypatch.setattr(identity, "ATTEMPTS", [attempt])
        server = Postgres(tmp_path / "postgres", password="secret", log=Log(StringIO()))
        try:
            server.start(free_port())
        except StackError as error:
            pytest.skip(str(error))
        finally:
            server.stop()


@as_root
def test_where_root_can_become_nobody_the_error_lists_what_was_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> identity.OsIdentity:
        """a door that is shut"""
        raise PermissionError(1, "not here")

    monkeypatch.setattr(identity, "ATTEMPTS", [refuse])
    with pytest.raises(StackError, match=r"(?s)a door that is shut: .*not here.*ordinary user.*DATABASE_URL"):
        identity.find_identity(tmp_path)


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    output = StringIO()
    child = Child(name="web", command=["/no/such/program"], log=Log(output), directory=tmp_path, environment={})
    child.start()
    eventually(lambda: "/no/such/program" in output.getvalue())
    assert child.ending() in {None, f"ended with exit code {launch.FAILED}"}
    child.stop()
