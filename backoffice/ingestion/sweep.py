"""Finding what waits: the loop behind every bell, and each worker's own watch over the inbox."""

import threading
from datetime import timedelta

import structlog
from django.db import connection
from django.utils import timezone

from backoffice.inbox.claims import BATCHES_TOGETHER, oldest_waiting
from backoffice.ingestion.batch.claims import process_next
from backoffice.ingestion.bell import ring

log = structlog.get_logger(__name__)

# A task ends after so many batches and rings for the next one, so that a worker can be stopped or replaced.
BATCHES_PER_LOOK = 200
WATCH_EVERY_S = 2.0
# A live order is processed by the request that brought it: what is younger than this is left to that request.
OLD_ENOUGH = timedelta(seconds=1)


def process_waiting(*, limit: int = BATCHES_PER_LOOK) -> int:
    """Processes batches until none is due, `limit` at most. How many were tried."""
    done = 0
    while done < limit:
        tried = process_next(now=timezone.now(), most=min(BATCHES_TOGETHER, limit - done))
        if not tried:
            return done
        done += tried
    ring()
    return done


def watch(stop: threading.Event) -> None:
    """Rings, until told to stop, when something has waited too long: the beat may be dead, the message lost.

    At most one ring each time, which expires before the next: a backlog cannot become a storm of messages.
    """
    while not stop.wait(WATCH_EVERY_S):
        try:
            _ring_for_what_waits()
        except Exception:  # this thread is the last to look: it must outlive whatever happens
            log.exception("inbox out of sight")


def _ring_for_what_waits() -> None:
    try:
        waited = oldest_waiting(now=timezone.now())
        # A wait below zero: some clock is wrong, and the batch waits all the same.
        if waited is not None and abs(waited) > OLD_ENOUGH:
            ring(expires_s=WATCH_EVERY_S)
    finally:
        connection.close()
