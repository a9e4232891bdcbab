"""`manage.py doctor`: each thing that can be wrong with an installation is named, and is nothing else's fault."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery
from django.db import connection
from django.utils import timezone
from redis import Redis

from backoffice.env import STACK_MARK
from backoffice.health import broker, database, doctor
from backoffice.health.backlog import read_backlog
from backoffice.health.doctor import Condition, examine
from backoffice.inbox.models import Batch
from backoffice.ingestion import tasks
from backoffice.sales.models import Shift
from backoffice.workbench.embedded.ports import free_port
from backoffice.workbench.embedded.processes import wait_until
from tests.conftest import CHECKOUT, RunningStack
from tests.integration.ingestion.test_bell import a_redis_on, answers
from tests.journeys.http_till import eventually
from tests.till import Till, a_sale

MARK_ALL_SEALED = """
UPDATE evidence_sealmark SET xid = pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1, row_id = 2^62
"""


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """These servers have no worker: that is found out sooner."""
    monkeypatch.setattr(doctor, "ANSWER_TIMEOUT_S", 0.1)


@pytest.fixture
def redis(settings: Any) -> Iterator[Redis]:
    client = Redis.from_url(settings.REDIS_URL)
    yield client
    client.config_set("maxmemory-policy", "noeviction")
    client.delete(broker.BEAT_TRACE)
    client.close()


def found(verdict: Condition) -> dict[str, str]:
    """All that `doctor` finds of a kind, by what it is about."""
    return {diagnosis.about: diagnosis.said for diagnosis in examine() if diagnosis.verdict == verdict}


def wrong() -> dict[str, str]:
    """What is wrong, but for the worker and the beat that these servers do not have."""
    return {about: said for about, said in found(Condition.WRONG).items() if about not in {"Worker", "Beat"}}


def run_doctor(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        env={**os.environ, **environment},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_of_a_running_stack_nothing_is_wrong(stack: RunningStack) -> None:
    with Redis.from_url(stack.environment["REDIS_URL"]) as running:
        eventually(lambda: running.get(broker.BEAT_TRACE), bool)
    said = stack.manage("doctor")
    assert "Nothing is wrong." in said
    assert "✗" not in said
    for about in (
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "PostgreSQL",
        "Months",
        "Clocks",
        "Inbox",
        "Redis",
        "Broker",
        "Worker",
        "Beat",
    ):
        assert f"✓ {about}: " in said, said
    diagnoses = json.loads(stack.manage("doctor", "--json"))
    assert {diagnosis["verdict"] for diagnosis in diagnoses} <= {"✓", "!"}


def test_servers_that_are_away_are_both_named_with_exit_1() -> None:
    done = run_doctor(DATABASE_URL="postgresql://a:b@127.0.0.1:1/c", REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 1, done.stderr
    said = {diagnosis["about"]: diagnosis for diagnosis in json.loads(done.stdout) if diagnosis["verdict"] == "✗"}
    assert set(said) == {"PostgreSQL", "Redis"}
    assert all("does not answer" in diagnosis["said"] and diagnosis["advice"] for diagnosis in said.values())


@pytest.fixture
def other_redis(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """A Redis of its own, which `doctor` asks instead, as a user whose rights can be changed."""
    port = free_port()
    url = f"redis://somebody:secret@127.0.0.1:{port}/0"
    with a_redis_on(port) as redis:
        assert wait_until(lambda: answers(redis), timeout_s=20)
        redis.execute_command("ACL", "SETUSER", "somebody", "on", ">secret", "~*", "&*", "+@all")
        settings.REDIS_URL = url
        monkeypatch.setattr(doctor, "current_app", Celery("elsewhere", broker=url, set_as_current=False))
        yield redis


def of_the_broker() -> dict[str, tuple[str, str]]:
    return {diagnosis.about: (diagnosis.verdict.value, diagnosis.said) for diagnosis in doctor._broker()}


FULL = ("✗", "is full: it has reached its maxmemory and accepts no messages")


def test_a_redis_that_is_full_is_called_full(other_redis: Redis) -> None:
    other_redis.config_set("maxmemory", "1")
    assert of_the_broker() == {"Redis": FULL}


def test_a_redis_that_fills_up_before_the_worker_is_asked_is_called_full_too(
    other_redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it is an error of Celery's own, not of the client's."""
    other_redis.config_set("maxmemory", "1")
    monkeypatch.setattr(doctor, "_round_trip", lambda: iter(()))
    assert of_the_broker() == {"Redis": FULL}


def test_a_redis_that_does_not_say_its_policy_is_odd_and_the_rest_is_asked(other_redis: Redis) -> None:
    other_redis.execute_command("ACL", "SETUSER", "somebody", "-config", "-info")
    said = of_the_broker()
    assert said["Redis"] == ("!", "answers, and does not say its maxmemory-policy")
    assert said["Broker"] == ("✓", "a message went there and came back")


def test_a_redis_that_refuses_messages_is_quoted(other_redis: Redis) -> None:
    other_redis.execute_command("ACL", "SETUSER", "somebody", "-lpush", "-sadd")
    verdict, said = of_the_broker()["Redis"]
    assert (verdict, said.partition(":")[0]) == ("✗", "answers, and refuses")


def test_no_running_stack_is_said_in_words(tmp_path: Any) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL", STACK_MARK}}
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--data-dir", str(tmp_path)],
        env=clean,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert "No Back Office is running" in done.stderr


def test_what_weakens_signing_in_is_told(settings: Any) -> None:
    def said() -> dict[str, str]:
        return {each.about: each.verdict.value for each in doctor._signing_in()}

    assert said() == {"SECOND_FACTOR": "✓"}
    settings.SECOND_FACTOR, settings.SESSION_IDLE_MINUTES, settings.SESSION_HOURS = False, 600, 72
    settings.ASK_AGAIN_MINUTES = 1440
    names = ("SECOND_FACTOR", "SESSION_IDLE_MINUTES", "SESSION_HOURS", "ASK_AGAIN_MINUTES")
    assert said() == dict.fromkeys(names, "!")


@pytest.mark.django_db
class TestWithAllElseRight:
    """One thing is wrong at a time."""

    @pytest.fixture(autouse=True)
    def nothing_of_other_tests_waits(self, db: None) -> None:
        Batch.objects.exclude(state="processed").update(state="processed", processed_at=timezone.now())
        with connection.cursor() as cursor:
            cursor.execute(MARK_ALL_SEALED)

    def test_entries_that_nobody_seals(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(doctor.backlog, "oldest_unsealed_s", lambda **_: 901.0)
        assert wrong() == {"Seals": "the oldest entry without a seal is 901 s old"}

    def test_a_worker_and_a_beat_that_are_not_there(self, redis: Redis) -> None:
        redis.delete(broker.BEAT_TRACE)
        said = found(Condition.WRONG)
        assert said == {"Worker": "none answered within 0.1 s", "Beat": "has left no trace"}

    def test_a_worker_that_answers(self, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            doctor.current_app, "send_task", lambda _name, task_id, **_: tasks.answer.apply(task_id=task_id)
        )
        assert "Worker" in found(Condition.FINE)

    def test_a_beat_that_stopped(self, redis: Redis) -> None:
        broker.leave_beat_trace()
        assert found(Condition.FINE)["Beat"].startswith("asked for a sweep 0 s ago")
        redis.set(broker.BEAT_TRACE, "1")
        assert "asked for no sweep" in found(Condition.WRONG)["Beat"]

    def test_a_policy_that_drops_messages(self, redis: Redis) -> None:
        redis.config_set("maxmemory-policy", "allkeys-lru")
        assert wrong() == {"Redis": "the broker's maxmemory-policy is allkeys-lru; set it to noeviction"}

    def test_migrations_that_are_not_applied(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'sales'")
        assert "migrations are not applied" in wrong()["PostgreSQL"]

    def test_commits_that_do_not_wait_for_the_disk(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
        assert wrong() == {
            "PostgreSQL": "PostgreSQL runs with synchronous_commit = off: what is answered 2xx could be lost"
        }

    def test_a_role_with_too_many_rights(self, monkeypatch: pytest.MonkeyPatch) -> None:
        books = "may change ledger_entrysource, ledger_journalentry, ledger_journalline, ledger_periodlock"
        assert found(Condition.ODD)["Rights"].endswith(books)
        monkeypatch.delenv(STACK_MARK)
        assert wrong()["Rights"].endswith(books)

    def test_a_month_that_is_missing(self) -> None:
        today = timezone.now().date()
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE ledger_journalline DETACH PARTITION ledger_journalline_{today:%Y%m}")
        assert wrong() == {"Months": f"not made: ledger_journalline {today:%Y-%m}"}

    def test_rows_in_a_default_partition(self) -> None:
        till = Till()
        till.open(opened_at="2041-05-15T08:00:00Z")
        till.sell(a_sale(1001, opened_at="2041-05-15T09:00:00Z", closed_at="2041-05-15T09:01:00Z"))
        rows = database.rows_without_month()
        assert (rows["sales_order"], rows["sales_payment"]) == (1, 1)
        assert rows["ledger_journalline"] >= 2
        assert "sales_order 1" in found(Condition.ODD)["Months"]

    def test_rows_in_the_gap_between_two_months(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT sales_create_month('2041-04-01'), sales_create_month('2041-06-01')")
        till = Till()
        for month, expected in (("04", 0), ("06", 0), ("05", 1), ("07", 2)):
            other = Till(till.store, name=f"Till {month}")
            other.open(opened_at=f"2041-{month}-15T08:00:00Z")
            other.sell(a_sale(1001, opened_at=f"2041-{month}-15T09:00:00Z", closed_at=f"2041-{month}-15T09:01:00Z"))
            assert database.rows_without_month()["sales_order"] == expected, month

    def test_a_clock_that_is_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Ahead:
            @staticmethod
            def now() -> Any:
                return timezone.now() + timedelta(minutes=2)

        monkeypatch.setattr(database, "timezone", Ahead)
        assert "behind ours" in wrong()["Clocks"]

    def test_a_batch_that_nobody_processes(self) -> None:
        till = Till()
        till.open()
        till.upload(a_sale(1001))
        long_ago = timezone.now() - timedelta(minutes=6)
        Batch.objects.filter(terminal=till.terminal).update(received_at=long_ago, due_at=long_ago)
        assert wrong() == {"Inbox": "batches waiting: 1, the oldest for 360 s"}

    def test_a_failed_batch(self) -> None:
        till = Till()
        till.open()
        till.upload(a_sale(1001))
        Batch.objects.filter(terminal=till.terminal).update(
            state="failed", due_at=timezone.now() + timedelta(minutes=9)
        )
        assert wrong() == {"Inbox": "batches failed: 1. Their orders are not in the books"}

    def test_a_till_that_went_silent_and_a_shift_that_does_not_close(self) -> None:
        before = read_backlog(now=timezone.now())
        silent, closing = Till(), Till()
        silent.open()
        closing.open()
        closing.close(a_sale(1001), batches=[uuid4()])
        long_ago = timezone.now() - timedelta(hours=2)
        Shift.objects.filter(terminal__in=[silent.terminal, closing.terminal]).update(received_at=long_ago)
        Shift.objects.filter(terminal=closing.terminal).update(close_received_at=long_ago)
        now = read_backlog(now=timezone.now())
        assert (now.silent_terminals, now.closing_too_long) == (
            before.silent_terminals + 1,
            before.closing_too_long + 1,
        )
        assert {"Terminals", "Shifts"} <= found(Condition.ODD).keys()
        silent.upload(a_sale(1001))
        assert read_backlog(now=timezone.now()).silent_terminals == before.silent_terminals

    @pytest.mark.parametrize(
        ("name", "value", "about"),
        [
            ("DEBUG", True, "DEBUG"),
            ("ALLOWED_HOSTS", ["*"], "ALLOWED_HOSTS"),
            ("BASE_URL", "http://shop.example", "BASE_URL"),
        ],
    )
    def test_a_setting_that_is_not_for_production(self, settings: Any, name: str, value: Any, about: str) -> None:
        setattr(settings, name, value)
        assert set(wrong()) == {about}

    @pytest.mark.parametrize("key", ["", "short"])
    def test_a_key_that_signs_nothing(self, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
        monkeypatch.setenv("SECRET_KEY", key)
        assert set(wrong()) == {"SECRET_KEY"}

    def test_a_disk_that_is_full(self, monkeypatch: pytest.MonkeyPatch) -> None:
        usage = shutil.disk_usage("/")._replace(total=100, free=3)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
        assert wrong() == {"Disk": "3% of it is free"}
