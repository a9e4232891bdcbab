"""Live orders: processed by the request that brought them, and together with others that came meanwhile."""

from collections import deque
from datetime import datetime
from threading import Lock

from structlog.contextvars import bound_contextvars

from backoffice.ingestion.process import TOGETHER, Attempt, Processed, process_claimed

# Who has not had its turn by then leaves its batch to the next turn, or to a worker.
PATIENCE_S = 1.0

_turn = Lock()
_waiting: "deque[_Live]" = deque()


class _Live:
    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.taken = False
        self.processed: Processed | None = None


def process_live(attempt: Attempt, *, now: datetime) -> Processed | None:
    """Processes a batch that was stored for this; None where it is left to others.

    One thread of the process is at work at a time, and takes along whatever came while the one before it was: the more
    live orders arrive at once, the less each costs. Whoever is not alone and fails is tried alone.
    """
    mine = _Live(attempt)
    _waiting.append(mine)
    if not _turn.acquire(timeout=PATIENCE_S):
        return None
    try:
        while not mine.taken:
            _take_turn(now=now)
    finally:
        _turn.release()
    return mine.processed


def _take_turn(*, now: datetime) -> None:
    together = [_waiting.popleft() for _ in range(min(TOGETHER, len(_waiting)))]
    for live in together:
        live.taken = True
    # What is logged meanwhile is about others' batches too, not about this request alone.
    with bound_contextvars(request_id=None, terminal=None, batch_id=None):
        processed = process_claimed([live.attempt for live in together], now=now)
    for live in together:
        live.processed = processed.get(live.attempt.batch_id)
