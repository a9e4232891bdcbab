"""Endpoints of webhooks and their secrets: made, rotated, tested, turned on again."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from backoffice.alerts.models import WebhookDelivery, WebhookEndpoint, WebhookSecret
from backoffice.alerts.signing import make_secret, open_secret, seal_anew, seal_secret
from backoffice.alerts.webhook_events import insert_test_message
from backoffice.trail.acting import Actor, acting

# For so long after a rotation messages carry a signature by the secret of before as well.
OVERLAP = timedelta(hours=24)
MOST_SECRETS = 3


def check_endpoint_url(url: str) -> None:
    """Raises ValidationError for what no message is sent to. Where a name leads is checked with each connection, not here."""
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise ValidationError(_("An address with a password in it would be shown to whoever may see this page."))
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.WEBHOOKS_ALLOW_INTERNAL):
        raise ValidationError(_("An address of a receiver begins with https://"))


def rotate_secret(endpoint: WebhookEndpoint, *, now: datetime) -> str:
    """A new secret, which is told once. The one of before signs beside it for a day, and of older ones one more."""
    with transaction.atomic():
        WebhookEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        secrets = WebhookSecret.objects.filter(endpoint=endpoint)
        secrets.filter(ends_at__isnull=True).update(ends_at=now + OVERLAP)
        in_force = list(secrets.filter(ends_at__gt=now).order_by("-created_at", "-pk").values_list("pk", flat=True))
        secrets.exclude(pk__in=in_force[: MOST_SECRETS - 1]).delete()
        secret = make_secret()
        WebhookSecret.objects.create(endpoint=endpoint, sealed=seal_secret(secret), created_at=now)
    return secret


def secrets_in_force(endpoint: WebhookEndpoint, *, now: datetime) -> list[str]:
    """What signs now, the newest first. What an earlier SECRET_KEY encrypted is encrypted anew. Raises SecretUnreadable."""
    rows = endpoint.secrets.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=now)).order_by("-created_at", "-pk")
    found = {row.pk: bytes(row.sealed) for row in rows}
    if settings.SECRET_KEY_BEFORE:
        for key, sealed in found.items():
            if (anew := seal_anew(sealed)) != sealed:
                with acting(
                    Actor(via="webhooks", reason="Encrypted with the SECRET_KEY of today: the secret is the same")
                ):
                    WebhookSecret.objects.filter(pk=key).update(sealed=anew)
    return [open_secret(sealed) for sealed in found.values()]


def send_test_message(endpoint: WebhookEndpoint, *, now: datetime) -> WebhookDelivery:
    """Leaves a test message to be delivered to this endpoint."""
    with transaction.atomic():
        message = insert_test_message(endpoint, now=now)
        return WebhookDelivery.objects.create(message=message, endpoint=endpoint, due_at=now, made_at=now)


def turn_endpoint_on(endpoint: WebhookEndpoint) -> None:
    """Sends to it again what happens from now on."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(is_active=True, off_because="", rests_until=None)
