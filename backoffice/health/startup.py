"""Web, worker and beat refuse to begin on servers that cannot keep the promises.

Only what answers and is wrong stops them. A PostgreSQL or Redis that is away comes back by itself: until then web answers
503, and workers wait. Once it is back it is asked what could not be asked at the start:

- PostgreSQL, before a process uses its first connection. Ending the process there would cut short what others of its
  threads do, so each connection is refused instead: uploads get 503, and `/readyz` says why.
- Redis, when a worker has its first connection (celery.py). Web and beat do no more than ring through it, and a lost bell
  loses no order (ADR 1): there it is enough that `/readyz` asks each time.
"""

import sys
from contextlib import ExitStack
from functools import cache
from typing import Any

import structlog
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from redis.exceptions import RedisError

from backoffice.health.broker import eviction_policy
from backoffice.health.readiness import DATABASE_AWAY, DatabaseRefused, database_faults, policy_faults

log = structlog.get_logger(__name__)

REFUSED = 78  # EX_CONFIG of sysexits.h


def refuse_unsafe_servers() -> None:
    """Ends the process, saying why, where a server answers and is set up wrongly."""
    faults = [*_database(), *_broker()]
    connections.close_all()
    for fault in faults:
        log.critical("refused to start", reason=fault)
    if faults:
        sys.exit(REFUSED)


def _database() -> list[str]:
    try:
        return database_faults()
    except DatabaseRefused as error:  # it was away when this process asked before
        return error.faults
    except DATABASE_AWAY as error:
        log.warning("not checked yet, since it does not answer", server="PostgreSQL", error=type(error).__name__)
        connection_created.connect(_check_first)
        return []


def _broker() -> list[str]:
    try:
        policy = eviction_policy()
    except RedisError as error:
        log.warning("not checked yet, since it does not answer", server="Redis", error=type(error).__name__)
        return []
    if policy is None:
        advice = "see for yourself that it is noeviction, or let us ask INFO"
        log.warning("not checked, since Redis does not say it", setting="maxmemory-policy", advice=advice)
    return policy_faults(policy)


def _check_first(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Lets nobody use a connection until PostgreSQL was found to be safe; costs nothing afterwards.

    Raises DatabaseRefused where it is not.
    """
    with ExitStack() as otherwise:
        otherwise.callback(connection.close)  # or Django would use it the next time
        faults = database_faults()
        if faults:
            _tell("; ".join(faults))
            raise DatabaseRefused(faults)
        otherwise.pop_all()
    connection_created.disconnect(_check_first)


@cache
def _tell(faults: str) -> None:
    """Once: uploads go on coming, and each is refused."""
    log.critical("PostgreSQL is not used", reason=faults)
