"""The text that Prometheus reads: what was counted, and how things stand."""

from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from backoffice.metrics import slots
from backoffice.metrics.standing import StandingCollector


def exposition() -> bytes:
    """All metrics, those of every process of this machine where they share a folder."""
    now = CollectorRegistry()
    now.register(StandingCollector())
    counted = REGISTRY
    if slots is not None:
        counted = CollectorRegistry()
        MultiProcessCollector(counted, path=settings.METRICS_DIR)  # type: ignore[no-untyped-call]
    return generate_latest(counted) + generate_latest(now)
