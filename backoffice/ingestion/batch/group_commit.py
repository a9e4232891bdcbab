"""Group commit of live orders: those that arrive while one is processed share the next transaction.

The request that brought a live order processes it. One thread of the process works at a time and takes along whatever
came while the one before it worked: the more live orders arrive at once, the less each costs (ADR 6 and 13).
"""

from collections import deque
from threading import Lock

from django.db import connection
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from backoffice.inbox.claims import BATCHES_TOGETHER, Claim, give_back
from backoffice.inbox.processed import Processed
from backoffice.ingestion.batch.claims import process_claimed

# A request that has not had its turn by then leaves its batch to a worker.
PATIENCE_S = 1.0

_turn = Lock()
_waiting: "deque[_Live]" = deque()


class _Live:
    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.taken = False
        self.processed: Processed | None = None


def process_live(claim: Claim) -> Processed | None:
    """Processes a batch that was stored as claimed; None where it is left to a worker.

    Batches that fail together are tried one by one.
    """
    mine = _Live(claim)
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
        return mine.processed  # another thread has taken it along, and may just have ended its turn
    give_back([mine.claim.batch_id], now=timezone.now())
    return None


def _take_turn() -> None:
    together: list[_Live] = []
    while _waiting and len(together) < BATCHES_TOGETHER:
        live = _waiting.popleft()
        live.taken = True
        together.append(live)
    # What is logged meanwhile is about others' batches too, not about this request alone.
    with bound_contextvars(request_id=None, terminal=None, batch_id=None):
        processed = process_claimed([live.claim for live in together], now=timezone.now())
    for live in together:
        live.processed = processed.get(live.claim.batch_id)
