"""Rings for a worker: "look now". Nothing depends on the bell being heard; the sweepers find what it missed."""

import time

import structlog
from celery import current_app

from backoffice import metrics

log = structlog.get_logger(__name__)

LOOK_TASK = "backoffice.ingestion.tasks.look"
# After a publish that failed, the bell stays silent this long: a terminal must not wait for a dead broker.
SILENCE_S = 5.0

_silent_until = 0.0


def ring(*, expires_s: float | None = None) -> bool:
    """Tells one worker to look into the inbox. False where the broker could not be told in time."""
    global _silent_until  # noqa: PLW0603 - one circuit breaker per process
    if time.monotonic() < _silent_until:
        return False
    try:
        current_app.send_task(LOOK_TASK, expires=expires_s)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the bell, nothing may depend on it
        _silent_until = time.monotonic() + SILENCE_S
        metrics.bell_failures.inc()
        metrics.bell_silent_until(at=time.time() + SILENCE_S)
        log.warning("bell not heard", error=type(error).__name__)
        return False
    return True
