"""The current state of the service, read when Prometheus asks: the same whichever process answers."""

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
        "Batches that are not processed yet, not counting failed ones.",
        lambda found: found.waiting,
    ),
    "backoffice_batches_set_aside": ("Failed batches: they crashed five times.", lambda found: found.failed),
    "backoffice_oldest_waiting_seconds": (
        "Age of the oldest waiting batch, 0 if none is waiting.",
        lambda found: found.oldest_s,
    ),
    "backoffice_oldest_unsealed_seconds": (
        "Age of the oldest journal entry without a seal, 0 if all are sealed.",
        lambda found: found.unsealed_s,
    ),
    "backoffice_unstamped_seconds": (
        "Time for which a checkpoint has waited for its time stamp, 0 if none waits.",
        lambda found: found.unstamped.seconds,
    ),
    "backoffice_items_held": ("Orders and cash movements that wait for a decision.", lambda found: found.held),
    "backoffice_terminals_silent": (
        "Terminals with an open shift that have not been heard from for SILENT_AFTER_MINUTES.",
        lambda found: found.silent_terminals,
    ),
    "backoffice_shifts_closing_long": (
        "Shifts closed at least an hour ago that still lack something.",
        lambda found: found.closing_too_long,
    ),
    "backoffice_alerts_open": ("Alerts that are open and not snoozed.", lambda found: found.alerts),
    "backoffice_webhooks_waiting": (
        "Webhook messages that wait to be delivered.",
        lambda found: found.webhooks_waiting,
    ),
    "backoffice_webhooks_given_up": (
        "Webhook messages that were given up within a day, after three days of tries.",
        lambda found: found.webhooks_failed,
    ),
    "backoffice_mails_waiting": ("Mails that wait to be sent.", lambda found: found.mails_waiting),
    "backoffice_shifts_discrepant": ("Shifts that do not add up and are not approved.", lambda found: found.discrepant),
}


class StandingCollector(Collector):
    """Runs a few short statements and asks Redis twice. A server that is away has `up` 0, and its other metrics are absent."""

    def collect(self) -> Iterator[Metric]:
        found = readiness()
        yield _gauge("backoffice_ready", "1 if /readyz answers 200.", not found.reasons)
        yield _gauge("backoffice_database_up", "1 if PostgreSQL answers.", found.oldest_waiting_s is not None)
        yield _gauge("backoffice_redis_up", "1 if Redis answers.", found.broker_up)
        if found.oldest_waiting_s is not None:
            with suppress(*DATABASE_AWAY):  # it went away between the two
                yield from _backlog()
        if found.broker_up:
            with suppress(RedisError):
                yield from _beat()


def _backlog() -> Iterator[Metric]:
    backlog, outside = read_backlog(now=timezone.now()), rows_without_month()
    for name, (description, read) in BACKLOG.items():
        yield _gauge(name, description, read(backlog))
    rows = GaugeMetricFamily(
        "backoffice_default_partition_rows",
        "Rows of months that have no partition; 1000 means 1000 or more.",
        labels=["table"],
    )
    for table, number in outside.items():
        rows.add_metric([table], number)
    yield rows


def _beat() -> Iterator[Metric]:
    silent_s = beat_silent_s()
    if silent_s is not None:
        yield _gauge("backoffice_beat_silent_seconds", "Time since beat last asked for a sweep.", silent_s)


def _gauge(name: str, description: str, value: float) -> Metric:
    return GaugeMetricFamily(name, description, value=float(value))
