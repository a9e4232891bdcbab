"""Flags that need other orders: refunds against their original, and a card reference seen twice (protocol §5).

Both are rare, so a batch without refunds and card references pays nothing; with them it pays one or two statements.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg.types.json import Jsonb

from backoffice.domain.orders import Order
from backoffice.domain.reasons import REFUND_OF_UNKNOWN_ORDER, Reason, reasons_json
from backoffice.domain.rules import CardPayment, Original, StoreSettings, card_flags, card_references, refund_flags
from backoffice.ingestion.bookkeeping import JudgedBatch
from backoffice.ingestion.members import Judged
from backoffice.ingestion.work import Work
from backoffice.sales.models import AwaitedOriginal

# Two terminals that refund one order at the same time would not see each other: they take turns.
LOCK_REFUNDED = "SELECT pg_advisory_xact_lock(hashtextextended(order_id::text, 0)) FROM unnest(%s::uuid[]) AS order_id"

SELECT_ORIGINALS = """
SELECT i.item_id, o.total, o.closed_at FROM sales_identity i
JOIN sales_order o ON o.id = i.row_id AND o.business_date = i.business_date
WHERE i.item_id = ANY(%s::uuid[]) AND i.version = 0 AND o.status = 'paid'
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
SELECT DISTINCT a.refund_of, o.total, o.closed_at FROM sales_awaitedoriginal a
JOIN sales_identity i ON i.item_id = a.refund_of AND i.version = 0
JOIN sales_order o ON o.id = i.row_id AND o.business_date = i.business_date AND o.status = 'paid'
WHERE a.arrived_at IS NULL LIMIT 1000
"""

REPLACE_FLAGS = "UPDATE sales_order SET flags = %s WHERE id = %s AND business_date = %s"

# Three business days around the shift's cover 24 hours before and after any order of it.
SELECT_CARD_PAYMENTS = """
SELECT o.order_id, o.refund_of, p.reference, o.closed_at FROM sales_payment p
JOIN sales_order o ON o.id = p.order_id AND o.business_date = p.business_date
WHERE p.reference = ANY(%(references)s) AND p.reference <> '' AND p.method IN ('card', 'wallet')
    AND p.business_date BETWEEN %(from)s AND %(to)s AND o.store_id = %(store_id)s AND o.status = 'paid'
"""


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
    """Remembers written refunds that wait for their original, and flags those anew whose original is written now."""
    awaiting = [
        AwaitedOriginal(refund_id=row_id, refund_of=order.refund_of, business_date=batch.work.business_date)
        for batch in batches
        for row_id, item in batch.posted()
        if isinstance(order := item.member.value, Order) and order.refund_of is not None
        if any(reason.code == REFUND_OF_UNKNOWN_ORDER for reason in item.reasons)
    ]
    AwaitedOriginal.objects.bulk_create(awaiting)
    if not awaiting and not any(batch.work.refunds_wait for batch in batches):
        return
    originals = {
        order.order_id: (order.total, order.closed_at)
        for batch in batches
        for order in _posted_orders(batch.judged)
        if order.status == "paid"
    }
    if originals:
        _look_again_at_refunds(cursor, originals, now=now)


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


def _refund_flags(
    cursor: CursorWrapper, posted: Sequence[Order], *, work: Work
) -> list[tuple[Order, tuple[Reason, ...]]]:
    refunds = [order for order in posted if order.kind == "refund" and order.refund_of and order.status == "paid"]
    if not refunds:
        return []
    named = sorted({order.refund_of for order in refunds if order.refund_of})
    cursor.execute(LOCK_REFUNDED, [named])
    cursor.execute(SELECT_ORIGINALS, [named])
    originals = {row[0]: (row[1], row[2]) for row in cursor.fetchall()}
    originals |= {order.order_id: (order.total, order.closed_at) for order in posted if order.status == "paid"}
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
    wanted = {order.order_id: card_references(order) for order in posted}
    references = sorted(set().union(*wanted.values())) if wanted else []
    if not references:
        return []
    around: dict[str, Any] = {
        "references": references,
        "store_id": work.store_id,
        "from": work.business_date - timedelta(days=2),
        "to": work.business_date + timedelta(days=2),
    }
    cursor.execute(SELECT_CARD_PAYMENTS, around)
    others: dict[str, list[CardPayment]] = {reference: [] for reference in references}
    for order_id, refund_of, reference, closed_at in cursor.fetchall():
        others[reference].append(
            CardPayment(order_id=order_id, refund_of=refund_of, reference=reference, closed_at=closed_at)
        )
    flagged = []
    for order in posted:
        mine = wanted[order.order_id]
        if mine:
            flagged.append((order, card_flags(order, others=[one for ref in mine for one in others[ref]])))
            for reference in mine:
                others[reference].append(
                    CardPayment(
                        order_id=order.order_id,
                        refund_of=order.refund_of,
                        reference=reference,
                        closed_at=order.closed_at,
                    )
                )
    return flagged


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
