"""Celery's entries into alerts. Thin: what they do can be done at any time, and by several at once."""

from celery import shared_task
from django.utils import timezone

from backoffice.alerts.clearing import clear_ended_sessions, clear_old_alerts
from backoffice.alerts.digest import make_digests
from backoffice.alerts.evaluation import evaluate_alerts
from backoffice.alerts.notices import make_mails
from backoffice.alerts.ping import ping_outside
from backoffice.alerts.webhook_events import tell_of_orders_and_shifts


@shared_task
def evaluate() -> None:
    """Looks for what people must be told, and leaves what is to be sent."""
    now = timezone.now()
    evaluate_alerts(now=now)
    tell_of_orders_and_shifts(now=now)
    make_mails(now=now)
    make_digests(now=now)


@shared_task
def clear() -> None:
    """Deletes what was sent long ago, and sessions that are over."""
    now = timezone.now()
    clear_old_alerts(now=now)
    clear_ended_sessions(now=now)


@shared_task
def ping() -> None:
    """Tells the outside that the service is well."""
    ping_outside()
