"""Tills that give reason for alerts, and the rules that notice."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from backoffice.alerts.models import AlertChange, AlertRecipient, AlertRule
from backoffice.fleet.models import Heartbeat, Store
from backoffice.inbox.models import Batch
from backoffice.sales.models import Shift
from tests.till import Till, a_heartbeat

NOW = timezone.now()
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def only(kind: str, **thresholds: int | None) -> None:
    """Has rules for nothing else, in any store."""
    AlertRule.objects.all().delete()
    AlertRule.objects.create(kind=kind, **thresholds)


def a_till(store: Store | None = None, *, name: str = "Till 1", **opening: Any) -> Till:
    """A till with a shift that it opened just now."""
    till = Till(store, name=name)
    assert till.open(**({"opened_at": NOW.isoformat()} | opening)).status_code == 201
    return till


def fall_silent(*tills: Till, minutes: int) -> None:
    """Whatever was heard of them, was heard so long ago."""
    heard, terminals = NOW - minutes * MINUTE, [till.terminal for till in tills]
    Shift.objects.filter(terminal__in=terminals).update(received_at=heard)
    Batch.objects.filter(terminal__in=terminals).update(received_at=heard)
    Heartbeat.objects.filter(terminal__in=terminals).update(received_at=heard)


def beat(till: Till, **said: Any) -> None:
    """A heartbeat."""
    assert till.send("PUT", "terminal/heartbeat", a_heartbeat(**said)).status_code == 200


def history(*, store: Store) -> list[str]:
    """What happened to alerts of a store, in its order: `silent raised warning Till 1`; a store's own have no name."""
    changes = AlertChange.objects.filter(alert__store=store).select_related("alert__terminal").order_by("id")
    names = {1: "warning", 2: "critical"}
    return [
        f"{change.alert.kind} {change.what} {names[change.severity]}"
        + (f" {change.alert.terminal.name}" if change.alert.terminal else "")
        for change in changes
    ]


def a_recipient(name: str, *stores: Store, **how: Any) -> AlertRecipient:
    """Somebody with a mail address who is told of everything in these stores, or in all."""
    person = User.objects.create_user(name, email=f"{name.lower()}@example.com", first_name=name)
    recipient = AlertRecipient.objects.create(person=person, **how)
    recipient.stores.set(stores)
    return recipient
