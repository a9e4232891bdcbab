"""Live orders: processed by the request that brought them, and together with others that came meanwhile."""

from collections import deque
from threading import Lock

from django.db import connection
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from backoffice.inbox.claims import give_back
from backoffice.ingestion.batch.post import TOGETHER, Attempt, Processed, process_claimed

# Who has not had its turn by then leaves its batch to a worker.
PATIENCE_S = 1.0

_turn = Lock()
_waiting: "deque[_Live]" = deque()


class _Live:
    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.taken = False
        self.processed: Processed | None = None


def process_live(attempt: Attempt) -> Processed | None:
    """Processes a batch that was stored for this; None where it is left to others.

    One thread of the process is at work at a time, and takes along whatever came while the one before it was: the more
    live orders arrive at once, the less each costs. Whoever is not alone and fails is tried alone.
    """
    mine = _Live(attempt)
    _waiting.append(mine)
    if not _turn.acquire(blocking=False):
        release_connection()
        if not _turn.acquire(timeout=PATIENCE_S):
            return _withdraw(mine)
    try:
        while _waiting and not mine.taken:
            _take_turn()
    finally:
        _turn.release()
    return mine.processed


def release_connection() -> None:
    """Gives the connection back to its pool while nothing is asked of it."""
    if not connection.in_atomic_block:
        connection.close()


def _withdraw(mine: _Live) -> Processed | None:
    try:
        _waiting.remove(mine)
    except ValueError:
        return mine.processed  # it is somebody's turn's, which may just have ended
    give_back([mine.attempt.batch_id], now=timezone.now())
    return None


def _take_turn() -> None:
    together: list[_Live] = []
    while _waiting and len(together) < TOGETHER:
        live = _waiting.popleft()
        live.taken = True
        together.append(live)
    # What is logged meanwhile is about others' batches too, not about this request alone.
    with bound_contextvars(request_id=None, terminal=None, batch_id=None):
        processed = process_claimed([live.attempt for live in together], now=timezone.now())
    for live in together:
        live.processed = processed.get(live.attempt.batch_id)
