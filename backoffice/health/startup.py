"""Web, worker and beat refuse to begin on servers that cannot keep the promises.

Only what answers and is wrong stops them. A PostgreSQL or Redis that is away comes back by itself: until then web answers
503, and workers wait.
"""

import sys
from collections.abc import Callable

import structlog
from django.db import connections
from redis.exceptions import RedisError

from backoffice.health.readiness import DATABASE_AWAY, broker_faults, database_faults

log = structlog.get_logger(__name__)

REFUSED = 78  # EX_CONFIG of sysexits.h


def refuse_unsafe_servers() -> None:
    """Ends the process, saying why, where a server answers and is set up wrongly."""
    faults = [*_ask("PostgreSQL", database_faults, DATABASE_AWAY), *_ask("Redis", broker_faults, (RedisError,))]
    connections.close_all()
    for fault in faults:
        log.critical("refused to start", reason=fault)
    if faults:
        sys.exit(REFUSED)


def _ask(name: str, faults: Callable[[], list[str]], away: tuple[type[Exception], ...]) -> list[str]:
    try:
        return faults()
    except away as error:
        log.warning("not checked at the start, since it does not answer", server=name, error=type(error).__name__)
        return []
