"""Alerts in the console: what is open first, snoozed by whom, set by whom, and endpoints whose secret is shown once."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from backoffice.alerts.deliveries import deliver_due_webhooks
from backoffice.alerts.evaluation import evaluate_alerts
from backoffice.alerts.models import (
    Alert,
    AlertRecipient,
    AlertRule,
    QuietHours,
    WebhookDelivery,
    WebhookEndpoint,
)
from backoffice.trail.models import TrailEntry
from tests.integration.alerts.receiver import running_receiver
from tests.integration.alerts.watched import NOW, a_recipient, a_till, beat, fall_silent, only
from tests.integration.console.conftest import Open
from tests.integration.console.pages import Page
from tests.signing_in import sign_in
from tests.till import Till, a_store

pytestmark = pytest.mark.django_db
WHY = "The shop asked for it"


@pytest.fixture
def till() -> Till:
    """A till of Bastille, silent for an hour and a half; another's alert has ended."""
    only("silent", warning=15, critical=60)
    store = a_store("PARBAS", name="Paris Bastille")
    ended, silent = a_till(store, name="Till 1"), a_till(store, name="Till 2")
    fall_silent(ended, minutes=20)
    evaluate_alerts(now=NOW)
    beat(ended)
    fall_silent(silent, minutes=90)
    evaluate_alerts(now=NOW)
    return silent


def press(client: Client, name: str, row: Any, **said: Any) -> Page:
    """Presses a button of a row's page, and reads what follows."""
    answer = client.post(reverse(f"admin:{name}", args=[row.pk]), said, follow=True)
    assert answer.status_code == 200
    return Page(answer.content.decode())


def save(client: Client, page_name: str, /, *args: Any, **fields: Any) -> Page:
    """Sends a form; an empty `fields` value is an empty field."""
    answer = client.post(reverse(f"admin:{page_name}", args=args), {"why": WHY, **fields}, follow=True)
    assert answer.status_code == 200
    return Page(answer.content.decode())


def test_open_alerts_come_first(till: Till, page: Open) -> None:
    listed = page("alerts_alert_changelist")
    assert ["Till 2" in row.text for row in listed.rows] == [True, False]
    assert "Critical" in listed.rows[0].text
    assert "1 h 30 min" in listed.rows[0].text
    assert "Resolved" in listed.rows[1].text
    assert len(page("alerts_alert_changelist", state="open").rows) == 1
    assert len(page("alerts_alert_changelist", state="resolved", store=till.store.pk).rows) == 1
    assert "Nothing matches" in page("alerts_alert_changelist", kind="gap").text


def test_an_alert_says_what_to_do_and_what_became_of_it(till: Till, page: Open) -> None:
    a_recipient("Ruth")
    alert = Alert.objects.get(terminal=till.terminal)
    shown = page("alerts_alert_change", alert.pk)
    for words in ("Till 2 of Paris Bastille is silent", "Call the store", "Raised", "Paris Bastille", "Nobody. Who is"):
        assert words in shown.text


def test_a_snooze_is_asked_with_a_note_and_shown_with_person_and_end(till: Till, head_office: Client) -> None:
    alert = Alert.objects.get(terminal=till.terminal)
    shown = press(head_office, "alerts_alert_snooze", alert, hours="4", note="Router is changed")
    for words in ("Snoozed. Nobody is mailed", "claire", "“Router is changed”", "until"):
        assert words in shown.text
    assert Alert.objects.get(pk=alert.pk).snoozed_by == User.objects.get(username="claire")
    assert "It was not snoozed" in press(head_office, "alerts_alert_snooze", alert, hours="9999").text
    ended = Alert.objects.get(resolved_at__isnull=False)
    assert "It has ended by now." in press(head_office, "alerts_alert_snooze", ended, hours="4").text


def test_rules_are_made_changed_and_removed_with_a_reason(head_office: Client, page: Open) -> None:
    store = a_store("PARBAS", name="Paris Bastille", currency="EUR")
    shown = save(
        head_office, "alerts_alertrule_add", kind="over-short", store=store.pk, warning="1000", critical="5000"
    )
    row = shown.row("Paris Bastille")
    assert "€10.00" in row.text
    assert "€50.00" in row.text
    rule = AlertRule.objects.get(store=store)
    assert "Warning from (500 is 5.00 euros)" in page("alerts_alertrule_change", rule.pk).text
    assert (noted := TrailEntry.objects.filter(about="alert rule").latest("id")).reason == WHY
    assert noted.person == "claire"
    wrong = save(
        head_office, "alerts_alertrule_change", rule.pk, kind="over-short", store=store.pk, warning="9", critical="5"
    )
    assert "it would never be a warning" in wrong.text
    again = save(head_office, "alerts_alertrule_add", kind="silent", store="", warning="9", critical="")
    assert "There is a rule for this already." in again.text
    service = save(head_office, "alerts_alertrule_add", kind="unsealed", store=store.pk, warning="9", critical="")
    assert "Seals are of all stores together." in service.text
    save(head_office, "alerts_alertrule_delete", rule.pk, post="yes")
    assert not AlertRule.objects.filter(store=store).exists()
    assert "silent" in AlertRule.objects.get(kind="silent").kind
    assert "16 h" in page("alerts_alertrule_changelist").text


def test_quiet_hours_and_recipients_are_set(head_office: Client) -> None:
    store = a_store("PARBAS", name="Paris Bastille")
    shown = save(
        head_office, "alerts_quiethours_add", store=store.pk, begins_at="22:00", ends_at="06:00", critical_anyway="on"
    )
    assert "22:00–06:00" in shown.row("Paris Bastille").text
    assert QuietHours.objects.get().critical_anyway
    ruth = User.objects.create_user("ruth")
    fields = {"person": ruth.pk, "stores": [store.pk], "language": "fr", "least": "2", "digest": "on"}
    assert "There is no mail address" in save(head_office, "alerts_alertrecipient_add", **fields).text
    User.objects.filter(pk=ruth.pk).update(email="ruth@example.com")
    shown = save(head_office, "alerts_alertrecipient_add", **fields)
    assert "every morning" in shown.row("ruth@example.com").text
    assert list(AlertRecipient.objects.get().stores.all()) == [store]
    odile = User.objects.create_user("odile", email="odile@example.com")
    fields = {"person": odile.pk, "language": "fr", "least": "2", "checkpoint": "on"}
    assert "It comes with the summary" in save(head_office, "alerts_alertrecipient_add", **fields).text
    shown = save(head_office, "alerts_alertrecipient_add", **fields, digest="on")
    assert "every morning, checkpoint of the books" in shown.row("odile@example.com").text


def test_an_endpoint_from_its_secret_to_a_replay(head_office: Client, page: Open, settings: Any) -> None:
    settings.WEBHOOKS_ALLOW_INTERNAL = True
    claire = User.objects.get(username="claire")
    with running_receiver() as receiver:
        fields = {"name": "Pager", "events": ["alert.raised", "alert.resolved"], "store": "", "owner": claire.pk}
        wrong = save(head_office, "alerts_webhookendpoint_add", **fields, url="ftp://example.com/")
        assert "begins with https://" in wrong.text
        shown = save(head_office, "alerts_webhookendpoint_add", **fields, url=receiver.url("/flaky"))
        (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", shown.text)
        endpoint = WebhookEndpoint.objects.get()
        assert secret not in page("alerts_webhookendpoint_change", endpoint.pk).html
        assert "A test message is on its way" in press(head_office, "alerts_webhookendpoint_test", endpoint).text
        (delivery,) = WebhookDelivery.objects.all()
        deliver_due_webhooks(now=delivery.due_at)
        tried = page("alerts_webhookdelivery_change", delivery.pk)
        assert "answered 500" in tried.text
        assert unescape(delivery.message.body) in tried.text
        delivery.refresh_from_db()
        deliver_due_webhooks(now=delivery.due_at)
        assert "Delivered" in page("alerts_webhookdelivery_changelist", endpoint=endpoint.pk).rows[0].text
        assert "with the same webhook-id" in press(head_office, "alerts_webhookdelivery_replay", delivery).text
        assert "on its way already" in press(head_office, "alerts_webhookdelivery_replay", delivery).text
        delivery.refresh_from_db()
        deliver_due_webhooks(now=delivery.due_at)
        assert [got.headers["webhook-id"] for got in receiver.got] == [delivery.message_id] * 3
        (newer,) = re.findall(r"whsec_\S+", press(head_office, "alerts_webhookendpoint_secret", endpoint).text)
        assert newer != secret
        assert "signs until" in page("alerts_webhookendpoint_change", endpoint.pk).text
        assert "turned off by claire" in press(head_office, "alerts_webhookendpoint_off", endpoint).text
        assert "Messages are sent to it" in press(head_office, "alerts_webhookendpoint_on", endpoint).text


BUTTONS = {
    "alerts_alert_snooze": "snooze_alert",
    "alerts_webhookendpoint_test": "change_webhookendpoint",
    "alerts_webhookendpoint_secret": "change_webhookendpoint",
    "alerts_webhookendpoint_on": "change_webhookendpoint",
    "alerts_webhookendpoint_off": "change_webhookendpoint",
    "alerts_webhookdelivery_replay": "change_webhookdelivery",
}


@pytest.mark.parametrize(("name", "right"), BUTTONS.items())
def test_a_button_needs_its_right(till: Till, name: str, right: str) -> None:
    owner = User.objects.create_user("olivia", email="olivia@example.com")
    WebhookEndpoint.objects.create(name="Pager", url="https://example.com/", owner=owner, events=["alert.raised"])
    fall_silent(*[a_till(a_store())], minutes=90)
    evaluate_alerts(now=NOW)
    kind = right.partition("_")[2]
    row = {"alert": Alert, "webhookendpoint": WebhookEndpoint, "webhookdelivery": WebhookDelivery}[kind].objects.first()
    assert row is not None or kind == "webhookdelivery"
    key = 1 if row is None else row.pk
    for rights, status in (([f"view_{kind}"], {403}), ([f"view_{kind}", right], {302, 200, 404})):
        user = User.objects.create_user(" ".join(rights), is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=rights))
        client = Client()
        sign_in(client, user)
        assert client.post(reverse(f"admin:{name}", args=[key]), {"hours": "1"}).status_code in status
