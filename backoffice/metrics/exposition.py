"""The text that Prometheus reads: what was counted, and the current state of the service."""

from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from backoffice.metrics import slots
from backoffice.metrics.standing import StandingCollector


def exposition() -> bytes:
    """All metrics; with METRICS_DIR, of every process on this machine."""
    now = CollectorRegistry()
    now.register(StandingCollector())
    counted = REGISTRY
    if slots is not None:
        counted = CollectorRegistry()
        MultiProcessCollector(counted, path=settings.METRICS_DIR)  # type: ignore[no-untyped-call]
    return generate_latest(counted) + generate_latest(now)
