"""What stands between an installation and its promises, in the words that `/readyz` uses."""

from typing import NamedTuple

from django.db import Error, OperationalError, ProgrammingError
from django.utils import timezone
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError

from backoffice.health.backlog import WAITED_TOO_LONG_S, oldest_waiting_s
from backoffice.health.broker import eviction_policy
from backoffice.health.database import unapplied_migrations, unsafe_settings

# What an absent PostgreSQL raises, whichever of Django, its pool or psycopg notices.
DATABASE_AWAY = (Error, PoolTimeout)


class DatabaseRefused(OperationalError):
    """PostgreSQL answers, and no connection to it is used because of its `faults` (startup.py)."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class Readiness(NamedTuple):
    """`reasons` why uploads are not taken and processed, none where they are; and what is told besides."""

    reasons: list[str]
    oldest_waiting_s: float | None  # None where PostgreSQL does not answer
    broker_up: bool


def readiness() -> Readiness:
    """Whether uploads can be taken, and every reason why not. Redis being away is told, but is no reason."""
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
    """What is wrong with PostgreSQL, and does not mend itself. Raises one of DATABASE_AWAY."""
    try:
        count = unapplied_migrations()
    except ProgrammingError:  # it answers, and a right that is missing does not come by waiting
        return ["PostgreSQL does not let us see its migrations: give our role the rights of deploy/postgres/grants.sql"]
    return [f"{count} migrations are not applied: run `manage.py migrate`"] * bool(count) + [
        f"PostgreSQL runs with {name} = off: what is answered 2xx could be lost" for name in unsafe_settings()
    ]


def policy_faults(policy: str | None) -> list[str]:
    """What is wrong with Redis, and does not mend itself: a policy that drops messages. None is one that it does not say."""
    if policy in {None, "noeviction"}:
        return []
    return [f"the broker's maxmemory-policy is {policy}; set it to noeviction"]
