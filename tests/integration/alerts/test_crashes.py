"""Whoever is killed between any two steps leaves rows from which another goes on: nothing is lost, and nothing told twice."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from django.core import mail

from backoffice.alerts import deliveries, evaluation, mails, notices
from backoffice.alerts.models import AlertChange, AlertMail, MailNotice, WebhookDelivery, WebhookEndpoint
from backoffice.failpoints import POINTS
from tests.integration.alerts.receiver import Receiver
from tests.integration.alerts.watched import NOW, a_recipient, a_till, fall_silent, only

ITS_POINTS = [point for point in POINTS if point.startswith(("alert-", "mail-", "webhook-"))]


class Killed(BaseException):
    """What nobody catches, as nobody survives a kill: transactions under way go back."""


def everything(*, minutes: int = 0) -> None:
    """All that beat and a worker do, once."""
    now = NOW + timedelta(minutes=minutes)
    evaluation.evaluate_alerts(now=now)
    notices.make_mails(now=now)
    mails.send_due_mails(now=now)
    deliveries.deliver_due_webhooks(now=now)


@pytest.mark.django_db
@pytest.mark.parametrize("point", ITS_POINTS)
def test_killed_anywhere_all_is_told_and_once(
    point: str,
    monkeypatch: pytest.MonkeyPatch,
    endpoint: Callable[..., tuple[WebhookEndpoint, str]],
    receiver: Receiver,
) -> None:
    def die(name: str) -> None:
        if name == point:
            raise Killed

    only("silent", warning=15)
    endpoint()
    a_recipient("Ruth")
    fall_silent(a_till(), minutes=20)
    with monkeypatch.context() as armed:
        for room in (evaluation, notices, mails, deliveries):
            armed.setattr(room, "failpoint", die)
        with suppress(Killed):
            everything()
            pytest.fail(f"nothing passed {point}")
    for minutes in (6, 7, 12, 13):
        everything(minutes=minutes)
    assert [change.what for change in AlertChange.objects.all()] == ["raised"]
    assert MailNotice.objects.count() == AlertMail.objects.count() == WebhookDelivery.objects.count() == 1
    assert AlertMail.objects.get().sent_at is not None
    assert WebhookDelivery.objects.get().state == "delivered"
    assert len(mail.outbox) == (2 if point == "mail-sent" else 1)
    assert len({message.extra_headers["Message-ID"] for message in mail.outbox}) == 1
    assert len(receiver.got) == (2 if point == "webhook-sent" else 1)
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
