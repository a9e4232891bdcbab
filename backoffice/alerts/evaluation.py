"""One look at the service: which alerts begin, change and end, with all that is to be sent about it, in one transaction.

It may be run at any time, by several at once, and be killed anywhere: what is open is locked first, and that a matter has
one open alert is a constraint of the table. Whatever is to be sent is a row of the same transaction.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import structlog
from django.contrib.auth.models import User
from django.db import connection, transaction

from backoffice.alerts.models import Alert, AlertChange
from backoffice.alerts.notices import insert_notices
from backoffice.alerts.signs import look_for_signs, read_rules
from backoffice.alerts.webhook_events import insert_alert_messages
from backoffice.domain.alerts import (
    AlertDeed,
    AlertKind,
    AlertMatter,
    AlertStanding,
    AlertVerdict,
    OpenAlert,
    Severity,
    judge_alerts,
)
from backoffice.failpoints import failpoint

log = structlog.get_logger(__name__)

# Who comes second finds the constraint's row, and adds nothing.
INSERT_ALERTS = """
INSERT INTO alerts_alert (kind, store_id, subject, terminal_id, shift_id, names, members, severity, worst, value, since,
    raised_at, changes)
SELECT kind, store_id, subject, terminal_id, shift_id, names::jsonb, members, severity, severity, value, since, %(now)s, 1
FROM unnest(%(kind)s::text[], %(store_id)s::int[], %(subject)s::text[], %(terminal_id)s::int[], %(shift_id)s::uuid[],
    %(names)s::text[], %(members)s::int[], %(severity)s::smallint[], %(value)s::bigint[], %(since)s::timestamptz[])
    AS found (kind, store_id, subject, terminal_id, shift_id, names, members, severity, value, since)
ORDER BY kind, store_id, subject
ON CONFLICT DO NOTHING RETURNING id
"""
UPDATE_ALERTS = """
UPDATE alerts_alert SET severity = now.severity, worst = greatest(worst, now.severity), value = now.value, since = now.since,
    names = now.names::jsonb, members = now.members
FROM unnest(%(id)s::bigint[], %(names)s::text[], %(members)s::int[], %(severity)s::smallint[], %(value)s::bigint[],
    %(since)s::timestamptz[]) AS now (id, names, members, severity, value, since)
WHERE alerts_alert.id = now.id
    AND (alerts_alert.severity, alerts_alert.value, alerts_alert.since, alerts_alert.members)
        IS DISTINCT FROM (now.severity, now.value, now.since, now.members)
"""


class NotSnoozed(Exception):
    """An alert cannot be snoozed; the message says why."""


def evaluate_alerts(*, now: datetime) -> list[AlertChange]:
    """Looks once, and keeps what has changed. The changes, in the order of their alerts."""
    rules = read_rules()
    with transaction.atomic():
        alerts = _lock_open()
        look = look_for_signs(rules, now=now)
        verdict = judge_alerts(
            look.signs, rules=rules, at_work=look.at_work, open_alerts=[_as_open(alert) for alert in alerts.values()]
        )
        changes = [*_raise(verdict.raised, now=now), *_change(verdict, alerts, now=now), *_wake(alerts, now=now)]
        failpoint("alert-changed")
        insert_notices([change.pk for change in changes], now=now)
        failpoint("alert-noticed")
        insert_alert_messages(changes)
        failpoint("alert-before-commit")
    if changes:
        log.info("alerts changed", **_counts(changes))
    failpoint("alert-after-commit")
    return changes


def snooze_alert(alert_id: int, *, until: datetime, person: User, note: str, now: datetime) -> None:
    """Nobody is mailed of it until then, or until it becomes critical. Raises NotSnoozed."""
    if until <= now:
        raise NotSnoozed("That moment has passed.")
    with transaction.atomic():
        alert = Alert.objects.select_for_update().filter(pk=alert_id, resolved_at__isnull=True).first()
        if alert is None:
            raise NotSnoozed("It has ended by now.")
        alert.snoozed_until, alert.snoozed_by, alert.changes = until, person, alert.changes + 1
        alert.save(update_fields=["snoozed_until", "snoozed_by", "changes"])
        change = _row(alert, AlertDeed.SNOOZED, now=now)
        change.person, change.until, change.note = person, until, note
        change.save()


def _lock_open() -> dict[int, Alert]:
    """What is open, in one order for whoever looks: two at once wait for each other, and never mutually."""
    return {
        alert.pk: alert
        for alert in Alert.objects.select_for_update(of=("self",))
        .select_related("store", "terminal")
        .filter(resolved_at__isnull=True)
        .order_by("id")
    }


def _as_open(alert: Alert) -> OpenAlert:
    matter = AlertMatter(AlertKind(alert.kind), alert.store_id, alert.subject)
    return OpenAlert(alert.pk, matter, Severity(alert.severity))


def _raise(found: Sequence[AlertStanding], *, now: datetime) -> list[AlertChange]:
    if not found:
        return []
    columns: dict[str, Any] = {
        name: [getattr(each.sign, name) for each in found] for name in ("store_id", "subject", "shift_id")
    }
    columns |= {"kind": [each.sign.kind.value for each in found], "now": now}
    columns |= {"terminal_id": [each.sign.terminal_id for each in found], **_measured(found)}
    with connection.cursor() as cursor:
        cursor.execute(INSERT_ALERTS, columns)
        ids = [row[0] for row in cursor.fetchall()]
    rows = Alert.objects.select_related("store", "terminal").filter(pk__in=ids).order_by("id")
    return AlertChange.objects.bulk_create([_row(alert, AlertDeed.RAISED, now=now) for alert in rows])


def _change(verdict: AlertVerdict, alerts: dict[int, Alert], *, now: datetime) -> list[AlertChange]:
    """Brings open alerts up to date, and ends those that are over."""
    standing = [*verdict.worsened, *verdict.eased, *verdict.unchanged]
    if standing:
        ids = [alert.id for alert, _ in standing]
        with connection.cursor() as cursor:
            cursor.execute(UPDATE_ALERTS, {"id": ids, **_measured([found for _, found in standing])})
    for alert, found in standing:
        row = alerts[alert.id]
        row.severity, row.worst = found.severity, max(row.worst, found.severity)
        row.value, row.since = found.sign.value, found.sign.since
        row.members, row.names = found.sign.members, list(found.sign.names)
    changes = _steps(AlertDeed.WORSENED, [alerts[alert.id] for alert, _ in verdict.worsened], now=now)
    changes += _steps(AlertDeed.EASED, [alerts[alert.id] for alert, _ in verdict.eased], now=now)
    changes += _steps(AlertDeed.RESOLVED, [alerts[alert.id] for alert in verdict.resolved], now=now)
    changes += _steps(AlertDeed.GROUPED, [alerts[alert.id] for alert in verdict.grouped], now=now)
    return changes


def _wake(alerts: dict[int, Alert], *, now: datetime) -> list[AlertChange]:
    """Ends the snoozes whose time has come."""
    over = [alert for alert in alerts.values() if alert.snoozed_until and alert.snoozed_until <= now]
    return _steps(AlertDeed.WOKEN, [alert for alert in over if alert.resolved_at is None], now=now)


def _steps(deed: AlertDeed, rows: Sequence[Alert], *, now: datetime) -> list[AlertChange]:
    """One change of many alerts. What becomes critical is snoozed no longer."""
    if not rows:
        return []
    values: dict[str, object] = {}
    if deed in {AlertDeed.RESOLVED, AlertDeed.GROUPED}:
        values = {"resolved_at": now}
    elif deed in {AlertDeed.WORSENED, AlertDeed.WOKEN}:
        values = {"snoozed_until": None, "snoozed_by": None}
    for row in rows:
        row.changes += 1
        for name, value in values.items():
            setattr(row, name, value)
    Alert.objects.bulk_update(rows, ["changes", *(name for name in values)])
    return AlertChange.objects.bulk_create([_row(row, deed, now=now) for row in rows])


def _row(alert: Alert, deed: AlertDeed, *, now: datetime) -> AlertChange:
    return AlertChange(
        alert=alert, number=alert.changes, what=deed.value, severity=alert.severity, value=alert.value, at=now
    )


def _measured(found: Iterable[AlertStanding]) -> dict[str, Any]:
    rows = list(found)
    return {
        "names": [json.dumps(list(each.sign.names)) for each in rows],
        "members": [each.sign.members for each in rows],
        "severity": [each.severity.value for each in rows],
        "value": [each.sign.value for each in rows],
        "since": [each.sign.since for each in rows],
    }


def _counts(changes: Sequence[AlertChange]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for change in changes:
        counts[change.what] = counts.get(change.what, 0) + 1
    return counts
