"""What is over goes: the history of alerts stays a year, what was delivered three months, a session no longer than it lasts."""

from datetime import datetime, timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session

from backoffice.alerts.mails import give_up_old_mails
from backoffice.alerts.models import Alert, AlertMail, WebhookMessage

ALERTS_KEPT, SENT_KEPT = timedelta(days=400), timedelta(days=90)
MOST_AT_ONCE = 1_000
SESSIONS_AT_ONCE = 10_000


def clear_old_alerts(*, now: datetime) -> int:
    """Deletes some of what is older than it is kept. How many rows, besides those that go with them."""
    give_up_old_mails(now=now)
    gone = 0
    for rows in (
        Alert.objects.filter(resolved_at__lt=now - ALERTS_KEPT).order_by("resolved_at"),
        WebhookMessage.objects.filter(happened_at__lt=now - SENT_KEPT).order_by("happened_at"),
        AlertMail.objects.filter(made_at__lt=now - SENT_KEPT, notices__isnull=True).order_by("id"),
    ):
        keys: list[Any] = list(rows.values_list("pk", flat=True)[:MOST_AT_ONCE])
        gone += rows.model._default_manager.filter(pk__in=keys).delete()[0]  # noqa: SLF001 - Django's documented interface
    return gone


def clear_ended_sessions(*, now: datetime) -> int:
    """Deletes some of the sessions that nobody can use any more, and what the console's list of sessions says of them.

    How many sessions. Whoever signs out deletes their own; these are of who only closed the browser.
    """
    longest = timedelta(hours=settings.SESSION_HOURS)
    gone = 0
    for rows in (
        Session.objects.filter(expire_date__lt=now).order_by("expire_date"),
        UserSession.objects.filter(created_at__lt=now - longest).order_by("created_at"),
    ):
        keys = list(rows.values_list("pk", flat=True)[:SESSIONS_AT_ONCE])
        deleted, _ = rows.model._default_manager.filter(pk__in=keys).delete()  # noqa: SLF001 - as above
        gone += deleted if rows.model is Session else 0
    return gone
