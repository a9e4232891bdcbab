"""A receiver of webhooks, and endpoints that lead to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from backoffice.alerts import deliveries
from backoffice.alerts.endpoints import rotate_secret
from backoffice.alerts.models import EventType, WebhookEndpoint
from tests.integration.alerts.receiver import Receiver, running_receiver
from tests.integration.alerts.watched import NOW

Endpoint = Callable[..., tuple[WebhookEndpoint, str]]


@pytest.fixture
def receiver(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """On this machine, which is allowed here; nobody waits for it longer than half a second."""
    settings.WEBHOOKS_ALLOW_INTERNAL = True
    monkeypatch.setattr(deliveries, "TIMEOUT_S", 0.5)
    with running_receiver() as running:
        yield running


@pytest.fixture
def endpoint(receiver: Receiver, db: None) -> Endpoint:
    """Makes an endpoint at a path of the receiver, whose owner is Olivia; it gives its secret too."""

    def make(path: str = "/204", **facts: Any) -> tuple[WebhookEndpoint, str]:
        olivia, _ = User.objects.get_or_create(username="olivia", defaults={"email": "olivia@example.com"})
        row = WebhookEndpoint.objects.create(
            **{"name": path, "url": receiver.url(path), "owner": olivia, "events": list(EventType.values)} | facts
        )
        WebhookEndpoint.objects.filter(pk=row.pk).update(created_at=NOW)
        return row, rotate_secret(row, now=NOW)

    return make
