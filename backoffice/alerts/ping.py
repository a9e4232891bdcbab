"""The watcher is watched: a word to the outside each minute, so that somebody else notices when it stays away.

It goes out only while the service does its work: beat rang for this, a worker read it, PostgreSQL answers and takes rows,
nothing waits unprocessed. Who listens (a dead man's switch) raises the alarm when it hears nothing.
"""

import threading

import structlog
from django.conf import settings
from django.db import connection
from redis.exceptions import RedisError

from backoffice.health.broker import beat_silent_s
from backoffice.health.readiness import DATABASE_AWAY, readiness
from backoffice.transport import NotDelivered, send_request

log = structlog.get_logger(__name__)

TIMEOUT_S = 5.0
BEAT_SILENT_S = 60.0
# A database that only reads answers, and takes no orders.
CAN_WRITE = "SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'"

_pinging: threading.Thread | None = None


def ping_outside() -> bool:
    """Pings on a thread of its own, if an address is set and all is well. Whether it does."""
    global _pinging  # noqa: PLW0603 - one a process: who hangs is not joined by another
    if not settings.PING_URL or (_pinging is not None and _pinging.is_alive()):
        return False
    faults = faults_of_service()
    if faults:
        log.warning("no ping", reasons="; ".join(faults))
        return False
    _pinging = threading.Thread(target=_ping, name="ping", daemon=True)
    _pinging.start()
    return True


def faults_of_service() -> list[str]:
    """Why the service is not well; empty if it is."""
    found = list(readiness().reasons)
    try:
        silent_s = beat_silent_s()
    except RedisError:
        found.append("Redis does not answer")
    else:
        if silent_s is None or silent_s > BEAT_SILENT_S:
            found.append("beat is silent")
    try:
        with connection.cursor() as cursor:
            cursor.execute(CAN_WRITE)
            if cursor.fetchone() != (True,):
                found.append("PostgreSQL only reads")
    except DATABASE_AWAY:
        found.append("PostgreSQL does not answer")
    return found


def _ping() -> None:
    try:
        answer = send_request("GET", settings.PING_URL, headers={}, timeout_s=TIMEOUT_S, allows_internal=True)
    except NotDelivered as error:
        log.warning("ping not heard", error=str(error))
        return
    if answer.status >= 300:  # noqa: PLR2004 - HTTP's own
        log.warning("ping not heard", error=f"answered {answer.status}")
