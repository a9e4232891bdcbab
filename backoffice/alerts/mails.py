"""Mails: composed as rows, in the language of who gets them, and sent by whoever finds them due.

A mail is sent at least once: one whose sender died between the two is sent again, under the same Message-ID.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import formataddr
from smtplib import SMTPException
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage, get_connection
from django.db import connection
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.alerts.models import Alert, AlertChange, AlertMail
from backoffice.alerts.words import SEVERITY_WORDS, advice, alert_headline, measure, moment_in_words
from backoffice.domain.alerts import AlertDeed, AlertKind, Severity
from backoffice.failpoints import failpoint

log = structlog.get_logger(__name__)

MOST_LISTED = 20
MOST_SUBJECT = 150
SENT_TOGETHER = 20
# Well before a mail that was claimed is due again: nobody else sends it meanwhile.
ROUND_S = 40.0
# Until a mail is given up, it is tried at these distances.
TOO_OLD = timedelta(days=3)
RETRIES = [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720, 1440)]

# Counted, and put off, before it is tried: whoever dies over it does not come back to it at once.
CLAIM_MAILS = """
UPDATE alerts_alertmail SET attempts = attempts + 1,
    due_at = %(now)s + (%(retries)s::interval[])[least(attempts + 1, %(most)s)]
WHERE id IN (
    SELECT id FROM alerts_alertmail WHERE sent_at IS NULL AND failed_at IS NULL AND due_at <= %(now)s
    ORDER BY due_at LIMIT %(together)s FOR UPDATE SKIP LOCKED
)
RETURNING id
"""


def new_mail(
    person: User, *, kind: str, subject: str, body: str, now: datetime, key: str | None = None, checkpoint: str = ""
) -> AlertMail | None:
    """Leaves a mail to be sent. None where there was one of this key already, or the person has no address.

    `checkpoint` is a signed note of the books, which is attached.
    """
    if not person.email or not person.is_active:
        return None
    mail = AlertMail(
        person=person,
        key=key,
        kind=kind,
        address=person.email,
        subject=_one_line(subject),
        body=body,
        checkpoint=checkpoint,
        made_at=now,
        due_at=now,
    )
    AlertMail.objects.bulk_create([mail], ignore_conflicts=key is not None)
    return mail


def compose_alert_mail(changes: Sequence[AlertChange], *, language: str) -> tuple[str, str]:
    """Subject and text of a mail about alerts, each as it stands by its newest change; the most urgent come first."""
    ordered = sorted(changes, key=lambda change: (change.what == AlertDeed.RESOLVED, -change.severity, change.pk))
    with translation.override(language):
        parts = [_about(change) for change in ordered[:MOST_LISTED]]
        if len(ordered) > MOST_LISTED:
            more = len(ordered) - MOST_LISTED
            parts.append(ngettext("And %(more)s more.", "And %(more)s more.", more) % {"more": more})
        parts.append(_("All open alerts: %(url)s") % {"url": console_address("admin:alerts_alert_changelist")})
        return _subject(ordered), "\n\n".join(parts) + "\n"


def console_address(name: str, *args: object) -> str:
    """The whole address of a page of the console."""
    return f"{settings.BASE_URL.rstrip('/')}{reverse(name, args=args)}"


def checkpoint_file(moment: datetime) -> str:
    """What a checkpoint that is mailed at a moment is called as a file: `books-2026-03-31.note`, by UTC."""
    return f"books-{moment.astimezone(UTC):%Y-%m-%d}.note"


def send_due_mails(*, now: datetime) -> int:
    """Sends what is due, a few at most. How many were tried; none where no mail server is set up."""
    if not settings.EMAIL_HOST and settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        return 0
    with connection.cursor() as cursor:
        terms: dict[str, Any] = {"now": now, "retries": RETRIES, "most": len(RETRIES), "together": SENT_TOGETHER}
        cursor.execute(CLAIM_MAILS, terms)
        ids = [row[0] for row in cursor.fetchall()]
    failpoint("mail-claimed")
    began = time.monotonic()
    for mail in AlertMail.objects.filter(pk__in=ids).select_related("person").order_by("pk"):
        if time.monotonic() - began > ROUND_S:  # the rest is due again soon, and may be another's
            break
        _send(mail, now=now)
    return len(ids)


def give_up_old_mails(*, now: datetime) -> None:
    """Who sets a mail server up at last is not mailed the troubles of a week."""
    waiting = AlertMail.objects.filter(sent_at__isnull=True, failed_at__isnull=True)
    waiting.filter(made_at__lt=now - TOO_OLD).update(failed_at=now)


def _send(mail: AlertMail, *, now: datetime) -> None:
    domain = settings.MAIL_FROM.rpartition("@")[2].strip("> ") or "localhost"
    message = EmailMessage(
        subject=mail.subject,
        body=mail.body,
        from_email=settings.MAIL_FROM,
        to=[formataddr((str(mail.person.get_full_name()), mail.address))],
        headers={"Message-ID": f"<{mail.uuid}@{domain}>", "Auto-Submitted": "auto-generated"},
        connection=get_connection(),
    )
    if mail.checkpoint:
        message.attach(checkpoint_file(mail.made_at), mail.checkpoint, "text/plain")
    try:
        message.send()
    except (OSError, SMTPException, ValueError) as error:
        log.warning("mail not sent", mail=mail.pk, error=type(error).__name__)
        failed_at = now if mail.attempts > len(RETRIES) else None
        words = f"{type(error).__name__}: {error}"[:300]
        AlertMail.objects.filter(pk=mail.pk).update(error=words, failed_at=failed_at)
        return
    failpoint("mail-sent")
    AlertMail.objects.filter(pk=mail.pk).update(sent_at=now, error="")


def _about(change: AlertChange) -> str:
    """What happened, since when, where to look and what to do."""
    alert = change.alert
    lines = [f"{_stands(change)}: {alert_headline(alert)}"]
    if alert.since is not None and change.what != AlertDeed.RESOLVED:
        lines.append(
            _("Since %(moment)s: %(measure)s.")
            % {"moment": moment_in_words(alert.since, alert), "measure": _measure(alert)}
        )
    if alert.members > 1 and alert.names:
        lines.append(", ".join(map(str, alert.names)) + (", …" if alert.members > len(alert.names) else ""))
    if change.what == AlertDeed.RESOLVED:
        lines.append(_("Over since %(moment)s.") % {"moment": moment_in_words(change.at, alert)})
    else:
        lines.append(advice(alert))
    lines.append(console_address("admin:alerts_alert_change", alert.pk))
    return "\n".join(lines)


def _measure(alert: Alert) -> str:
    if alert.members > 1 and _is_counted(alert):
        return _("%(measure)s (the most of one till)") % {"measure": measure(alert)}
    return measure(alert)


def _is_counted(alert: Alert) -> bool:
    return alert.kind in {AlertKind.CACHED, AlertKind.OVER_SHORT}


def _stands(change: AlertChange) -> str:
    if change.what == AlertDeed.RESOLVED:
        return _("Resolved")
    return str(SEVERITY_WORDS[Severity(change.severity)])


def _subject(changes: Sequence[AlertChange]) -> str:
    first = f"{_stands(changes[0])}: {alert_headline(changes[0].alert)}"
    if len(changes) == 1:
        return first
    more = len(changes) - 1
    return first + ngettext(" and %(more)s more alert", " and %(more)s more alerts", more) % {"more": more}


def _one_line(text: str) -> str:
    """A subject that fits a header: names of tills and stores are anything."""
    return " ".join("".join(symbol if symbol.isprintable() else " " for symbol in text).split())[:MOST_SUBJECT]
