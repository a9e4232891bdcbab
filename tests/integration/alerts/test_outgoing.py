"""What sends goes on whatever happens, and what was sent goes one day."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from backoffice.alerts import outgoing
from backoffice.alerts.clearing import clear_old_alerts
from backoffice.alerts.evaluation import evaluate_alerts
from backoffice.alerts.models import Alert, AlertMail, MailNotice, WebhookDelivery, WebhookMessage
from backoffice.alerts.notices import make_mails
from backoffice.celery import app
from tests.integration.alerts.watched import NOW, a_recipient, a_till, beat, fall_silent, only


def test_a_sender_outlives_its_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "LOOK_EVERY_S", 0.001)
    stop, calls = threading.Event(), []

    def send(**_: Any) -> int:
        calls.append(1)
        if len(calls) == 3:
            stop.set()
        raise ConnectionError

    sender = threading.Thread(target=outgoing.send_until, args=[stop, send])
    sender.start()
    sender.join(30)
    assert len(calls) == 3


def test_every_task_of_the_beat_exists() -> None:
    app.loader.import_default_modules()
    asked = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert {f"backoffice.alerts.tasks.{name}" for name in ("evaluate", "clear", "ping")} <= asked <= app.tasks.keys()


@pytest.mark.django_db
def test_what_is_long_over_goes_and_what_is_open_stays(endpoint: Any) -> None:
    endpoint()
    only("silent", warning=15)
    a_recipient("Ruth")
    over, still = a_till(), a_till()
    fall_silent(over, still, minutes=20)
    evaluate_alerts(now=NOW)
    make_mails(now=NOW)
    beat(over)
    evaluate_alerts(now=NOW)
    clear_old_alerts(now=NOW + timedelta(days=2))
    assert AlertMail.objects.get().failed_at is None
    clear_old_alerts(now=NOW + timedelta(days=91))
    assert AlertMail.objects.get().failed_at is not None, "nobody is mailed the troubles of last week"
    assert (WebhookMessage.objects.count(), WebhookDelivery.objects.count()) == (0, 0)
    assert Alert.objects.count() == 2
    for _ in range(2):
        clear_old_alerts(now=NOW + timedelta(days=401))
    assert [alert.terminal for alert in Alert.objects.all()] == [still.terminal]
    assert MailNotice.objects.count() == 1
