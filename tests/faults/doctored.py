"""Runs a program of ours with one thing in it changed: `python -m tests.faults.doctored CHANGE MODULE [ARGUMENT…]`.

The changes are those that the checker must catch, and a clock that is set wrong. The service itself has no switch for them.
"""

# ruff: noqa: PLC0415 - what is changed is imported where it is changed, once Celery has set up Django

import os
import runpy
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

AHEAD = timedelta(hours=2)
DIE_FILE = "DOCTORED_DIE_FILE"


def clock_ahead() -> None:
    """The server's clock two hours ahead of the others: everything of ours asks this function for the time."""
    from django.utils import timezone

    timezone.now = lambda: datetime.now(tz=UTC) + AHEAD


def marks_first() -> None:
    """The worker marks a batch processed, and commits, before it does the work."""
    from celery.signals import worker_process_init

    worker_process_init.connect(lambda **_: _mark_first(), weak=False)


def _mark_first() -> None:
    from django.db import connection, transaction

    from backoffice.ingestion.batch import bodies, identities, lock, members, post
    from backoffice.ingestion.batch import claims as running

    def process_claimed(claims: Sequence[Any], *, now: datetime) -> dict[UUID, Any]:
        for claim in claims:
            read = bodies.read_batches([claim])
            with transaction.atomic(), connection.cursor() as cursor:
                batches = lock.lock_batches(cursor, read)
                mark = "UPDATE inbox_batch SET state = 'processed', processed_at = %s WHERE batch_id = ANY(%s)"
                cursor.execute(mark, [now, [batch.batch_id for batch in batches]])
            if Path(os.environ[DIE_FILE]).exists():
                os.kill(os.getpid(), signal.SIGKILL)
            with transaction.atomic(), connection.cursor() as cursor:
                items = [members.number_members(batch, read[batch.batch_id]) for batch in batches]
                known = identities.recognise(cursor, list(zip(batches, items, strict=True))) if items else []
                work = list(zip(batches, items, known, strict=True))
                post.judge_and_write(cursor, work, now=now)
                post.reconcile_shifts(cursor, work, now=now)
        return {}

    running.process_claimed = process_claimed


def without_sweeper() -> None:
    """The worker does not look for itself; start it without beat, too."""
    from celery.signals import worker_ready

    worker_ready.connect(lambda **_: _blindfold(), weak=False)


def _blindfold() -> None:
    from backoffice.ingestion import sweep

    sweep.watch = _look_away


def _look_away(*_: Any) -> None:
    """Ends at once."""


CHANGES: dict[str, Callable[[], None]] = {
    "clock-ahead": clock_ahead,
    "marks-first": marks_first,
    "without-sweeper": without_sweeper,
}


if __name__ == "__main__":
    CHANGES[sys.argv[1]]()
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
