"""Time stamps (RFC 3161): somebody outside says that a checkpoint was there by then (docs/evidence.md, "Time stamps").

Once a day, for the last checkpoint of the days that are over: it covers all before it. Whoever is asked is asked on a thread
of its own, and a try is put off before it is made: nothing waits for an authority, and who dies over one does not come back
to it at once.
"""

import threading
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import structlog
from cryptography import x509
from django.conf import settings
from django.db import connection, transaction
from rfc3161_client import TimestampRequestBuilder, VerificationError, VerifierBuilder, decode_timestamp_response

from backoffice.books.evidence.models import Checkpoint, Stamp, StampTry
from backoffice.transport import NotDelivered, send_request

log = structlog.get_logger(__name__)

TIMEOUT_S = 10.0
AGAIN = timedelta(minutes=15)
UNANSWERED = "was asked, and nothing came of it"
HEADERS = {"content-type": "application/timestamp-query", "accept": "application/timestamp-reply"}

CLAIM = """
INSERT INTO evidence_stamptry AS tried (checkpoint_id, began_at, due_at, error)
VALUES (%(checkpoint)s, %(now)s, %(due)s, %(error)s)
ON CONFLICT (checkpoint_id) DO UPDATE SET due_at = excluded.due_at WHERE tried.due_at <= %(now)s
RETURNING checkpoint_id
"""

_asking: threading.Thread | None = None


class NotStamped(Exception):
    """There is no time stamp; the message says why in a few words."""


class Answered(NamedTuple):
    """What an authority answered, and the time in it."""

    reply: bytes
    stamped_at: datetime


def stamp_beside(*, now: datetime) -> bool:
    """Sees to the stamp that is due on a thread of its own, where an authority is set. Whether it does."""
    global _asking  # noqa: PLW0603 - one a process: who hangs is not joined by another
    if not settings.TIMESTAMP_URL or (_asking is not None and _asking.is_alive()):
        return False
    _asking = threading.Thread(target=_stamp, args=(now,), name="stamp", daemon=True)
    _asking.start()
    return True


def _stamp(now: datetime) -> None:
    try:
        stamp_newest(now=now)
    except Exception:  # whatever it is: the try is put off already
        log.exception("no time stamp")
    finally:
        connection.close()


def stamp_newest(*, now: datetime) -> bool:
    """Has the last checkpoint before today (UTC) stamped, if it is not and a try is due. Whether it was."""
    checkpoint = _claim(now=now)
    if checkpoint is None:
        return False
    try:
        answered = ask_authority(checkpoint.note.encode())
    except NotStamped as error:
        log.warning("no time stamp", error=str(error))
        StampTry.objects.filter(pk=checkpoint.pk).update(error=str(error)[:300])
        return False
    with transaction.atomic():
        authority = urlsplit(settings.TIMESTAMP_URL).hostname or ""
        row = Stamp(checkpoint=checkpoint, authority=authority[:200], **answered._asdict())
        Stamp.objects.bulk_create([row], ignore_conflicts=True)
        StampTry.objects.all().delete()
    return True


def ask_authority(data: bytes) -> Answered:
    """A stamp of these bytes, checked as whoever reads it later will. Raises NotStamped."""
    request = TimestampRequestBuilder().data(data).build()
    try:
        answer = send_request(
            "POST",
            settings.TIMESTAMP_URL,
            headers=HEADERS,
            body=request.as_bytes(),
            timeout_s=TIMEOUT_S,
            allows_internal=settings.WEBHOOKS_ALLOW_INTERNAL,
        )
    except NotDelivered as error:
        raise NotStamped(str(error)) from error
    if answer.status != 200:  # noqa: PLR2004 - RFC 3161, 3.4
        raise NotStamped(f"answered {answer.status}")
    try:
        reply = decode_timestamp_response(answer.body)
        if reply.status != 0:
            raise NotStamped(f"refused: status {reply.status} {' '.join(reply.status_string)}".strip())
        VerifierBuilder(roots=_roots(), nonce=request.nonce).build().verify_message(reply, data)
        return Answered(answer.body, reply.tst_info.gen_time)
    except (ValueError, VerificationError) as error:
        raise NotStamped(f"no stamp of it that can be trusted: {error}") from error


def _roots() -> list[x509.Certificate]:
    """Whom stamps are believed from: the certificates of TIMESTAMP_CA_FILE. Raises ValueError where they cannot be read."""
    if not settings.TIMESTAMP_CA_FILE:
        raise ValueError("TIMESTAMP_CA_FILE names no file: nobody's stamps are believed")
    try:
        return x509.load_pem_x509_certificates(Path(settings.TIMESTAMP_CA_FILE).read_bytes())
    except OSError as error:
        raise ValueError(f"TIMESTAMP_CA_FILE cannot be read: {error}") from None


def _claim(*, now: datetime) -> Checkpoint | None:
    """The checkpoint that is to be stamped now, with its next try put off. None where nothing is due."""
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), tzinfo=UTC)
    newest = Checkpoint.objects.filter(signed_at__lt=midnight).order_by("-size", "-id").first()
    if newest is None or Stamp.objects.filter(pk=newest.pk).exists():
        return None
    StampTry.objects.exclude(pk=newest.pk).delete()
    asked: dict[str, Any] = {"checkpoint": newest.pk, "now": now, "due": now + AGAIN, "error": UNANSWERED}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, asked)
        return newest if cursor.fetchone() else None
