"""Webhooks by the book: signed as the published libraries check, tried for three days, and to nowhere inside."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from backoffice.alerts.deliveries import RETRIES, deliver_due_webhooks, replay_delivery
from backoffice.alerts.endpoints import (
    check_endpoint_url,
    rotate_secret,
    secrets_in_force,
    send_test_message,
    turn_endpoint_on,
)
from backoffice.alerts.evaluation import evaluate_alerts
from backoffice.alerts.models import Alert, AlertMail, WebhookDelivery, WebhookEndpoint, WebhookMessage
from backoffice.alerts.webhook_events import tell_of_orders_and_shifts
from backoffice.trail.models import TrailEntry
from tests.integration.alerts.receiver import Received, Receiver
from tests.integration.alerts.watched import NOW, a_till, beat, fall_silent, only
from tests.till import Till, a_sale, a_store

Endpoint = Callable[..., tuple[WebhookEndpoint, str]]
NODE = Path(__file__).parent / "node"
NPM = shutil.which("npm")
HANDBOOK = Path(__file__).resolve().parents[3] / "docs" / "alerts.md"
pytestmark = pytest.mark.django_db


def sent(endpoint: WebhookEndpoint, *, now: datetime = NOW) -> WebhookDelivery:
    """A test message that was tried once."""
    delivery = send_test_message(endpoint, now=now)
    assert deliver_due_webhooks(now=now) == 1
    delivery.refresh_from_db()
    return delivery


def a_silent_till() -> Till:
    only("silent", warning=15, critical=60)
    till = a_till()
    fall_silent(till, minutes=20)
    evaluate_alerts(now=NOW)
    return till


def wait_for_port(port: int) -> None:
    """Until something listens."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError("nothing listens")


def verified(got: Received, secret: str) -> Any:
    return Webhook(secret).verify(got.body, got.headers)


class TestMessages:
    def test_an_alert_is_told_when_it_begins_worsens_and_ends(self, endpoint: Endpoint, receiver: Receiver) -> None:
        _, secret = endpoint()
        till = a_silent_till()
        fall_silent(till, minutes=70)
        evaluate_alerts(now=NOW)
        beat(till)
        evaluate_alerts(now=NOW)
        while deliver_due_webhooks(now=NOW):
            pass
        told = sorted((verified(got, secret) for got in receiver.got), key=lambda said: said["data"]["value"])
        assert [said["type"] for said in told] == ["alert.raised", "alert.worsened", "alert.resolved"]
        first = told[0]
        assert first.keys() == {"type", "timestamp", "data"}
        assert datetime.fromisoformat(first["timestamp"]) == NOW.replace(microsecond=NOW.microsecond // 1000 * 1000)
        alert = Alert.objects.get()
        assert first["data"] | {"since": "", "url": ""} == {
            "alert_id": str(alert.pk),
            "kind": "silent",
            "severity": "warning",
            "store": till.store.code,
            "terminal": str(till.terminal.uuid),
            "shift_id": None,
            "tills": 1,
            "value": 20,
            "unit": "minutes",
            "since": "",
            "url": "",
        }
        assert first["data"]["url"].endswith(f"/alerts/alert/{alert.pk}/change/")
        assert len({got.headers["webhook-id"] for got in receiver.got}) == 3

    def test_an_endpoint_gets_what_it_asked_for_and_of_its_store_alone(self, endpoint: Endpoint) -> None:
        other = a_store()
        wanted, *_ = [endpoint("/204", events=["alert.raised"])[0], endpoint("/204", events=["order.held"])]
        endpoint("/204", store=other)
        endpoint("/204", is_active=False)
        a_silent_till()
        assert list(WebhookDelivery.objects.values_list("endpoint", flat=True)) == [wanted.pk]

    def test_a_held_order_and_a_shift_that_adds_up_are_told_once(self, endpoint: Endpoint) -> None:
        endpoint("/204", events=["order.held", "shift.reconciled"])
        till = a_till()
        till.sell(a_sale(1001, total=999))
        for _ in range(2):
            tell_of_orders_and_shifts(now=timezone.now())
        assert [each.type for each in WebhookMessage.objects.all()] == ["order.held"]
        settled = a_till()
        settled.close()
        for _ in range(2):
            tell_of_orders_and_shifts(now=timezone.now())
        message = WebhookMessage.objects.get(type="shift.reconciled")
        assert json.loads(message.body)["data"]["shift_id"] == str(settled.shift_id)
        assert WebhookDelivery.objects.count() == 2


class TestSignatures:
    def test_the_published_library_for_python_verifies_them(self, endpoint: Endpoint, receiver: Receiver) -> None:
        row, secret = endpoint()
        sent(row)
        (got,) = receiver.got
        assert verified(got, secret)["type"] == "test"
        assert got.headers["content-type"] == "application/json"
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(got.body + b" ", got.headers)

    @pytest.mark.skipif(NPM is None, reason="Node.js is not installed: the library for JavaScript cannot run")
    def test_the_published_library_for_javascript_verifies_them(
        self, endpoint: Endpoint, receiver: Receiver, tmp_path: Path
    ) -> None:
        row, secret = endpoint(name="Café \N{SNOWMAN}")
        rotated = rotate_secret(row, now=NOW)
        sent(row)
        (got,) = receiver.got
        shutil.copytree(NODE, tmp_path / "node")
        install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", "--cache", tmp_path / "npm"]
        subprocess.run(install, cwd=tmp_path / "node", check=True, timeout=180)
        for each in (secret, rotated):
            said = {"secret": each, "headers": got.headers, "body": got.body.decode()}
            done = subprocess.run(
                ["node", "verify.mjs"],
                cwd=tmp_path / "node",
                input=json.dumps(said),
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["data"] == {"endpoint": "Café \N{SNOWMAN}"}

    def test_two_secrets_sign_for_a_day_while_they_rotate(self, endpoint: Endpoint, receiver: Receiver) -> None:
        row, old = endpoint()
        new = rotate_secret(row, now=NOW)
        assert secrets_in_force(row, now=NOW) == [new, old]
        sent(row)
        sent(row, now=NOW + timedelta(hours=24, seconds=1))
        during, after = receiver.got
        assert len(during.headers["webhook-signature"].split()) == 2
        assert verified(during, old) == verified(during, new)
        assert verified(after, new)["type"] == "test"
        with pytest.raises(WebhookVerificationError):
            verified(after, old)

    def test_a_secret_is_kept_encrypted_and_none_is_in_the_audit_trail(self, endpoint: Endpoint, settings: Any) -> None:
        row, secret = endpoint()
        (kept,) = row.secrets.all()
        assert secret.startswith("whsec_")
        assert secret.encode() not in bytes(kept.sealed)
        noted = json.dumps(list(TrailEntry.objects.values("after")), default=str)
        assert "webhook secret" in set(TrailEntry.objects.values_list("about", flat=True))
        assert secret not in noted
        assert bytes(kept.sealed).decode() not in noted
        settings.SECRET_KEY = "another"
        assert sent(row).tries.get().error == "its secret cannot be read: make a new one"

    def test_a_secret_outlives_another_secret_key_and_is_encrypted_anew_when_it_signs(
        self, endpoint: Endpoint, receiver: Receiver, settings: Any
    ) -> None:
        row, secret = endpoint()
        settings.SECRET_KEY, settings.SECRET_KEY_BEFORE = "another", [settings.SECRET_KEY]
        for before in (settings.SECRET_KEY_BEFORE, []):
            settings.SECRET_KEY_BEFORE = before
            assert sent(row).state == "delivered", "also once nobody knows the key of before"
            assert verified(receiver.got[-1], secret)["type"] == "test"
        noted = TrailEntry.objects.filter(about="webhook secret", what="changed")
        assert [entry.reason for entry in noted] == ["Encrypted with the SECRET_KEY of today: the secret is the same"]

    def test_the_receiver_of_the_handbook_takes_it(self, endpoint: Endpoint, tmp_path: Path) -> None:
        (example,) = re.findall(r"^```python\n(.*?)^```$", HANDBOOK.read_text(), re.MULTILINE | re.DOTALL)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        row, secret = endpoint(url=f"http://127.0.0.1:{port}/")
        environment = {**os.environ, "WEBHOOK_SECRET": secret, "PORT": str(port)}
        with subprocess.Popen([sys.executable, "-c", example], env=environment, stderr=subprocess.DEVNULL) as receiver:
            try:
                wait_for_port(port)
                assert sent(row).tries.get().status == 204
                rotate_secret(row, now=NOW)
                row.secrets.exclude(ends_at=None).delete()
                assert sent(row).tries.get().status == 401
            finally:
                receiver.kill()


class TestReceivers:
    @pytest.mark.parametrize(
        ("path", "status", "words"),
        [
            ("/302", 302, "answered 302: redirects are not followed"),
            ("/500", 500, "answered 500"),
            ("/404", 404, "answered 404"),
            ("/slow", None, "no answer within 0.5 s"),
            ("/drip", None, "no answer within 0.5 s"),
        ],
    )
    def test_what_is_no_2xx_is_a_failure_and_tried_again(
        self, endpoint: Endpoint, receiver: Receiver, path: str, status: int | None, words: str
    ) -> None:
        delivery = sent(endpoint(path)[0])
        attempt = delivery.tries.get()
        assert (attempt.status, attempt.error) == (status, words)
        assert (delivery.state, delivery.due_at) == ("waiting", NOW + timedelta(seconds=5))
        assert [got.path for got in receiver.got] == [path], "a redirect is not followed"
        assert len(attempt.answer) <= 1000

    def test_an_answer_without_an_end_is_not_listened_to(self, endpoint: Endpoint) -> None:
        delivery = sent(endpoint("/huge")[0])
        assert (delivery.state, delivery.tries.get().answer) == ("delivered", "x" * 1000)

    def test_what_fails_once_arrives_with_the_same_id(self, endpoint: Endpoint, receiver: Receiver) -> None:
        delivery = sent(endpoint("/flaky")[0])
        assert deliver_due_webhooks(now=delivery.due_at - timedelta(seconds=1)) == 0
        assert deliver_due_webhooks(now=delivery.due_at) == 1
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts) == ("delivered", 2)
        one, other = receiver.got
        assert one.headers["webhook-id"] == other.headers["webhook-id"] == delivery.message_id
        assert one.body == other.body

    def test_410_turns_it_off_at_once_and_tells_its_owner_by_mail(self, endpoint: Endpoint) -> None:
        row, _ = endpoint("/410")
        waits = send_test_message(row, now=NOW + timedelta(days=1))
        assert sent(row).state == "dropped"
        waits.refresh_from_db()
        row.refresh_from_db()
        assert (row.is_active, row.off_because, waits.state) == (False, "answered 410: it is gone", "dropped")
        (mail,) = AlertMail.objects.all()
        assert (mail.address, mail.subject) == ("olivia@example.com", "Webhook endpoint /410 is turned off")
        assert "answered 410" in mail.body
        a_silent_till()
        assert deliver_due_webhooks(now=NOW + timedelta(days=2)) == 0

    def test_it_is_tried_for_three_days_at_growing_distances_and_then_given_up(self, endpoint: Endpoint) -> None:
        delivery = sent(endpoint("/500")[0])
        for distance in RETRIES:
            assert deliver_due_webhooks(now=delivery.due_at - timedelta(seconds=1)) == 0
            assert deliver_due_webhooks(now=delivery.due_at) == 1
            before, _ = delivery.due_at, delivery.refresh_from_db()
            assert distance <= delivery.due_at - before or delivery.state == "failed"
        assert sorted(RETRIES) == RETRIES
        assert sum(RETRIES, timedelta()) > timedelta(days=3)
        assert (delivery.state, delivery.attempts, delivery.tries.count()) == ("failed", 10, 10)
        assert AlertMail.objects.get().subject == "Webhook endpoint /500 does not take what it is sent"
        assert replay_delivery(delivery.pk, now=NOW)
        assert not replay_delivery(delivery.pk, now=NOW), "it is on its way"
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts) == ("waiting", 0)

    def test_a_slow_endpoint_lets_others_go_first(self, endpoint: Endpoint, receiver: Receiver) -> None:
        slow, quick = endpoint("/slow")[0], endpoint("/204")[0]
        for _ in range(6):
            send_test_message(slow, now=NOW)
        for _ in range(3):
            send_test_message(quick, now=NOW)
        assert deliver_due_webhooks(now=NOW) == 4, "two of each at a time"
        assert deliver_due_webhooks(now=NOW) == 1
        assert [got.path for got in receiver.got].count("/slow") == 2
        assert WebhookDelivery.objects.filter(endpoint=quick, state="delivered").count() == 3
        assert deliver_due_webhooks(now=timezone.now() + timedelta(minutes=1)) == 2, "once it has rested"

    def test_what_is_turned_on_again_gets_what_happens_from_then_on(self, endpoint: Endpoint) -> None:
        row, _ = endpoint("/410")
        sent(row)
        turn_endpoint_on(row)
        row.refresh_from_db()
        assert (row.is_active, row.off_because) == (True, "")


class TestAddresses:
    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0"])
    def test_an_address_inside_is_refused_when_connecting(
        self, endpoint: Endpoint, receiver: Receiver, settings: Any, host: str
    ) -> None:
        settings.WEBHOOKS_ALLOW_INTERNAL = False
        delivery = sent(endpoint(url=receiver.url("/204", host=host))[0])
        assert delivery.tries.get().error.endswith("leads to an address inside, and such are refused")
        assert (delivery.state, receiver.got) == ("waiting", [])

    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("http://example.com/x", "begins with https://"),
            ("ftp://example.com/x", "begins with https://"),
            ("https://me:secret@example.com/", "with a password in it"),
        ],
    )
    def test_an_address_that_nothing_is_sent_to_is_refused_in_words(self, url: str, words: str, settings: Any) -> None:
        settings.WEBHOOKS_ALLOW_INTERNAL = False
        with pytest.raises(ValidationError, match=words):
            check_endpoint_url(url)
        check_endpoint_url("https://example.com/hooks?x=1")
