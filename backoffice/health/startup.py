"""Web, worker and beat refuse to start on servers with which the service could not keep its promises.

Only a server that answers and is set up wrongly stops them. One that is away may come back: until then web answers 503
and workers wait. Once it is back, it is checked before it is used:

- PostgreSQL, before a process uses its first connection. Ending the process at that point would interrupt its other
  threads, so connections are refused instead: uploads get 503, and `/readyz` says why.
- Redis, when a worker has its first connection (celery.py). Web and beat only ring through it, and a lost ring loses no
  order (ADR 1): for them it is enough that `/readyz` checks each time.
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
    """Ends the process, and logs why, if a server answers and is set up wrongly."""
    faults = [*_database(), *_broker()]
    connections.close_all()
    for fault in faults:
        log.critical("refused to start", reason=fault)
    if faults:
        sys.exit(REFUSED)


def _database() -> list[str]:
    try:
        return database_faults()
    except DatabaseRefused as error:  # it was away when this process first asked
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
        advice = "make sure that it is noeviction, or allow us to run INFO"
        log.warning("not checked, since Redis does not say it", setting="maxmemory-policy", advice=advice)
    return policy_faults(policy)


def _check_first(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Refuses every connection until PostgreSQL has passed the checks; costs nothing afterwards.

    Raises DatabaseRefused if it does not pass.
    """
    with ExitStack() as otherwise:
        otherwise.callback(connection.close)  # or Django would use it the next time
        faults = database_faults()
        if faults:
            _log_once("; ".join(faults))
            raise DatabaseRefused(faults)
        otherwise.pop_all()
    connection_created.disconnect(_check_first)


@cache
def _log_once(faults: str) -> None:
    # Uploads keep coming and each is refused: one line is enough.
    log.critical("PostgreSQL is not used", reason=faults)
