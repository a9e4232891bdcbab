"""The flag of a card reference that two orders of a store share (protocol §5).

References are looked up before anything is written, so that the receipt says what was found, and once more when they
are written: two transactions at the same moment do not see each other the first time.

A batch without card payments pays nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg.types.json import Jsonb

from backoffice.domain.reasons import Reason, reasons_json
from backoffice.domain.rules import CARD_WINDOW, CardPayment, same_card_flags
from backoffice.ingestion.batch.members import JudgedBatch
from backoffice.postgres.pipeline import pipelined
from backoffice.postgres.rows import named_rows
from backoffice.postgres.transactions import transaction_required

# Whoever has written card references takes turns with the others of the store until the commit: of two orders with one
# reference, whichever is second sees the first. One lock for a store, however many references; the last that a
# transaction takes, in the order of the stores for all its batches, so nobody who has it waits for anybody. (But for a
# batch that is taken order by order: should that end in a deadlock, the batch waits.) Two keys are a space of their own:
# they cannot be a refunded order's one.
LOCK_STORES = "SELECT pg_advisory_xact_lock(1, store_id) FROM unnest(%s::integer[]) AS store_id"

# LATERAL, and OFFSET 0 that keeps it so: reference by reference through their index, also by a plan that was made while
# the month was still empty. Business days are asked for the partitions' sake alone: whether two orders are within 24
# hours is for the rules to say.
SELECT_CARD_PAYMENTS = """
SELECT o.store_id, p.reference, o.order_id, o.refund_of, o.closed_at
FROM unnest(%(references)s::text[]) AS wanted (reference)
CROSS JOIN LATERAL (
    SELECT order_id, business_date, reference FROM sales_payment
    WHERE reference = wanted.reference AND reference <> '' AND method IN ('card', 'wallet')
        AND business_date BETWEEN %(from)s AND %(to)s
    OFFSET 0
) AS p
JOIN sales_order o ON o.id = p.order_id AND o.business_date = p.business_date
WHERE o.store_id = ANY(%(store_ids)s) AND o.status = 'paid' AND o.batch_id <> ALL(%(but_batch_ids)s::uuid[])
"""

ADD_FLAGS = """
UPDATE sales_order o SET flags = coalesce(o.flags, '[]') || more.flags
FROM jsonb_to_recordset(%s) AS more (id bigint, business_date date, flags jsonb)
WHERE o.id = more.id AND o.business_date = more.business_date
"""

# A business day is the day on which the shift opened: one that stays open over a holiday has orders of weeks later.
LONGEST_SHIFT = timedelta(days=31)
# The store's own day may be a day ahead of UTC's.
ZONES_APART = timedelta(days=1)

_Payments = Mapping[tuple[int, str], Sequence[CardPayment]]
"""Card payments by store and reference."""


def find_same_card_flags(cursor: CursorWrapper, judged: JudgedBatch) -> dict[UUID, tuple[Reason, ...]]:
    """For each posted order of the batch that was paid by card its flags, by its identifier."""
    if not judged.paid_by_card:
        return {}
    store_id = judged.batch.store_id
    cursor.execute(SELECT_CARD_PAYMENTS, _around([judged]))
    others = _card_payments(cursor)
    flags = {}
    for _, order, references in judged.paid_by_card:
        flags[order.order_id] = same_card_flags(order, others=_sharing(references, others, store_id=store_id))
        for reference in references:
            others[store_id, reference].append(
                CardPayment(
                    order_id=order.order_id, refund_of=order.refund_of, reference=reference, closed_at=order.closed_at
                )
            )
    return flags


@transaction_required
def look_again_at_cards(cursor: CursorWrapper, batches: Sequence[JudgedBatch]) -> None:
    """Flags orders that share a reference with one that was written beside them.

    What this transaction itself brings is no news, so its own batches are left out. What is added to is the order's
    flags; the receipt of its batch stays what it was. The last before shifts are reconciled.
    """
    with_cards = [judged for judged in batches if judged.paid_by_card]
    if not with_cards:
        return
    stores = sorted({judged.batch.store_id for judged in with_cards})
    around = _around(with_cards, but_batch_ids=[judged.batch.batch_id for judged in batches])
    with connection.cursor() as lock, pipelined():
        lock.execute(LOCK_STORES, [stores])
        # A statement of its own: its snapshot is taken under the lock, so it sees who had it before.
        cursor.execute(SELECT_CARD_PAYMENTS, around)
    others = _card_payments(cursor)
    added = [
        {"id": item.member.row_id, "business_date": str(judged.batch.business_date), "flags": reasons_json(more)}
        for judged in with_cards
        for item, order, references in judged.paid_by_card
        if (sharing := _sharing(references, others, store_id=judged.batch.store_id))
        if (more := same_card_flags(order, others=sharing, flagged=item.reasons))
    ]
    if added:
        wanted: Any = Jsonb(added)
        cursor.execute(ADD_FLAGS, [wanted])


def _around(batches: Sequence[JudgedBatch], *, but_batch_ids: Sequence[UUID] = ()) -> dict[str, Any]:
    """For SELECT_CARD_PAYMENTS: where orders may be that share a reference with one of these, other batches' or all.

    Their shifts' own days are among it: a device whose clock was wrong closed its orders far from them.
    """
    paid_by_card = [paid for judged in batches for paid in judged.paid_by_card]
    moments = [order.closed_at for _, order, _ in paid_by_card]
    days = {judged.batch.business_date for judged in batches}
    earliest = (min(moments) - CARD_WINDOW).astimezone(UTC).date() - LONGEST_SHIFT
    latest = (max(moments) + CARD_WINDOW).astimezone(UTC).date() + ZONES_APART
    return {
        "references": sorted({reference for _, _, references in paid_by_card for reference in references}),
        "store_ids": sorted({judged.batch.store_id for judged in batches}),
        "from": min(earliest, *days),
        "to": max(latest, *days),
        "but_batch_ids": list(but_batch_ids),
    }


def _card_payments(cursor: CursorWrapper) -> defaultdict[tuple[int, str], list[CardPayment]]:
    """What SELECT_CARD_PAYMENTS found, by store and reference."""
    found: defaultdict[tuple[int, str], list[CardPayment]] = defaultdict(list)
    for row in named_rows(cursor):
        store_id = row.pop("store_id")
        found[store_id, row["reference"]].append(CardPayment(**row))
    return found


def _sharing(references: Collection[str], others: _Payments, *, store_id: int) -> list[CardPayment]:
    return [payment for reference in references for payment in others.get((store_id, reference), ())]
