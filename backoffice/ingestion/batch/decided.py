"""What head office decides to post goes the way of an upload: stored as a batch of its own, judged and written alike.

So there is one way into the books, and what was decided is there in bytes, as what was sent is (ADR 35). The batch has the
identifier of its decision. Who may decide, and why, is for the books to say.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from backoffice.domain.identity import Recognition
from backoffice.domain.reasons import Reason
from backoffice.domain.rules import Circumstances
from backoffice.domain.upload import Upload
from backoffice.inbox.models import Batch
from backoffice.inbox.packing import pack
from backoffice.ingestion.batch.identities import recognise
from backoffice.ingestion.batch.lock import LockedBatch, lock_batches
from backoffice.ingestion.batch.members import Judged, JudgedBatch, Member, judge, number_members, read_members
from backoffice.ingestion.batch.post import add_flags_of_others, as_processed, finish
from backoffice.ingestion.batch.refunds import lock_originals, look_again_at_refunds
from backoffice.ingestion.batch.write import write_judged
from backoffice.postgres.transactions import transaction_required
from backoffice.sales.identities import BatchKey, IdentityRow, insert_identities
from backoffice.sales.models import Identity

# The version that was held is now the one in the books; the number is taken where it was read at last, and is free.
REPLACE_IDENTITY = """
UPDATE sales_identity SET row_id = %(row_id)s, business_date = %(business_date)s,
    number = CASE WHEN number IS NULL AND NOT EXISTS (
        SELECT FROM sales_identity used WHERE used.terminal_id = sales_identity.terminal_id AND used.number = %(number)s::bigint
    ) THEN %(number)s::bigint ELSE number END
WHERE item_id = %(item_id)s AND version = 0
"""


class CannotPost(Exception):
    """The rules do not post it: `reasons` are why it would be held, or what it contradicts."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(", ".join(reason.code for reason in reasons))
        self.reasons = tuple(reasons)


class DecidedUpload(NamedTuple):
    """One order or cash movement that head office posts to a shift, as an upload with nothing else in it.

    `card_flags` are as with a batch; `late`, whether it is so for its shift; `flags` come beside those of the rules.
    """

    batch_id: UUID
    terminal_id: int
    shift_id: UUID
    upload: Upload
    card_flags: Sequence[Any] = ()
    late: bool = False
    flags: tuple[Reason, ...] = ()


@transaction_required
def post_held(cursor: CursorWrapper, decided: DecidedUpload, *, item_id: UUID, now: datetime) -> Judged:
    """Posts what was held under `item_id`, or under an identifier of its own what contradicts that.

    The caller has locked the terminals and marked it as decided. Raises CannotPost: nothing may be committed then.
    """
    batch, member = _store_and_lock(cursor, decided, now=now)
    used = Identity.objects.filter(terminal_id=batch.terminal_id, number=member.incoming.number)
    recognition = Recognition("new", takes_number=not used.exists())
    if member.incoming.item_id == item_id:
        cursor.execute(
            REPLACE_IDENTITY,
            {
                "row_id": member.row_id,
                "business_date": batch.business_date,
                "number": member.incoming.number,
                "item_id": item_id,
            },
        )
    else:
        row = IdentityRow(member.incoming.item_id, None, member.incoming.content_hash, 0, member.row_id, 1)
        insert_identities(cursor, [row], batches=[_key(batch)])
    return _post(cursor, decided, batch, member, recognition, now=now)


@transaction_required
def post_entered(cursor: CursorWrapper, decided: DecidedUpload, *, now: datetime) -> Judged:
    """Posts an order that no terminal sent: its identifier and its number must be free. Raises CannotPost."""
    batch, member = _store_and_lock(cursor, decided, now=now)
    ((recognition,),) = recognise(cursor, [(batch, [member])])
    if recognition.version == "duplicate":
        raise CannotPost((Reason("duplicate", "/order_id", "This very order is known"),))
    return _post(cursor, decided, batch, member, recognition, now=now)


def _store_and_lock(cursor: CursorWrapper, decided: DecidedUpload, *, now: datetime) -> tuple[LockedBatch, Member]:
    upload = decided.upload
    Batch.objects.create(
        batch_id=decided.batch_id,
        terminal_id=decided.terminal_id,
        shift_id=decided.shift_id,
        digest=hashlib.sha256(upload.body).digest(),
        body=pack(upload.body, gzip=None),
        size=len(upload.body),
        card_flags=[list(flag) for flag in decided.card_flags],
        order_count=len(upload.envelope.orders),
        movement_count=len(upload.envelope.movements),
        received_at=now,
        due_at=now,
    )
    (batch,) = lock_batches(cursor, [decided.batch_id])
    (member,) = number_members(batch, read_members(upload.envelope))
    # What the clock said, and when it came, was said of it when it was sent.
    how = Circumstances(late=decided.late, entered_on=batch.circumstances.entered_on)
    return batch._replace(circumstances=how), member


def _post(
    cursor: CursorWrapper,
    decided: DecidedUpload,
    batch: LockedBatch,
    member: Member,
    recognition: Recognition,
    *,
    now: datetime,
) -> Judged:
    lock_originals(cursor, [member])
    item = judge(member, recognition, batch=batch)
    if item.outcome != "posted":
        raise CannotPost(item.reasons)
    flagged = JudgedBatch(batch, [item._replace(reasons=item.reasons + decided.flags)])
    judged = add_flags_of_others(cursor, flagged)
    write_judged(cursor, [judged], now=now, processed={batch.batch_id: as_processed(judged.judged, now=now)})
    look_again_at_refunds(cursor, [judged], now=now)
    finish(cursor, [(batch, [member], [recognition])], [judged], now=now)
    return judged.judged[0]


def _key(batch: LockedBatch) -> BatchKey:
    return BatchKey(batch.terminal_id, batch.shift.shift_id, batch.batch_id, batch.business_date)
