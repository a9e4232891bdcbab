"""What keeps an installation from taking and processing uploads, in the words that `/readyz` uses."""

from typing import NamedTuple

from django.db import Error, OperationalError, ProgrammingError
from django.utils import timezone
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError

from backoffice.health.backlog import WAITED_TOO_LONG_S, oldest_waiting_s
from backoffice.health.broker import eviction_policy
from backoffice.health.database import unapplied_migrations, unsafe_settings

# What is raised when PostgreSQL is away, whether Django, its pool or psycopg notices.
DATABASE_AWAY = (Error, PoolTimeout)


class DatabaseRefused(OperationalError):
    """PostgreSQL answers, but we use no connection to it because of its `faults` (startup.py)."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Readiness(NamedTuple):
    """`reasons` says why uploads cannot be taken or processed; it is empty if they can."""

    reasons: list[str]
    oldest_waiting_s: float | None  # None if PostgreSQL does not answer
    broker_up: bool


def readiness() -> Readiness:
    """Every reason why uploads cannot be taken. That Redis is away is reported, but is not a reason."""
    reasons: list[str] = []
    waited_s: float | None = None
    try:
        reasons += database_faults()
        waited_s = oldest_waiting_s(now=timezone.now())
        if waited_s > WAITED_TOO_LONG_S:
            reasons.append("batches wait and nobody processes them: are the workers running?")
    except DatabaseRefused as error:
        reasons += error.faults
    except DATABASE_AWAY:
        reasons.append("PostgreSQL does not answer")
    try:
        reasons += policy_faults(eviction_policy())
    except RedisError:
        return Readiness(reasons, waited_s, broker_up=False)
    return Readiness(reasons, waited_s, broker_up=True)


def database_faults() -> list[str]:
    """What is wrong with PostgreSQL and will not mend by itself. Raises one of DATABASE_AWAY."""
    try:
        count = unapplied_migrations()
    except ProgrammingError:  # it answers: waiting will not grant the right that is missing
        return ["PostgreSQL does not let us see its migrations: give our role the rights of deploy/postgres/grants.sql"]
    return [f"{count} migrations are not applied: run `manage.py migrate`"] * bool(count) + [
        f"PostgreSQL runs with {name} = off: what is answered 2xx could be lost" for name in unsafe_settings()
    ]


def policy_faults(policy: str | None) -> list[str]:
    """What is wrong with Redis and will not mend by itself: a policy that drops messages. None: Redis did not tell us."""
    if policy in {None, "noeviction"}:
        return []
    return [f"the broker's maxmemory-policy is {policy}; set it to noeviction"]
