"""What happened, as messages for the endpoints that asked for it. Each is written once, by the name of what it came of."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from django.db import connection, transaction

from backoffice.alerts.mails import console_address
from backoffice.alerts.models import Alert, AlertChange, EventType, WebhookEndpoint, WebhookMessage
from backoffice.domain.alerts import UNITS, AlertDeed, AlertKind, Severity
from backoffice.postgres.rows import named_rows
from backoffice.postgres.transactions import transaction_required

TYPES: Mapping[str, EventType] = {
    AlertDeed.RAISED: EventType.RAISED,
    AlertDeed.WORSENED: EventType.WORSENED,
    AlertDeed.RESOLVED: EventType.RESOLVED,
    AlertDeed.GROUPED: EventType.RESOLVED,
}
# What became so within the last look's time or a little before: a transaction may commit after a later one.
LOOKED_BACK = timedelta(minutes=15)
MOST_AT_ONCE = 1_000
# Shifts that stay open for longer are rare, and their webhook is no promise.
SHIFTS_OPENED = timedelta(days=7)

INSERT_MESSAGES = """
INSERT INTO alerts_webhookmessage (message_id, source, type, store_id, happened_at, body)
SELECT * FROM unnest(%(message_id)s::text[], %(source)s::text[], %(type)s::text[], %(store_id)s::int[],
    %(happened_at)s::timestamptz[], %(body)s::text[])
ON CONFLICT DO NOTHING RETURNING message_id
"""
INSERT_DELIVERIES = """
INSERT INTO alerts_webhookdelivery (message_id, endpoint_id, state, due_at, attempts, made_at)
SELECT m.message_id, e.id, 'waiting', m.happened_at, 0, m.happened_at
FROM alerts_webhookmessage m JOIN alerts_webhookendpoint e
    ON e.is_active AND m.type = ANY(e.events) AND (e.store_id IS NULL OR e.store_id = m.store_id)
        AND e.created_at <= m.happened_at
WHERE m.message_id = ANY(%(messages)s)
ON CONFLICT DO NOTHING
"""
HELD = """
SELECT h.id, h.store_id, s.code AS store, t.uuid AS terminal, h.order_id, h.number, h.outcome, h.received_at
FROM sales_helditem h JOIN fleet_store s ON s.id = h.store_id JOIN fleet_terminal t ON t.id = h.terminal_id
WHERE h.received_at > %(since)s AND h.what = 'order' AND h.decision_id IS NULL
    AND NOT EXISTS (SELECT FROM alerts_webhookmessage m WHERE m.source = 'held ' || h.id)
ORDER BY h.received_at LIMIT %(most)s
"""
RECONCILED = """
SELECT h.shift_id, h.store_id, s.code AS store, t.uuid AS terminal, h.number, h.business_date, h.reconciliations, h.reconciled_at
FROM sales_shift h JOIN fleet_store s ON s.id = h.store_id JOIN fleet_terminal t ON t.id = h.terminal_id
WHERE h.state = 'reconciled' AND h.opened_at > %(opened)s AND h.reconciled_at > %(since)s
    AND NOT EXISTS (SELECT FROM alerts_webhookmessage m WHERE m.source = 'shift ' || h.shift_id)
ORDER BY h.reconciled_at LIMIT %(most)s
"""


class Happening(NamedTuple):
    """Something to tell."""

    source: str
    type: EventType
    store_id: int | None
    at: datetime
    data: Mapping[str, Any]


@transaction_required
def insert_alert_messages(changes: Sequence[AlertChange]) -> None:
    """Writes what endpoints are told of changes of alerts, with its deliveries."""
    told = [change for change in changes if change.what in TYPES]
    if told and _active().exists():
        _insert([_of_change(change) for change in told])


def tell_of_orders_and_shifts(*, now: datetime) -> int:
    """Writes what endpoints are told of held orders, and of shifts that add up. How many; asks only for what some want."""
    wanted = {kind for events in _active().values_list("events", flat=True) for kind in events}
    terms = {"since": now - LOOKED_BACK, "opened": now - SHIFTS_OPENED, "most": MOST_AT_ONCE}
    found: list[Happening] = []
    with transaction.atomic():
        if EventType.HELD in wanted:
            found += [_held(row, now=now) for row in _rows(HELD, terms)]
        if EventType.RECONCILED in wanted:
            found += [_reconciled(row, now=now) for row in _rows(RECONCILED, terms)]
        _insert(found)
    return len(found)


@transaction_required
def insert_test_message(endpoint: WebhookEndpoint, *, now: datetime) -> WebhookMessage:
    """A message to one endpoint alone, whatever it asked for. Its delivery is the caller's."""
    source = f"test {uuid4()}"
    test = Happening(source, EventType.TEST, None, now, {"endpoint": endpoint.name})
    return WebhookMessage.objects.create(
        message_id=_new_id(), source=source, type=test.type.value, happened_at=now, body=_body(test)
    )


def _insert(happenings: Sequence[Happening]) -> None:
    if not happenings:
        return
    columns: dict[str, Any] = {
        "message_id": [_new_id() for _ in happenings],
        "source": [each.source for each in happenings],
        "type": [each.type.value for each in happenings],
        "store_id": [each.store_id for each in happenings],
        "happened_at": [each.at for each in happenings],
        "body": [_body(each) for each in happenings],
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT_MESSAGES, columns)
        cursor.execute(INSERT_DELIVERIES, {"messages": [row[0] for row in cursor.fetchall()]})


def _new_id() -> str:
    return f"msg_{uuid4().hex}"


def _active() -> Any:
    return WebhookEndpoint.objects.filter(is_active=True)


def _body(each: Happening) -> str:
    """The bytes that are signed: they are kept, so that each try and each replay sends the same."""
    said = {"type": each.type.value, "timestamp": _instant(each.at), "data": each.data}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _of_change(change: AlertChange) -> Happening:
    alert: Alert = change.alert
    kind = AlertKind(alert.kind)
    data = {
        "alert_id": str(alert.pk),
        "kind": kind.value,
        "severity": Severity(change.severity).name.lower(),
        "store": alert.store.code if alert.store else None,
        "terminal": str(alert.terminal.uuid) if alert.terminal else None,
        "shift_id": str(alert.shift_id) if alert.shift_id else None,
        "tills": alert.members,
        "value": change.value,
        "unit": UNITS[kind],
        "since": _instant(alert.since) if alert.since else None,
        "url": console_address("admin:alerts_alert_change", alert.pk),
    }
    if change.what in {AlertDeed.RESOLVED, AlertDeed.GROUPED}:
        data["because"] = "resolved" if change.what == AlertDeed.RESOLVED else "part of a wider alert"
    return Happening(f"alert {alert.pk}.{change.number}", TYPES[change.what], alert.store_id, change.at, data)


def _held(row: Mapping[str, Any], *, now: datetime) -> Happening:
    data = {
        "store": row["store"],
        "terminal": str(row["terminal"]),
        "order_id": None if row["order_id"] is None else str(row["order_id"]),
        "number": row["number"],
        "outcome": row["outcome"],
        "url": console_address("admin:sales_helditem_change", row["id"]),
    }
    return Happening(f"held {row['id']}", EventType.HELD, row["store_id"], now, data)


def _reconciled(row: Mapping[str, Any], *, now: datetime) -> Happening:
    data = {
        "store": row["store"],
        "terminal": str(row["terminal"]),
        "shift_id": str(row["shift_id"]),
        "number": row["number"],
        "business_date": str(row["business_date"]),
        "url": console_address("admin:sales_shift_change", row["shift_id"]),
    }
    return Happening(f"shift {row['shift_id']}", EventType.RECONCILED, row["store_id"], now, data)


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rows(statement: str, terms: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, terms)
        return named_rows(cursor)
