"""Who is to be mailed about a change, and when: notices wait, and become one mail per person."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Max

from backoffice.alerts.mails import compose_alert_mail, new_mail
from backoffice.alerts.models import AlertMail, AlertRecipient, MailNotice, QuietHours
from backoffice.domain.alerts import AlertDeed, Severity
from backoffice.failpoints import failpoint
from backoffice.postgres.transactions import transaction_required

# Between two mails to one person: what happens meanwhile is in the next.
PAUSE = timedelta(minutes=5)
MOST_AT_ONCE = 5_000
TOLD = [AlertDeed.RAISED.value, AlertDeed.WORSENED.value, AlertDeed.RESOLVED.value, AlertDeed.WOKEN.value]

# Of what is snoozed, and of what was never urgent enough for them, people hear nothing.
INSERT_NOTICES = """
INSERT INTO alerts_mailnotice (change_id, recipient_id)
SELECT c.id, r.id FROM alerts_alertchange c JOIN alerts_alert a ON a.id = c.alert_id
JOIN alerts_alertrecipient r ON r.alerts AND a.worst >= r.least
JOIN auth_user u ON u.id = r.person_id AND u.is_active AND u.email <> ''
WHERE c.id = ANY(%(changes)s) AND c.what = ANY(%(told)s) AND (a.snoozed_until IS NULL OR a.snoozed_until <= %(now)s)
    AND (NOT EXISTS (SELECT FROM alerts_alertrecipient_stores s WHERE s.alertrecipient_id = r.id)
        OR EXISTS (SELECT FROM alerts_alertrecipient_stores s WHERE s.alertrecipient_id = r.id AND s.store_id = a.store_id))
ON CONFLICT DO NOTHING
"""


@transaction_required
def insert_notices(changes: Sequence[int], *, now: datetime) -> None:
    """Notes for every recipient what they are to be told. One statement."""
    if changes:
        with connection.cursor() as cursor:
            cursor.execute(INSERT_NOTICES, {"changes": list(changes), "told": TOLD, "now": now})


def make_mails(*, now: datetime) -> int:
    """Makes one mail for each person to whom something may be told now. How many."""
    quiet = quiet_stores(now=now)
    with transaction.atomic():
        waiting = _lock_waiting()
        recent = _mailed_lately([notice.recipient.person_id for notice in waiting], now=now)
        made = 0
        for mine in _by_recipient(waiting).values():
            if mine[0].recipient.person_id in recent:
                continue
            told, moot = _split([notice for notice in mine if not _must_wait(notice, quiet)])
            mail = _mail(told, now=now) if told else None
            keep_back = moot if mail is not None else [*moot, *told]  # who may not log in any more is not mailed
            MailNotice.objects.filter(pk__in=[notice.pk for notice in keep_back]).update(is_moot=True)
            if mail is not None:
                MailNotice.objects.filter(pk__in=[notice.pk for notice in told]).update(mail=mail)
                made += 1
        failpoint("mail-made")
    return made


def quiet_stores(*, now: datetime) -> Mapping[int, bool]:
    """The stores whose people are not to be mailed now, and whether that holds for critical alerts too."""
    return {
        hours.store_id: not hours.critical_anyway
        for hours in QuietHours.objects.select_related("store")
        if is_within(now.astimezone(ZoneInfo(hours.store.timezone)).time(), hours.begins_at, hours.ends_at)
    }


def is_within(clock: time, begins: time, ends: time) -> bool:
    """Whether a clock is within hours that may go over midnight: 22:00 to 06:00."""
    return begins <= clock < ends if begins < ends else clock >= begins or clock < ends


def _lock_waiting() -> list[MailNotice]:
    """What waits to be told, oldest first; what another process is at is left to it."""
    return list(
        MailNotice.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("change__alert__store", "change__alert__terminal", "recipient__person")
        .filter(mail__isnull=True, is_moot=False)
        .order_by("recipient_id", "id")[:MOST_AT_ONCE]
    )


def _mailed_lately(people: Iterable[int], *, now: datetime) -> set[int]:
    newest = (
        AlertMail.objects.filter(person__in=set(people), kind="alerts", made_at__gt=now - PAUSE)
        .values("person")
        .annotate(newest=Max("made_at"))
    )
    return {row["person"] for row in newest}


def _by_recipient(waiting: Iterable[MailNotice]) -> dict[int, list[MailNotice]]:
    mine: dict[int, list[MailNotice]] = {}
    for notice in waiting:
        mine.setdefault(notice.recipient_id, []).append(notice)
    return mine


def _must_wait(notice: MailNotice, quiet: Mapping[int, bool]) -> bool:
    """Whether a notice is for after the quiet hours of its store."""
    store_id = notice.change.alert.store_id
    if store_id is None or store_id not in quiet:
        return False
    return quiet[store_id] or notice.change.severity < Severity.CRITICAL


def _split(notices: Sequence[MailNotice]) -> tuple[list[MailNotice], list[MailNotice]]:
    """What is still worth telling, and what is not: an alert that came and went before anybody was told of it."""
    deeds: dict[int, set[str]] = {}
    for notice in notices:
        deeds.setdefault(notice.change.alert_id, set()).add(notice.change.what)
    gone = {alert for alert, whats in deeds.items() if {AlertDeed.RAISED, AlertDeed.RESOLVED} <= whats}
    told = [notice for notice in notices if notice.change.alert_id not in gone]
    return told, [notice for notice in notices if notice.change.alert_id in gone]


def _mail(notices: Sequence[MailNotice], *, now: datetime) -> AlertMail | None:
    recipient: AlertRecipient = notices[0].recipient
    newest: dict[int, Any] = {notice.change.alert_id: notice.change for notice in notices}
    subject, body = compose_alert_mail(list(newest.values()), language=recipient.language)
    return new_mail(recipient.person, kind="alerts", subject=subject, body=body, now=now)
