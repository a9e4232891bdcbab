"""Flags that need other orders: refunds against their original, and a card reference seen twice (protocol §5).

A batch without refunds and card references pays nothing. Those are looked up before anything is written, so that the
receipt says what was found. Two transactions at the same moment do not see each other there: those that refund one order
take turns, and card references are looked up once more when they are written.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg.types.json import Jsonb

from backoffice.domain.orders import Order
from backoffice.domain.reasons import REFUND_OF_UNKNOWN_ORDER, Reason, reasons_json
from backoffice.domain.rules import (
    CARD_WINDOW,
    CardPayment,
    Original,
    StoreSettings,
    card_flags,
    card_references,
    refund_flags,
)
from backoffice.ingestion.batch.lock import Work
from backoffice.ingestion.batch.members import Judged, Member
from backoffice.ingestion.batch.write import JudgedBatch
from backoffice.postgres.copying import pipelined
from backoffice.sales.models import AwaitedOriginal

# Two terminals that refund one order at the same time would not see each other: they take turns.
LOCK_REFUNDED = "SELECT pg_advisory_xact_lock(hashtextextended(order_id::text, 0)) FROM unnest(%s::uuid[]) AS order_id"

# Whoever has written card references takes turns with the others of the store until the commit: of two orders with one
# reference, whoever is second sees the first. One lock for a store, however many references; the last that a transaction
# takes, in the order of the stores for all its batches, so nobody who has it waits for anybody. (But for a batch that is
# taken order by order: should that end in a deadlock, the batch waits.) Two keys are a space of their own: they cannot be
# a refunded order's one.
LOCK_STORES = "SELECT pg_advisory_xact_lock(1, store_id) FROM unnest(%s::integer[]) AS store_id"

SELECT_ORIGINALS = """
SELECT i.item_id, CASE o.status WHEN 'paid' THEN o.total ELSE 0 END, o.closed_at FROM sales_identity i
JOIN sales_order o ON o.id = i.row_id AND o.business_date = i.business_date
WHERE i.item_id = ANY(%s::uuid[]) AND i.version = 0
"""

SUM_REFUNDS = """
SELECT refund_of, sum(total)::bigint FROM sales_order
WHERE refund_of = ANY(%s::uuid[]) AND kind = 'refund' AND status = 'paid' GROUP BY refund_of
"""

# Refunds that came before what they refund, of any store: a small table, where nearly every batch finds nothing.
SELECT_AWAITING = """
SELECT o.id, o.business_date, o.order_id, o.refund_of, o.total, o.closed_at, o.flags, s.refund_days
FROM sales_awaitedoriginal a
JOIN sales_order o ON o.id = a.refund_id AND o.business_date = a.business_date
JOIN fleet_store s ON s.id = o.store_id
WHERE a.refund_of = ANY(%s::uuid[]) AND a.arrived_at IS NULL ORDER BY o.id
FOR UPDATE OF a
"""

# A sale and its refund that were processed at the same moment did not see each other.
SELECT_ARRIVED = """
SELECT DISTINCT a.refund_of, CASE o.status WHEN 'paid' THEN o.total ELSE 0 END, o.closed_at FROM sales_awaitedoriginal a
JOIN sales_identity i ON i.item_id = a.refund_of AND i.version = 0
JOIN sales_order o ON o.id = i.row_id AND o.business_date = i.business_date
WHERE a.arrived_at IS NULL LIMIT 1000
"""

REPLACE_FLAGS = "UPDATE sales_order SET flags = %s WHERE id = %s AND business_date = %s"

# LATERAL, and OFFSET 0 that keeps it so: reference by reference through their index, also by a plan that was made while the
# month was still empty. Of business days is asked for the partitions' sake alone: whether two orders are within 24 hours is
# for the rules to say.
SELECT_CARD_PAYMENTS = """
SELECT o.store_id, p.reference, o.order_id, o.refund_of, o.closed_at FROM unnest(%(references)s::text[]) AS wanted (reference)
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


def lock_refunded(cursor: CursorWrapper, members: Iterable[Member]) -> None:
    """Has others that refund the same orders wait until the transaction ends. Call it before `add_history_flags`.

    Once for all batches of a transaction: then all take these locks in one order, and nobody waits in a circle.
    """
    named = {order.refund_of for member in members if isinstance(order := member.value, Order) and _is_refund(order)}
    if named:
        cursor.execute(LOCK_REFUNDED, [sorted(named, key=str)])


def add_history_flags(cursor: CursorWrapper, judged: Sequence[Judged], *, work: Work) -> list[Judged]:
    """Adds to posted orders the flags that other orders decide. Call it before they are written."""
    posted = _posted_orders(judged)
    found: dict[UUID, tuple[Reason, ...]] = {}
    for order, reasons in (*_refund_flags(cursor, posted, work=work), *_card_flags(cursor, posted, work=work)):
        if reasons:
            found[order.order_id] = found.get(order.order_id, ()) + reasons
    if not found:
        return list(judged)
    return [
        item._replace(reasons=item.reasons + found[item.member.incoming.order_id])
        if item.outcome == "posted" and item.member.incoming.order_id in found
        else item
        for item in judged
    ]


def looks_for(judged: Sequence[Judged]) -> set[UUID | str]:
    """What `add_history_flags` looks for among orders that are written: refunded orders and card references."""
    named: set[UUID | str] = set()
    for order in _posted_orders(judged):
        if order.refund_of is not None:
            named.add(order.refund_of)
        named.update(card_references(order))
    return named


def can_be_found(judged: Sequence[Judged]) -> set[UUID | str]:
    """What others that look would find once these are written."""
    return looks_for(judged) | {order.order_id for order in _posted_orders(judged)}


def look_again(cursor: CursorWrapper, batches: Sequence[JudgedBatch], *, now: datetime) -> None:
    """What can only be seen once everything of a transaction is written. The last before its shifts are reconciled.

    Refunds that wait for their original are remembered, and those flagged anew whose original is written now. Orders are
    flagged that share a card reference with one that was written beside them.
    """
    awaiting = [
        AwaitedOriginal(refund_id=row_id, refund_of=order.refund_of, business_date=batch.work.business_date)
        for batch in batches
        for row_id, item in batch.posted_orders
        if isinstance(order := item.member.value, Order) and order.refund_of is not None
        if any(reason.code == REFUND_OF_UNKNOWN_ORDER for reason in item.reasons)
    ]
    AwaitedOriginal.objects.bulk_create(awaiting)
    if awaiting or any(batch.work.refunds_wait for batch in batches):
        originals = _originals([order for batch in batches for order in _posted_orders(batch.judged)])
        if originals:
            _look_again_at_refunds(cursor, originals, now=now)
    _look_again_at_cards(cursor, batches)


def look_again_at_arrived(*, now: datetime) -> int:
    """Catches up on refunds whose original arrived unseen beside them; how many originals there were."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SELECT_ARRIVED)
        originals = {row[0]: (row[1], row[2]) for row in cursor.fetchall()}
        if originals:
            _look_again_at_refunds(cursor, originals, now=now)
    return len(originals)


def _posted_orders(judged: Sequence[Judged]) -> list[Order]:
    return [item.member.value for item in judged if item.outcome == "posted" and isinstance(item.member.value, Order)]


def _is_refund(order: Order) -> bool:
    """Of an order that it names, so that what others refunded of that decides its flags."""
    return order.kind == "refund" and order.refund_of is not None and order.status == "paid"


def _originals(posted: Sequence[Order]) -> dict[UUID, tuple[int, datetime]]:
    """What each came to, 0 where nothing was paid, and when it closed; as SELECT_ORIGINALS has it of older ones."""
    return {order.order_id: (order.total if order.status == "paid" else 0, order.closed_at) for order in posted}


def _refund_flags(
    cursor: CursorWrapper, posted: Sequence[Order], *, work: Work
) -> list[tuple[Order, tuple[Reason, ...]]]:
    refunds = [order for order in posted if _is_refund(order)]
    if not refunds:
        return []
    named = [order.refund_of for order in refunds]
    cursor.execute(SELECT_ORIGINALS, [named])
    originals = {row[0]: (row[1], row[2]) for row in cursor.fetchall()}
    originals |= _originals(posted)
    cursor.execute(SUM_REFUNDS, [named])
    refunded: dict[UUID, int] = dict(cursor.fetchall())
    flagged = []
    for order in refunds:
        assert order.refund_of is not None  # noqa: S101 - narrows the type
        stood = originals.get(order.refund_of)
        original = stood and Original(total=stood[0], closed_at=stood[1], refunded=refunded.get(order.refund_of, 0))
        flagged.append((order, refund_flags(order, original=original or None, settings=work.settings)))
        refunded[order.refund_of] = refunded.get(order.refund_of, 0) + order.total
    return flagged


def _card_flags(
    cursor: CursorWrapper, posted: Sequence[Order], *, work: Work
) -> list[tuple[Order, tuple[Reason, ...]]]:
    paid_by_card = [(work, order) for order in posted if card_references(order)]
    if not paid_by_card:
        return []
    cursor.execute(SELECT_CARD_PAYMENTS, _around(paid_by_card))
    others = _card_payments(cursor)
    flagged = []
    for _, order in paid_by_card:
        mine = card_references(order)
        flagged.append((order, card_flags(order, others=_sharing(mine, others, work=work))))
        for reference in mine:
            others[work.store_id, reference].append(
                CardPayment(
                    order_id=order.order_id, refund_of=order.refund_of, reference=reference, closed_at=order.closed_at
                )
            )
    return flagged


def _look_again_at_cards(cursor: CursorWrapper, batches: Sequence[JudgedBatch]) -> None:
    """Of what this transaction itself brings nothing is new, so its own batches are left out.

    What is added to is the order's flags; the receipt of its batch stays what it was.
    """
    paid_by_card = [
        (batch.work, order, row_id, item)
        for batch in batches
        for row_id, item in batch.posted_orders
        if isinstance(order := item.member.value, Order) and card_references(order)
    ]
    if not paid_by_card:
        return
    stores = sorted({work.store_id for work, *_ in paid_by_card})
    around = _around(
        [(work, order) for work, order, *_ in paid_by_card], but_batch_ids=[batch.work.batch_id for batch in batches]
    )
    with connection.cursor() as lock, pipelined():
        lock.execute(LOCK_STORES, [stores])
        # A statement of its own: its snapshot is taken under the lock, so it sees who had it before.
        cursor.execute(SELECT_CARD_PAYMENTS, around)
    others = _card_payments(cursor)
    added = [
        {"id": row_id, "business_date": str(work.business_date), "flags": reasons_json(more)}
        for work, order, row_id, item in paid_by_card
        if (sharing := _sharing(card_references(order), others, work=work))
        if (more := card_flags(order, others=sharing, flagged=item.reasons))
    ]
    if added:
        wanted: Any = Jsonb(added)
        cursor.execute(ADD_FLAGS, [wanted])


def _around(paid_by_card: Sequence[tuple[Work, Order]], *, but_batch_ids: Sequence[UUID] = ()) -> dict[str, Any]:
    """For SELECT_CARD_PAYMENTS: where orders may be that share a reference with one of these, other batches' or all.

    Their shifts' own days are among it: a device whose clock was wrong closed its orders far from them.
    """
    moments = [order.closed_at for _, order in paid_by_card]
    days = {work.business_date for work, _ in paid_by_card}
    earliest = (min(moments) - CARD_WINDOW).astimezone(UTC).date() - LONGEST_SHIFT
    latest = (max(moments) + CARD_WINDOW).astimezone(UTC).date() + ZONES_APART
    return {
        "references": sorted({reference for _, order in paid_by_card for reference in card_references(order)}),
        "store_ids": sorted({work.store_id for work, _ in paid_by_card}),
        "from": min(earliest, *days),
        "to": max(latest, *days),
        "but_batch_ids": list(but_batch_ids),
    }


def _card_payments(cursor: CursorWrapper) -> defaultdict[tuple[int, str], list[CardPayment]]:
    """What SELECT_CARD_PAYMENTS found, by store and reference."""
    found: defaultdict[tuple[int, str], list[CardPayment]] = defaultdict(list)
    for store_id, reference, order_id, refund_of, closed_at in cursor.fetchall():
        payment = CardPayment(order_id=order_id, refund_of=refund_of, reference=reference, closed_at=closed_at)
        found[store_id, reference].append(payment)
    return found


def _sharing(
    references: frozenset[str], others: Mapping[tuple[int, str], Sequence[CardPayment]], *, work: Work
) -> list[CardPayment]:
    return [payment for reference in references for payment in others.get((work.store_id, reference), ())]


def _look_again_at_refunds(
    cursor: CursorWrapper, originals: Mapping[UUID, tuple[int, datetime]], *, now: datetime
) -> None:
    """What is replaced is the order's flags; the receipt of its batch stays what it was."""
    cursor.execute(SELECT_AWAITING, [list(originals)])
    refunded: dict[UUID, int] = {}
    for row_id, business_date, order_id, refund_of, total, closed_at, flags, refund_days in cursor.fetchall():
        sale_total, sale_closed_at = originals[refund_of]
        reasons = refund_flags(
            _refund(order_id=order_id, refund_of=refund_of, total=total, closed_at=closed_at),
            original=Original(total=sale_total, closed_at=sale_closed_at, refunded=refunded.get(refund_of, 0)),
            settings=StoreSettings(refund_days=refund_days),
        )
        refunded[refund_of] = refunded.get(refund_of, 0) + total
        kept = [flag for flag in json.loads(flags or "[]") if flag["code"] != REFUND_OF_UNKNOWN_ORDER]
        now_flagged = kept + reasons_json(reasons)
        replaced: list[Any] = [Jsonb(now_flagged) if now_flagged else None, row_id, business_date]
        cursor.execute(REPLACE_FLAGS, replaced)
    if refunded:
        AwaitedOriginal.objects.filter(refund_of__in=refunded, arrived_at__isnull=True).update(arrived_at=now)


def _refund(*, order_id: UUID, refund_of: UUID, total: int, closed_at: datetime) -> Order:
    """As much of a posted refund as the rules look at."""
    return Order(
        order_id=order_id,
        number=1,
        mode="online",
        kind="refund",
        status="paid",
        opened_at=closed_at,
        closed_at=closed_at,
        refund_of=refund_of,
        lines=[],
        total=total,
        payments=[],
    )
