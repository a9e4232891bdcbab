"""Rings for a worker: "look now". Nothing depends on the bell being heard; the sweepers find what it missed."""

import threading
import time

import structlog
from celery import current_app
from structlog.contextvars import bound_contextvars, get_contextvars

from backoffice import metrics

log = structlog.get_logger(__name__)

LOOK_TASK = "backoffice.ingestion.tasks.look"
# Between two rings of one process. Whoever hears one looks until nothing waits, so more would tell nothing new; and each
# costs as much as storing a small batch, and again as much where it is heard (ADR 55).
PAUSE_S = 0.2
# After a ring that failed: a broker that is away is not asked five times a second, and neither does the log say so.
PAUSE_AFTER_FAILURE_S = 5.0

_asked = threading.Event()
_asked_by: str | None = None
_ringer: threading.Thread | None = None
_starting = threading.Lock()


def ring_soon() -> None:
    """Has a thread of this process ring, and returns at once: who has stored a batch never waits for the broker."""
    global _asked_by, _ringer  # noqa: PLW0603 - one thread per process, begun where it is needed: forks have none
    _asked_by = get_contextvars().get("request_id")
    _asked.set()
    if _ringer is None or not _ringer.is_alive():
        with _starting:
            if _ringer is None or not _ringer.is_alive():
                _ringer = threading.Thread(target=_ring_when_asked, name="bell", daemon=True)
                _ringer.start()


def _ring_when_asked() -> None:
    while True:
        _asked.wait()
        _asked.clear()  # before the ring: what is stored from now on may be too late for it
        with bound_contextvars(request_id=_asked_by):
            is_rung = ring()
        time.sleep(PAUSE_S if is_rung else PAUSE_AFTER_FAILURE_S)


def ring(*, expires_s: float | None = None) -> bool:
    """Tells one worker to look into the inbox. False where the broker could not be told in time."""
    try:
        current_app.send_task(LOOK_TASK, expires=expires_s)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the bell, nothing may depend on it
        metrics.bell_failures.inc()
        log.warning("bell not heard", error=type(error).__name__)
        return False
    return True
