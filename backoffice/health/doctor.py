"""The checks of `manage.py doctor`: every part of an installation."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from queue import Empty
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

from celery import current_app
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import KombuError
from redis.exceptions import OutOfMemoryError, RedisError, ResponseError

from backoffice.env import STACK_MARK
from backoffice.health import backlog, broker, database
from backoffice.health.readiness import DATABASE_AWAY, database_faults, policy_faults

ANSWER_TASK = "backoffice.ingestion.tasks.answer"
# A busy worker may have 200 batches to finish first.
ANSWER_TIMEOUT_S = 20.0
BEAT_SILENT_S = 60.0
MONTHS_NEEDED = 2
CLOCK_ODD_S, CLOCK_WRONG_S = 1.0, 60.0
DISK_ODD, DISK_WRONG = 0.20, 0.05
SHORTEST_KEY = 32
# Beyond these, a browser that was left open is as good as a password.
LONGEST_SIGNED_IN = {"SESSION_IDLE_MINUTES": 120, "SESSION_HOURS": 24, "ASK_AGAIN_MINUTES": 60}


class Condition(StrEnum):
    """Fine; odd, which somebody should know about; wrong, which somebody must mend."""

    FINE = "✓"
    ODD = "!"
    WRONG = "✗"


class Diagnosis(NamedTuple):
    """One check: what it is about, what was found and, unless that is fine, what to do. `doctor --json` has these names."""

    verdict: Condition
    about: str
    said: str
    advice: str = ""


def examine() -> Iterator[Diagnosis]:
    """All diagnoses, each as soon as it is known. Waits for a worker's answer for ANSWER_TIMEOUT_S at most."""
    yield from _settings()
    yield from _signing_in()
    yield from _database()
    yield from _broker()
    yield from _disk()


def _settings() -> Iterator[Diagnosis]:
    key = os.environ.get("SECRET_KEY", "")
    if len(key) < SHORTEST_KEY:
        said = "is short" if key else "is not set: anybody who knows the source code can sign sessions"
        yield Diagnosis(Condition.WRONG, "SECRET_KEY", said, "Set it to what `openssl rand -hex 48` prints.")
    else:
        yield Diagnosis(Condition.FINE, "SECRET_KEY", "is set")
    if settings.DEBUG:
        yield Diagnosis(Condition.WRONG, "DEBUG", "is on: error pages show settings and data", "Leave DEBUG = False.")
    hosts = ", ".join(settings.ALLOWED_HOSTS)
    if "*" in settings.ALLOWED_HOSTS:
        yield Diagnosis(
            Condition.WRONG, "ALLOWED_HOSTS", "accepts any name", "List the service's own names, and 127.0.0.1."
        )
    elif "127.0.0.1" not in settings.ALLOWED_HOSTS:
        yield Diagnosis(Condition.ODD, "ALLOWED_HOSTS", hosts, "Add 127.0.0.1, which health checks use.")
    else:
        yield Diagnosis(Condition.FINE, "ALLOWED_HOSTS", hosts)
    address = urlsplit(settings.BASE_URL)
    if address.scheme != "https" and address.hostname not in {"127.0.0.1", "localhost", "::1"}:
        yield Diagnosis(
            Condition.WRONG, "BASE_URL", f"{settings.BASE_URL} is not https", "Put TLS in front of the web server."
        )


def _signing_in() -> Iterator[Diagnosis]:
    """What makes it easier to come into the console than it should be. See docs/signing-in.md."""
    if settings.SECOND_FACTOR:
        yield Diagnosis(Condition.FINE, "SECOND_FACTOR", "is asked of whoever may do more than read")
    else:
        said = "is off: whoever learns a password may decide and manage"
        yield Diagnosis(Condition.ODD, "SECOND_FACTOR", said, "Leave it out, unless this is a demonstration.")
    for name, most in LONGEST_SIGNED_IN.items():
        if (value := getattr(settings, name)) > most:
            said = f"is {value}: who finds a browser left open can use it for longer than need be"
            yield Diagnosis(Condition.ODD, name, said, f"{most} is long already.")


def _database() -> Iterator[Diagnosis]:
    try:
        version, (role, is_superuser) = database.version(), database.role()
        enough = version >= database.OLDEST_SUPPORTED
        yield Diagnosis(
            Condition.FINE if enough else Condition.WRONG,
            "PostgreSQL",
            f"answers: version {version}, as role {role}",
            "" if enough else f"Version {database.OLDEST_SUPPORTED} is the oldest that works.",
        )
        faults = database_faults()
        for fault in faults:
            yield Diagnosis(Condition.WRONG, "PostgreSQL", fault, "See docs/operations.md, Health.")
        if database.unapplied_migrations():
            return  # the next checks read tables that may not exist yet
        if not faults:
            yield Diagnosis(Condition.FINE, "PostgreSQL", "its tables fit the code, and commits are durable")
        yield from _rights(role, is_superuser=is_superuser)
        yield from _months()
        yield from _clocks()
        yield from _backlog()
    except DATABASE_AWAY as error:
        why = str(error).strip().partition("\n")[0]
        yield Diagnosis(Condition.WRONG, "PostgreSQL", f"does not answer: {why}", "Start it, or correct DATABASE_URL.")


def _rights(role: str, *, is_superuser: bool) -> Iterator[Diagnosis]:
    books = database.changeable_books()
    if not books and not is_superuser:
        yield Diagnosis(Condition.FINE, "Rights", f"role {role} can add to the books and change nothing in them")
        return
    said = f"role {role} " + ("is a superuser" if is_superuser else f"may change {', '.join(books)}")
    # The embedded server has one role, which owns everything: only triggers guard its books.
    embedded = STACK_MARK in os.environ
    advice = "Good enough for trying it out. With real money," if embedded else "Log in as role backoffice:"
    yield Diagnosis(
        Condition.ODD if embedded and not is_superuser else Condition.WRONG,
        "Rights",
        said,
        f"{advice} give it the rights in deploy/postgres/grants.sql and no more.",
    )


def _months() -> Iterator[Diagnosis]:
    missing = database.missing_months(today=timezone.now().date(), ahead=MONTHS_NEEDED)
    if missing:
        advice = "Beat has them created every hour: see whether it runs, and what the worker logs about months."
        yield Diagnosis(Condition.WRONG, "Months", f"not made: {', '.join(missing)}", advice)
    else:
        yield Diagnosis(Condition.FINE, "Months", f"this one and the next {MONTHS_NEEDED} have their partitions")
    outside = {table: count for table, count in database.rows_without_month().items() if count}
    if outside:
        counted = ", ".join(
            f"{table} {count}{' or more' * (count == database.MOST_ROWS_COUNTED)}" for table, count in outside.items()
        )
        advice = "They count like all others. A till's clock may be wrong, or a month was created too late."
        yield Diagnosis(Condition.ODD, "Months", f"rows in the default partition: {counted}", advice)
    else:
        yield Diagnosis(Condition.FINE, "Months", "the default partitions are empty")


def _clocks() -> Iterator[Diagnosis]:
    seconds = database.clock_difference().total_seconds()
    said = f"PostgreSQL's is {abs(seconds):.3f} s {'ahead of' if seconds > 0 else 'behind'} ours"
    if abs(seconds) < CLOCK_ODD_S:
        yield Diagnosis(Condition.FINE, "Clocks", said)
    else:
        verdict = Condition.ODD if abs(seconds) < CLOCK_WRONG_S else Condition.WRONG
        yield Diagnosis(verdict, "Clocks", said, "Run NTP on both machines.")


def _backlog() -> Iterator[Diagnosis]:
    found = backlog.read_backlog(now=timezone.now())
    waits = f"batches waiting: {found.waiting}, the oldest for {found.oldest_s:.0f} s"
    if found.oldest_s > backlog.WAITED_TOO_LONG_S:
        yield Diagnosis(Condition.WRONG, "Inbox", waits, "See docs/operations.md, Orders wait.")
    else:
        yield Diagnosis(Condition.FINE, "Inbox", waits if found.waiting else "nothing is waiting")
    if found.failed:
        said = f"batches failed: {found.failed}. Their orders are not in the books"
        yield Diagnosis(Condition.WRONG, "Inbox", said, "See docs/operations.md, A batch is failed.")
    else:
        yield Diagnosis(Condition.FINE, "Inbox", "no batch has failed")
    sealed = f"the oldest entry without a seal is {found.unsealed_s:.0f} s old" if found.unsealed_s else "all is sealed"
    if found.unsealed_s > backlog.UNSEALED_TOO_LONG_S:
        yield Diagnosis(Condition.WRONG, "Seals", sealed, "See docs/operations.md, Seals are late.")
    else:
        yield Diagnosis(Condition.FINE, "Seals", sealed)
    if found.unstamped.seconds:
        said = f"a checkpoint has waited for {found.unstamped.seconds / 3600:.0f} h: {found.unstamped.error}"
        too_long = found.unstamped.seconds > backlog.UNSTAMPED_TOO_LONG_S
        advice = "It is asked for again every 15 minutes: docs/evidence.md, Time stamps."
        yield Diagnosis(Condition.ODD if too_long else Condition.FINE, "Time stamp", said, advice if too_long else "")
    if found.silent_terminals:
        said = f"{found.silent_terminals} with an open shift have not been heard from for {settings.SILENT_AFTER_MINUTES} minutes"
        yield Diagnosis(Condition.ODD, "Terminals", said, "They may be offline: the console names them.")
    if found.closing_too_long:
        said = f"{found.closing_too_long} that closed at least an hour ago still lack something"
        yield Diagnosis(Condition.ODD, "Shifts", said, "The console says what is missing.")


def _broker() -> Iterator[Diagnosis]:
    try:
        policy = broker.eviction_policy()
        faults = policy_faults(policy)
        for fault in faults:
            yield Diagnosis(Condition.WRONG, "Redis", fault, "See docs/operations.md, Health.")
        if policy is None:
            advice = "Make sure that it is noeviction, or allow us to run INFO."
            yield Diagnosis(Condition.ODD, "Redis", "answers, and does not say its maxmemory-policy", advice)
        elif not faults:
            yield Diagnosis(Condition.FINE, "Redis", "answers, and drops no messages")
        yield from _round_trip()
        yield from _worker()
        yield from _beat()
    except (RedisError, KombuError) as error:
        yield _redis_failed(error.__cause__ if isinstance(error, KombuError) and error.__cause__ else error)


def _redis_failed(error: BaseException) -> Diagnosis:
    if isinstance(error, OutOfMemoryError):
        said = "is full: it has reached its maxmemory and accepts no messages"
        return Diagnosis(Condition.WRONG, "Redis", said, "See docs/operations.md, Redis is down, step 3.")
    said = "answers, and refuses" if isinstance(error, ResponseError) else "does not answer"
    return Diagnosis(Condition.WRONG, "Redis", f"{said}: {error}", "See docs/operations.md, Redis is down.")


def _round_trip() -> Iterator[Diagnosis]:
    """Sends a message through Celery's transport, in a queue of its own, and reads it back."""
    sent = uuid4().hex
    try:
        with (
            current_app.connection_for_write() as link,
            closing(link.SimpleQueue(f"backoffice-doctor-{sent}")) as queue,
        ):
            queue.put(sent)
            message = queue.get(timeout=2)
            message.ack()
            queue.queue.delete()
    except Empty:
        yield Diagnosis(
            Condition.WRONG, "Broker", "a message did not come back", "Do the workers have the same REDIS_URL?"
        )
    else:
        yield Diagnosis(Condition.FINE, "Broker", "a message went there and came back")


def _worker() -> Iterator[Diagnosis]:
    token, began = uuid4().hex, time.monotonic()
    current_app.send_task(ANSWER_TASK, task_id=token, expires=ANSWER_TIMEOUT_S)
    while not broker.answered(token):
        if time.monotonic() - began > ANSWER_TIMEOUT_S:
            said = f"none answered within {ANSWER_TIMEOUT_S:g} s"
            yield Diagnosis(
                Condition.WRONG, "Worker", said, "Start one. If all are busy, watch whether the inbox drains."
            )
            return
        time.sleep(0.02)
    yield Diagnosis(Condition.FINE, "Worker", f"one answered in {time.monotonic() - began:.2f} s")


def _beat() -> Iterator[Diagnosis]:
    silent_s = broker.beat_silent_s()
    if silent_s is not None and silent_s < BEAT_SILENT_S:
        yield Diagnosis(Condition.FINE, "Beat", f"asked for a sweep {silent_s:.0f} s ago")
        return
    said = "has left no trace" if silent_s is None else f"asked for no sweep for {silent_s:.0f} s"
    advice = "Start it. Workers go on finding batches by themselves, but nothing creates the coming months."
    yield Diagnosis(Condition.WRONG, "Beat", said, advice)


def _disk() -> Iterator[Diagnosis]:
    """The disk of the embedded servers, the only ones whose files this command can see."""
    if STACK_MARK not in os.environ:
        return
    folder = Path(os.environ[STACK_MARK])
    if not folder.is_dir():
        return
    usage = shutil.disk_usage(folder)
    free = usage.free / usage.total
    said = f"{free:.0%} of it is free"
    if free >= DISK_ODD:
        yield Diagnosis(Condition.FINE, "Disk", said)
    else:
        verdict = Condition.ODD if free >= DISK_WRONG else Condition.WRONG
        yield Diagnosis(verdict, "Disk", said, f"Make room on the disk of {folder}.")
