"""How things stand, asked when Prometheus asks: the same whichever process answers."""

from collections.abc import Callable, Iterator
from contextlib import suppress

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from backoffice.health.backlog import Backlog, read_backlog
from backoffice.health.broker import beat_silent_s
from backoffice.health.database import rows_without_month
from backoffice.health.readiness import DATABASE_AWAY, readiness

BACKLOG: dict[str, tuple[str, Callable[[Backlog], float]]] = {
    "backoffice_batches_waiting": (
        "Batches that are not processed yet, failed ones not counted.",
        lambda found: found.waiting,
    ),
    "backoffice_batches_set_aside": ("Failed batches: they crashed five times.", lambda found: found.failed),
    "backoffice_oldest_waiting_seconds": (
        "Age of the oldest batch that waits, 0 where none does.",
        lambda found: found.oldest_s,
    ),
    "backoffice_items_held": ("Orders and cash movements that wait for a person.", lambda found: found.held),
    "backoffice_terminals_silent": (
        "Terminals with a shift open that were not heard of for 15 minutes.",
        lambda found: found.silent_terminals,
    ),
    "backoffice_shifts_closing_long": (
        "Shifts closed an hour ago or more that still miss something.",
        lambda found: found.closing_too_long,
    ),
    "backoffice_shifts_discrepant": ("Shifts that do not add up and are not approved.", lambda found: found.discrepant),
}


class StandingCollector(Collector):
    """Some short statements and two questions to Redis. What does not answer is 0 in its `up`, and the rest is absent."""

    def collect(self) -> Iterator[Metric]:
        """The metrics as of now."""
        found = readiness()
        yield _gauge("backoffice_ready", "1 where /readyz says 200.", not found.reasons)
        yield _gauge("backoffice_database_up", "1 where PostgreSQL answers.", found.oldest_waiting_s is not None)
        yield _gauge("backoffice_redis_up", "1 where Redis answers.", found.broker_up)
        if found.oldest_waiting_s is not None:
            with suppress(*DATABASE_AWAY):  # it went away between the two
                yield from _backlog()
        if found.broker_up:
            with suppress(RedisError):
                yield from _beat()


def _backlog() -> Iterator[Metric]:
    backlog, outside = read_backlog(now=timezone.now()), rows_without_month()
    for name, (explained, read) in BACKLOG.items():
        yield _gauge(name, explained, read(backlog))
    rows = GaugeMetricFamily(
        "backoffice_default_partition_rows",
        "Rows in a month without a partition; 1000 means that or more.",
        labels=["table"],
    )
    for table, number in outside.items():
        rows.add_metric([table], number)
    yield rows


def _beat() -> Iterator[Metric]:
    silent_s = beat_silent_s()
    if silent_s is not None:
        yield _gauge("backoffice_beat_silent_seconds", "Since beat last asked for a sweep.", silent_s)


def _gauge(name: str, explained: str, value: float) -> Metric:
    return GaugeMetricFamily(name, explained, value=float(value))
