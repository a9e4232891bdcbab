"""Webhooks on their way: who is due is claimed, sent outside any transaction, and what came of it is kept.

A try is counted, and the next one set, before it is made: whoever dies over it leaves a delivery that is tried again. A
receiver may so get a message twice, and knows it by its `webhook-id`.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from backoffice.alerts.endpoints import secrets_in_force
from backoffice.alerts.mails import console_address, new_mail
from backoffice.alerts.models import AlertRecipient, DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from backoffice.alerts.signing import SecretUnreadable, signature_headers
from backoffice.failpoints import failpoint
from backoffice.transport import HttpAnswer, NotDelivered, send_request

log = structlog.get_logger(__name__)

TIMEOUT_S = 10.0
# Of one round: what one slow endpoint can hold up ends with its time-out.
TOGETHER, TOGETHER_OF_ONE = 16, 2
# Who was slow lets others go first.
REST = timedelta(seconds=30)
# A try is over by then, or its process is: nobody else tries the same meanwhile.
LEASE = timedelta(minutes=1)
# Between tries: the schedule of Standard Webhooks, three days and three hours in all.
RETRIES = [
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
]
GONE = 410
TURNED_OFF = gettext_noop("Webhook endpoint %(name)s is turned off")
GIVEN_UP = gettext_noop("Webhook endpoint %(name)s does not take what it is sent")
USER_AGENT = "BackOffice-Webhooks/1.0"

CLAIM_DELIVERIES = """
WITH due AS (
    SELECT d.id FROM alerts_webhookendpoint e CROSS JOIN LATERAL (
        SELECT id, due_at FROM alerts_webhookdelivery
        WHERE endpoint_id = e.id AND state = 'waiting' AND due_at <= %(now)s ORDER BY due_at LIMIT %(of_one)s
    ) AS d
    WHERE e.is_active AND (e.rests_until IS NULL OR e.rests_until <= %(now)s)
    ORDER BY d.due_at LIMIT %(together)s
), mine AS (
    SELECT id FROM alerts_webhookdelivery
    WHERE id IN (SELECT id FROM due) AND state = 'waiting' AND due_at <= %(now)s FOR UPDATE SKIP LOCKED
)
UPDATE alerts_webhookdelivery d SET attempts = attempts + 1,
    due_at = %(now)s + greatest(%(lease)s, (%(retries)s::interval[])[least(attempts + 1, %(most)s)])
FROM mine WHERE d.id = mine.id
RETURNING d.id
"""


class _Try(NamedTuple):
    """One delivery that is being tried, with all that its thread needs."""

    delivery: WebhookDelivery
    attempt: DeliveryAttempt
    secrets: Sequence[str]


class _Result(NamedTuple):
    """What came of a try: an answer, or why there was none."""

    answer: HttpAnswer | None
    error: str
    was_slow: bool
    took_ms: int


def deliver_due_webhooks(*, now: datetime) -> int:
    """Tries what is due, each on a thread of its own, a few of each endpoint. How many were tried."""
    tries = _claim(now=now)
    if not tries:
        return 0
    failpoint("webhook-claimed")
    with ThreadPoolExecutor(max_workers=len(tries), thread_name_prefix="webhook") as threads:
        results = list(threads.map(_send, tries))
    failpoint("webhook-sent")
    for tried, result in zip(tries, results, strict=True):
        _keep(tried, result, began=now)
    return len(tries)


def replay_delivery(delivery_id: int, *, now: datetime) -> bool:
    """Has a delivery that has ended tried anew, under the same `webhook-id`. False where it is on its way, or its endpoint off."""
    ended = WebhookDelivery.objects.filter(pk=delivery_id, endpoint__is_active=True).exclude(state="waiting")
    return bool(ended.update(state="waiting", due_at=now, attempts=0, ended_at=None))


def turn_endpoint_off(endpoint: WebhookEndpoint, *, because: str, now: datetime) -> bool:
    """Sends it nothing any more, and tells its owner by mail. False where it was off already."""
    with transaction.atomic():
        on = WebhookEndpoint.objects.filter(pk=endpoint.pk, is_active=True)
        if not on.update(is_active=False, off_because=because):
            return False
        waiting = WebhookDelivery.objects.filter(endpoint=endpoint, state="waiting")
        waiting.update(state="dropped", ended_at=now)
        _tell_owner(endpoint, TURNED_OFF, because=because, key=f"off {endpoint.pk} {now:%Y%m%d%H%M%S}", now=now)
    return True


def _claim(*, now: datetime) -> list[_Try]:
    terms: dict[str, Any] = {
        "now": now,
        "of_one": TOGETHER_OF_ONE,
        "together": TOGETHER,
        "retries": RETRIES,
        "lease": LEASE,
        "most": len(RETRIES),
    }
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(CLAIM_DELIVERIES, terms)
            ids = [row[0] for row in cursor.fetchall()]
        rows = list(WebhookDelivery.objects.select_related("message", "endpoint").filter(pk__in=ids).order_by("pk"))
        attempts = DeliveryAttempt.objects.bulk_create(
            [DeliveryAttempt(delivery=row, began_at=timezone.now()) for row in rows]
        )
        secrets = {row.endpoint_id: _secrets(row.endpoint, now=now) for row in rows}
    return [_Try(row, attempt, secrets[row.endpoint_id]) for row, attempt in zip(rows, attempts, strict=True)]


def _secrets(endpoint: WebhookEndpoint, *, now: datetime) -> list[str]:
    try:
        return secrets_in_force(endpoint, now=now)
    except SecretUnreadable:
        return []


def _send(tried: _Try) -> _Result:
    """One request, on a thread that has no business with the database."""
    began = time.monotonic()
    message, endpoint = tried.delivery.message, tried.delivery.endpoint
    if not tried.secrets:
        return _Result(None, "its secret cannot be read: make a new one", was_slow=False, took_ms=0)
    body = message.body.encode()
    headers = signature_headers(tried.secrets, message_id=message.pk, timestamp=int(time.time()), body=body)
    headers |= {"content-type": "application/json", "user-agent": USER_AGENT}
    try:
        answer = send_request(
            "POST",
            endpoint.url,
            headers=headers,
            body=body,
            timeout_s=TIMEOUT_S,
            allows_internal=settings.WEBHOOKS_ALLOW_INTERNAL,
        )
    except NotDelivered as error:
        return _Result(None, str(error), was_slow=error.was_slow, took_ms=_ms_since(began))
    return _Result(answer, _complaint(answer), was_slow=False, took_ms=_ms_since(began))


def _complaint(answer: HttpAnswer) -> str:
    """What is wrong with an answer; "" where it took the message."""
    if 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own
        return ""
    if 300 <= answer.status < 400:  # noqa: PLR2004
        return f"answered {answer.status}: redirects are not followed"
    return f"answered {answer.status}"


def _keep(tried: _Try, result: _Result, *, began: datetime) -> None:
    """What came of a try that began then."""
    delivery, now = tried.delivery, timezone.now()
    status = None if result.answer is None else result.answer.status
    DeliveryAttempt.objects.filter(pk=tried.attempt.pk).update(
        took_ms=result.took_ms,
        status=status,
        error=result.error[:300],
        answer="" if result.answer is None else result.answer.text,
    )
    mine = WebhookDelivery.objects.filter(pk=delivery.pk, state="waiting")
    if not result.error:
        mine.update(state="delivered", ended_at=now)
        return
    log.warning("webhook not delivered", endpoint=delivery.endpoint_id, message=delivery.message_id, error=result.error)
    if result.was_slow:
        WebhookEndpoint.objects.filter(pk=delivery.endpoint_id).update(rests_until=now + REST)
    if status == GONE:
        turn_endpoint_off(delivery.endpoint, because="answered 410: it is gone", now=now)
    elif delivery.attempts <= len(RETRIES):
        mine.update(due_at=began + RETRIES[delivery.attempts - 1])
    elif mine.update(state="failed", ended_at=now):
        key = f"failed {delivery.endpoint_id} {now:%Y%m%d}"
        _tell_owner(delivery.endpoint, GIVEN_UP, because=result.error, key=key, now=now)


def _tell_owner(endpoint: WebhookEndpoint, words: str, *, because: str, key: str, now: datetime) -> None:
    """Mails an endpoint's owner, once for each key."""
    owner: User = endpoint.owner
    with translation.override(_language(owner)):
        subject = _(words) % {"name": endpoint.name}
        lines = [
            f"{subject}: {because}.",
            _("What could not be delivered stays in the console for 90 days, and can be sent again from there."),
            console_address("admin:alerts_webhookendpoint_change", endpoint.pk),
        ]
        new_mail(owner, kind="webhook", subject=subject, body="\n\n".join(lines) + "\n", now=now, key=key)


def _language(person: User) -> str:
    return AlertRecipient.objects.filter(person=person).values_list("language", flat=True).first() or "en"


def _ms_since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)
