"""Accepting an upload: it is stored before anybody is told so, and after that nothing can fail it (ADR 1 and 6)."""

import hashlib
import json
import threading
import zlib
from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from structlog.contextvars import get_contextvars

from backoffice.domain.cards.masking import mask_cards
from backoffice.domain.states import BatchState
from backoffice.domain.upload import Upload, open_upload
from backoffice.domain.wire.answers import Receipt
from backoffice.domain.wire.envelope import Envelope
from backoffice.failpoints import failpoint
from backoffice.fleet.models import Terminal
from backoffice.inbox.claims import Claim
from backoffice.inbox.models import Batch
from backoffice.inbox.packing import pack
from backoffice.ingestion.batch.group_commit import process_live
from backoffice.ingestion.batch.receipts import (
    compose_receipt,
    find_receipt,
    list_every_result,
    tell_decisions,
    wait_for_receipt,
)
from backoffice.ingestion.bell import ring_soon
from backoffice.metrics import count_accepted
from backoffice.postgres.transactions import transaction_required
from backoffice.sales.models import Shift

log = structlog.get_logger(__name__)

# Up to so many members, in so many bytes, the request that brought them processes them itself: a worker would only add
# its own latency.
INLINE_MEMBERS = 50
INLINE_BYTES = 262_144
# A larger body may keep the interpreter busy for a second. One is opened at a time: live orders share it with that one alone.
LARGE = 1_000_000
_one_at_a_time = threading.Lock()
# A live order's batch is stored as claimed by its request: no worker tries it in that time.
CLAIMED_AT_BIRTH = timedelta(seconds=2)

STORE_BATCH = """
INSERT INTO inbox_batch (batch_id, terminal_id, shift_id, digest, body, size, order_count, movement_count, received_at,
    card_flags, state, due_at, attempts, last_error, outcomes, results, movement_outcomes, movement_results)
SELECT %(batch_id)s, terminal_id, shift_id, %(digest)s, %(body)s, %(size)s, %(orders)s, %(movements)s, %(now)s,
    %(card_flags)s, 'received', %(due_at)s, %(attempts)s, '', '{}', '[]', '{}', '[]'
FROM sales_shift WHERE shift_id = %(shift_id)s AND terminal_id = %(terminal_id)s
ON CONFLICT (batch_id) DO NOTHING
"""


class ShiftUnknown(Exception):
    """No shift of this identifier was opened."""


class IdentifierReused(Exception):
    """The identifier stands for something else already: other content, or what another terminal owns."""


def accept(
    *,
    terminal: Terminal,
    shift_id: UUID,
    batch_id: UUID,
    body: bytes,
    gzip: bytes | None,
    wait_s: int,
    every_result: bool = False,
    now: datetime,
) -> Receipt:
    """Stores the batch in `body`, once, and returns its receipt; after `wait_s` seconds as it stands then.

    Once it is processed, `every_result` lists each member, not only the notable ones.

    `gzip` is what the body came as, where it was compressed. A small batch whose outcome is waited for is processed
    here; for any other a worker is rung.
    Raises BodyMalformed, EnvelopeInvalid, TooManyOrders, ShiftUnknown, IdentifierReused: then nothing is stored. An error
    after that says that the batch is stored and its receipt could not be read: a repeat gets it.
    """
    with _one_at_a_time if len(body) > LARGE else nullcontext():
        upload = open_upload(body, gzip=gzip, max_orders=settings.MAX_BATCH_ORDERS)
    envelope = upload.envelope
    is_small = len(envelope.orders) + len(envelope.movements) <= INLINE_MEMBERS and len(upload.body) <= INLINE_BYTES
    is_live = is_small and wait_s > 0
    is_new = store_batch(
        terminal=terminal, shift_id=shift_id, batch_id=batch_id, upload=upload, is_claimed=is_live, now=now
    )
    failpoint("receive-after-commit")
    receipt = None
    if is_new:
        count_accepted(orders=len(envelope.orders))
        if is_live:
            receipt = _process_at_once(batch_id=batch_id, shift_id=shift_id, envelope=envelope, now=now)
        if receipt is None:
            log.info("batch received", orders=len(envelope.orders))
            ring_soon()
    receipt = receipt or wait_for_receipt(batch_id=batch_id, terminal_id=terminal.pk, wait_s=wait_s)
    if every_result:
        list_every_result(receipt, envelope)
        tell_decisions(receipt)
    return receipt


def repeated_upload_of_before(*, terminal: Terminal, shift_id: UUID, batch_id: UUID, body: bytes) -> Receipt | None:
    """The receipt of a batch with neither list, which an earlier version took as an empty one; None if it took no such batch."""
    stored = Batch.objects.filter(batch_id=batch_id, terminal=terminal, shift_id=shift_id).only("digest").first()
    if stored is None or bytes(stored.digest) != hashlib.sha256(mask_cards(body).body).digest():
        return None
    return find_receipt(batch_id=batch_id, terminal_id=terminal.pk)


def store_batch(
    *, terminal: Terminal, shift_id: UUID, batch_id: UUID, upload: Upload, is_claimed: bool, now: datetime
) -> bool:
    """Stores a batch, once, and what was masked in it; whether it is new. On return it is committed, or with its caller.

    `is_claimed` keeps workers off while the caller processes it. Raises ShiftUnknown, IdentifierReused.
    """
    digest = hashlib.sha256(upload.body).digest()
    card_flags = upload.card_flags
    failpoint("receive-before-commit")
    with connection.cursor() as cursor:
        cursor.execute(
            STORE_BATCH,
            {
                "batch_id": batch_id,
                "terminal_id": terminal.pk,
                "shift_id": shift_id,
                "digest": digest,
                "body": pack(upload.body, gzip=upload.gzip),
                "size": len(upload.body),
                "orders": len(upload.envelope.orders),
                "movements": len(upload.envelope.movements),
                "now": now,
                "card_flags": json.dumps(card_flags),
                "due_at": now + CLAIMED_AT_BIRTH if is_claimed else now,
                "attempts": 1 if is_claimed else 0,
            },
        )
        if cursor.rowcount == 1:
            return True
    _check_repeat(terminal=terminal, shift_id=shift_id, batch_id=batch_id, digest=digest)
    return False


@transaction_required
def store_recovered(*, terminal: Terminal, shift_id: UUID, batch_id: UUID, upload: Upload, now: datetime) -> bool:
    """Stores a batch that its terminal could not send, as `store_batch` does; a worker is rung once that is committed.

    Raises ShiftUnknown, IdentifierReused.
    """
    is_new = store_batch(
        terminal=terminal, shift_id=shift_id, batch_id=batch_id, upload=upload, is_claimed=False, now=now
    )
    if is_new:
        transaction.on_commit(partial(_announce, orders=len(upload.envelope.orders)))
    return is_new


def _announce(*, orders: int) -> None:
    count_accepted(orders=orders)
    ring_soon()


def _check_repeat(*, terminal: Terminal, shift_id: UUID, batch_id: UUID, digest: bytes) -> None:
    stored = Batch.objects.filter(batch_id=batch_id).only("terminal_id", "shift_id", "digest").first()
    if stored is not None:
        if (stored.terminal_id, stored.shift_id) != (terminal.pk, shift_id) or not _is_of(stored, digest):
            raise IdentifierReused
    elif Shift.objects.filter(shift_id=shift_id).exists():
        raise IdentifierReused  # another terminal's shift: what it owns cannot be written under
    else:
        raise ShiftUnknown


def _is_of(stored: Batch, digest: bytes) -> bool:
    """Whether the body that was stored has this digest, or would have it today.

    An earlier version masked less: sent again, the same bytes are no longer what was stored then (ADR 21).
    """
    if bytes(stored.digest) == digest:
        return True
    masked = mask_cards(zlib.decompress(stored.body))
    return bool(masked.findings) and hashlib.sha256(masked.body).digest() == digest


def _process_at_once(*, batch_id: UUID, shift_id: UUID, envelope: Envelope, now: datetime) -> Receipt | None:
    """None where the batch is left to a worker: it is durable, and nothing that goes wrong here may fail the answer."""
    try:
        processed = process_live(Claim(batch_id, 1, envelope, request_id=get_contextvars().get("request_id")))
    except Exception:
        log.exception("live order left to a worker")
        return None
    if processed is None:
        return None
    return compose_receipt(
        batch_id=batch_id,
        shift_id=shift_id,
        state=BatchState.PROCESSED,
        received_at=now,
        order_count=len(envelope.orders),
        processed=processed,
    )
