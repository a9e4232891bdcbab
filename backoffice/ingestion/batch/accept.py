"""Receiving a batch: its bytes are durable before anybody is told so."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from backoffice.domain.cards.masking import Masked
from backoffice.domain.wire.envelope import Envelope
from backoffice.failpoints import failpoint
from backoffice.fleet.models import Terminal
from backoffice.inbox.models import Batch
from backoffice.inbox.packing import pack
from backoffice.sales.models import Shift

# A live order's batch is processed by the request that brought it: nobody else tries it in that time.
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


@dataclass(frozen=True, kw_only=True)
class Received:
    """What became of an upload: the stored batch, and whether it is new."""

    batch_id: UUID
    is_new: bool


def receive_batch(
    *,
    terminal: Terminal,
    shift_id: UUID,
    batch_id: UUID,
    masked: Masked,
    gzip: bytes | None,
    envelope: Envelope,
    now: datetime,
    claim: bool,
) -> Received:
    """Stores a batch, once, and what was masked in it. On return it is committed.

    `gzip` is what the body came as, where it did and nothing in it was masked.
    `claim` keeps workers off while the caller processes it.
    Raises ShiftUnknown, IdentifierReused. A repeat with the same content is told apart from a new batch.
    """
    body = masked.body
    digest = hashlib.sha256(body).digest()
    findings = [[found.list, found.index, found.code, found.pointer] for found in masked.findings if found.list]
    failpoint("receive-before-commit")
    with connection.cursor() as cursor:
        cursor.execute(
            STORE_BATCH,
            {
                "batch_id": batch_id,
                "terminal_id": terminal.pk,
                "shift_id": shift_id,
                "digest": digest,
                "body": pack(body, gzip=gzip),
                "size": len(body),
                "orders": len(envelope.orders),
                "movements": len(envelope.movements),
                "now": now,
                "card_flags": json.dumps(findings),
                "due_at": now + CLAIMED_AT_BIRTH if claim else now,
                "attempts": 1 if claim else 0,
            },
        )
        if cursor.rowcount == 1:
            return Received(batch_id=batch_id, is_new=True)
    return _repeat(terminal=terminal, shift_id=shift_id, batch_id=batch_id, digest=digest)


def _repeat(*, terminal: Terminal, shift_id: UUID, batch_id: UUID, digest: bytes) -> Received:
    stored = Batch.objects.filter(batch_id=batch_id).values_list("terminal_id", "shift_id", "digest").first()
    if stored is not None:
        if (stored[0], stored[1], bytes(stored[2])) != (terminal.pk, shift_id, digest):
            raise IdentifierReused
        return Received(batch_id=batch_id, is_new=False)
    if Shift.objects.filter(shift_id=shift_id).exists():
        raise IdentifierReused  # another terminal's shift: what it owns cannot be written under
    raise ShiftUnknown
