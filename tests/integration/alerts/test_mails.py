"""Mails: one to each person, in their language, at an hour at which they may be woken, and none twice."""

from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import connection

from backoffice.alerts.digest import make_digests
from backoffice.alerts.evaluation import evaluate_alerts, snooze_alert
from backoffice.alerts.mails import RETRIES, send_due_mails
from backoffice.alerts.models import Alert, AlertMail, MailNotice, QuietHours
from backoffice.alerts.notices import is_within, make_mails
from backoffice.audit.anchors import load_keys, read_anchor
from backoffice.books.evidence.checkpoints import sign_checkpoint
from backoffice.management.commands.verify_books import read_anchor_file
from tests.integration.alerts.watched import (
    HOUR,
    MINUTE,
    NOW,
    a_recipient,
    a_till,
    beat,
    fall_silent,
    only,
)
from tests.integration.evidence.sealing import NOON, seal_here
from tests.till import Till, a_sale, a_store

pytestmark = pytest.mark.django_db


def told(now: datetime = NOW) -> list[mail.EmailMessage]:
    """What is mailed now, after a look."""
    mail.outbox.clear()
    evaluate_alerts(now=now)
    make_mails(now=now)
    make_mails(now=now)
    while send_due_mails(now=now):
        pass
    return list(mail.outbox)


@pytest.fixture
def till() -> Till:
    """A till that has just fallen silent."""
    only("silent", warning=15, critical=60)
    till = a_till(a_store(name="Paris Bastille"), name="Till 2")
    fall_silent(till, minutes=20)
    return till


def test_a_mail_says_what_happened_since_when_where_to_look_and_what_to_do(till: Till) -> None:
    a_recipient("Ruth")
    a_recipient("Odile", language="fr")
    english, french = sorted(told(), key=lambda message: message.to, reverse=True)
    alert = Alert.objects.get()
    assert english.to == ["Ruth <ruth@example.com>"]
    assert english.subject == "Warning: Till 2 of Paris Bastille is silent"
    for words in (
        "CET: 20\N{NO-BREAK SPACE}min.",
        "Call the store: is the till on",
        f"/alerts/alert/{alert.pk}/change/",
        "Since ",
    ):
        assert words in english.body
    assert french.subject == "Avertissement: Till 2 de Paris Bastille est muette"
    for words in (
        "Depuis le ",
        "CET : 20\N{NO-BREAK SPACE}min.",
        "Appelez le magasin",
        f"/alerts/alert/{alert.pk}/change/",
    ):
        assert words in french.body
    assert english.extra_headers["Message-ID"] != french.extra_headers["Message-ID"]
    assert told() == [], "once"


def test_a_store_manager_is_mailed_about_their_store_alone(till: Till) -> None:
    a_recipient("Mine", till.store)
    a_recipient("Other", a_store())
    a_recipient("Critical", least=2)
    gone = a_recipient("Gone")
    gone.person.is_active = False
    gone.person.save()
    assert [message.to for message in told()] == [["Mine <mine@example.com>"]]
    fall_silent(till, minutes=70)
    assert {message.to[0] for message in told(NOW + 6 * MINUTE)} == {
        "Mine <mine@example.com>",
        "Critical <critical@example.com>",
    }


def test_many_alerts_are_one_mail_and_the_next_comes_five_minutes_later(till: Till) -> None:
    a_recipient("Ruth")
    others = [a_till(till.store, name=f"Till {number}") for number in (3, 4)]
    a_till(till.store, name="Till 5")
    fall_silent(others[0], minutes=90)
    (message,) = told()
    assert message.subject == "Critical: Till 3 of Paris Bastille is silent and 1 more alert"
    assert message.body.index("Till 3") < message.body.index("Warning: Till 2")
    fall_silent(others[1], minutes=20)
    assert told(NOW + 4 * MINUTE) == []
    (message,) = told(NOW + 5 * MINUTE)
    assert message.subject == "Warning: Till 4 of Paris Bastille is silent"


def test_the_end_of_an_alert_is_told_to_who_heard_of_its_beginning(till: Till) -> None:
    a_recipient("Ruth")
    told()
    beat(till)
    (message,) = told(NOW + 6 * MINUTE)
    assert message.subject == "Resolved: Till 2 of Paris Bastille is silent"
    assert "Over since" in message.body


def test_what_is_snoozed_is_not_mailed_until_its_end_or_until_it_is_critical(till: Till) -> None:
    ruth = a_recipient("Ruth").person
    evaluate_alerts(now=NOW)
    MailNotice.objects.all().delete()
    snooze_alert(Alert.objects.get().pk, until=NOW + HOUR, person=ruth, note="", now=NOW)
    assert told(NOW + 10 * MINUTE) == []
    fall_silent(till, minutes=70)
    (message,) = told(NOW + 20 * MINUTE)
    assert message.subject == "Critical: Till 2 of Paris Bastille is silent"


class TestQuietHours:
    @pytest.fixture
    def night(self, till: Till) -> datetime:
        """Two at night in Paris, where it is quiet from ten to six."""
        QuietHours.objects.create(store=till.store, begins_at=time(22), ends_at=time(6))
        a_recipient("Ruth")
        return datetime.combine(NOW.date() + timedelta(days=1), time(1), tzinfo=UTC)

    def test_nobody_is_woken_and_what_came_and_went_is_not_told_in_the_morning(
        self, till: Till, night: datetime
    ) -> None:
        evaluate_alerts(now=NOW)
        assert make_mails(now=night) == 0
        beat(till)
        evaluate_alerts(now=NOW)
        assert make_mails(now=night + HOUR) == 0
        assert MailNotice.objects.filter(is_moot=True).count() == 0, "it may go on, and be told in the morning"
        assert make_mails(now=night + 8 * HOUR) == 0
        assert MailNotice.objects.filter(is_moot=True).count() == MailNotice.objects.count() == 2

    def test_what_is_still_so_in_the_morning_is_told_then(self, till: Till, night: datetime) -> None:
        evaluate_alerts(now=NOW)
        assert make_mails(now=night) == 0
        assert make_mails(now=night + 5 * HOUR) == 1

    @pytest.mark.parametrize(("anyway", "mails"), [(True, 1), (False, 0)])
    def test_critical_alerts_are_excepted_where_it_is_so_set(
        self, till: Till, night: datetime, anyway: bool, mails: int
    ) -> None:
        QuietHours.objects.update(critical_anyway=anyway)
        fall_silent(till, minutes=90)
        evaluate_alerts(now=NOW)
        assert make_mails(now=night) == mails

    def test_hours_go_over_midnight(self) -> None:
        for clock, is_quiet in ((21, False), (22, True), (23, True), (0, True), (5, True), (6, False)):
            assert is_within(time(clock), time(22), time(6)) is is_quiet
            assert is_within(time(clock), time(6), time(22)) is not is_quiet


def test_a_mail_that_the_server_does_not_take_is_tried_again_and_given_up_after_a_while(
    till: Till, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    a_recipient("Ruth")
    evaluate_alerts(now=NOW)
    make_mails(now=NOW)
    for _ in range(len(RETRIES) + 1):
        row = AlertMail.objects.get()
        assert send_due_mails(now=row.due_at - timedelta(seconds=1)) == 0
        assert send_due_mails(now=row.due_at) == 1
    row.refresh_from_db()
    assert row.failed_at is not None
    assert "Connection refused" in row.error
    assert send_due_mails(now=NOW + timedelta(days=30)) == 0


def test_without_a_mail_server_mails_are_kept_and_not_tried(till: Till, settings: Any) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", ""
    a_recipient("Ruth")
    assert told() == []
    assert AlertMail.objects.get().attempts == 0


def test_a_name_of_a_till_cannot_make_a_header(till: Till) -> None:
    till.terminal.name = "Till\r\nBcc: everybody@example.com"
    till.terminal.save()
    a_recipient("Ruth")
    (message,) = told()
    assert message.subject == "Warning: Till Bcc: everybody@example.com of Paris Bastille is silent"
    assert message.message()["Bcc"] is None


def test_the_summary_of_the_morning_comes_once_at_seven_by_the_stores_clock(till: Till) -> None:
    evaluate_alerts(now=NOW)
    till.sell(a_sale(1001, total=999))
    quiet = a_store(name="Lyon Perrache")
    a_recipient("Manu", till.store, quiet, digest=True, language="fr")
    a_recipient("Ruth", quiet, digest=True)
    a_recipient("Other")
    tomorrow = datetime.combine(NOW.date() + timedelta(days=1), time(5), tzinfo=UTC)
    assert make_digests(now=tomorrow - HOUR) == 0
    assert [make_digests(now=tomorrow + 2 * HOUR) for _ in range(2)] == [2, 0]
    french, english = AlertMail.objects.filter(kind="digest").order_by("address")
    assert french.subject.startswith("Vos magasins ce matin, ")
    for words in ("sessions encore ouvertes : 1", "en attente d’une décision : 1", "est muette", "Tout est arrivé"):
        assert words in french.body
    assert "Everything is here and adds up." in english.body
    assert "Paris" not in english.body
    assert make_digests(now=tomorrow + 26 * HOUR) == 2, "the next day"


def test_an_auditor_gets_the_newest_checkpoint_as_a_file_with_the_summary(
    till: Till, tmp_path: Path, settings: Any
) -> None:
    store = a_store(name="Lyon Perrache")
    a_recipient("Odile", store, digest=True, checkpoint=True, language="fr")
    a_recipient("Manu", store, digest=True)
    mails = morning_mails(NOW + timedelta(days=1))
    assert "rien n’a encore été signé" in mails["Odile"].body
    assert mails["Odile"].attachments == []
    till.sell(a_sale(1001))
    seal_here()
    sign_checkpoint(now=NOON - HOUR)
    till.sell(a_sale(1002))
    seal_here()
    note = sign_checkpoint(now=NOON)
    mails = morning_mails(NOW + timedelta(days=2))
    assert mails["Manu"].attachments == []
    assert "checkpoint" not in mails["Manu"].body
    name = f"books-{NOW + timedelta(days=2):%Y-%m-%d}.note"
    for words in (f"verify_books --anchor {name}", "2 mars 2026, 12:00 UTC", "Conservez"):
        assert words in mails["Odile"].body
    # As a mail server passes it on, and a mail program saves it.
    received = message_from_bytes(mails["Odile"].message().as_bytes(linesep="\r\n"), policy=policy.default)
    (part,) = received.iter_attachments()
    assert part.get_filename() == name
    saved = part.get_payload(decode=True)
    assert saved.replace(b"\r\n", b"\n").decode() == note
    (tmp_path / name).write_bytes(saved.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    with connection.cursor() as cursor:
        assert read_anchor(read_anchor_file(tmp_path / name), load_keys(cursor)).size == 2


def morning_mails(day: datetime) -> dict[str, mail.EmailMessage]:
    """What is mailed on a morning, by whom it goes to."""
    mail.outbox.clear()
    make_digests(now=day.replace(hour=12))
    while send_due_mails(now=day.replace(hour=12)):
        pass
    return {message.to[0].partition(" ")[0]: message for message in mail.outbox}
