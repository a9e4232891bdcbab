"""Flags of refunds, which need the order that they refund (protocol §5).

Originals are looked up before anything is written, so that the receipt says what was found. Two transactions at the
same moment would not see each other there: those that refund one order take turns. A refund may also arrive before the
order that it refunds; it is remembered then, and flagged anew when that arrives. Of an order of another store nothing is
said, and refunds there do not count: a till would learn what others sold, or spoil their flags.

A batch without refunds pays nothing.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg.types.json import Jsonb

from backoffice.domain.orders import Order
from backoffice.domain.reasons import REFUND_OF_UNKNOWN_ORDER, Reason, reasons_json
from backoffice.domain.rules import Original, StoreSettings, is_refund_of_an_order, refund_flags
from backoffice.ingestion.batch.members import JudgedBatch, Member
from backoffice.postgres.rows import named_rows, rows_as
from backoffice.postgres.transactions import transaction_required
from backoffice.sales.models import AwaitedOriginal

LOCK_ORIGINALS = "SELECT pg_advisory_xact_lock(hashtextextended(order_id::text, 0)) FROM unnest(%s::uuid[]) AS order_id"

SELECT_ORIGINALS = """
SELECT i.item_id AS order_id, o.store_id, CASE o.status WHEN 'paid' THEN o.total ELSE 0 END AS total, o.closed_at
FROM sales_identity i JOIN sales_order o ON o.id = i.row_id AND o.business_date = i.business_date
WHERE i.item_id = ANY(%s::uuid[]) AND i.version = 0
"""

SUM_REFUNDS = """
SELECT refund_of, sum(total)::bigint AS refunded FROM sales_order
WHERE refund_of = ANY(%s::uuid[]) AND store_id = %s AND kind = 'refund' AND status = 'paid' GROUP BY refund_of
"""

# Refunds that came before what they refund, of any store: a small table, where nearly every batch finds nothing.
SELECT_AWAITING = """
SELECT o.id, o.business_date, o.store_id, o.order_id, o.refund_of, o.total, o.closed_at, o.flags, s.refund_days
FROM sales_awaitedoriginal a
JOIN sales_order o ON o.id = a.refund_id AND o.business_date = a.business_date
JOIN fleet_store s ON s.id = o.store_id
WHERE a.refund_of = ANY(%s::uuid[]) AND a.arrived_at IS NULL ORDER BY o.id
FOR UPDATE OF a
"""

# A sale and its refund that were processed at the same moment did not see each other.
SELECT_ARRIVED = """
SELECT DISTINCT a.refund_of AS order_id, o.store_id, CASE o.status WHEN 'paid' THEN o.total ELSE 0 END AS total, o.closed_at
FROM sales_awaitedoriginal a
JOIN sales_identity i ON i.item_id = a.refund_of AND i.version = 0
JOIN sales_order o ON o.id = i.row_id AND o.business_date = i.business_date
WHERE a.arrived_at IS NULL LIMIT 1000
"""

REPLACE_FLAGS = "UPDATE sales_order SET flags = %s WHERE id = %s AND business_date = %s"


class _Sale(NamedTuple):
    """Whose an order is, what it came to, 0 where nothing was paid, and when it closed."""

    order_id: UUID
    store_id: int
    total: int
    closed_at: datetime


@transaction_required
def lock_originals(cursor: CursorWrapper, members: Iterable[Member]) -> None:
    """Has others that refund the same orders wait until the transaction ends. Call it before `find_refund_flags`.

    Once for all batches of a transaction: then all take these locks in one order, and nobody waits in a circle.
    """
    originals = {
        order.refund_of
        for member in members
        if isinstance(order := member.value, Order) and is_refund_of_an_order(order)
    }
    if originals:
        cursor.execute(LOCK_ORIGINALS, [sorted(originals, key=str)])


def find_refund_flags(cursor: CursorWrapper, judged: JudgedBatch) -> dict[UUID, tuple[Reason, ...]]:
    """For each posted refund of the batch that names an order its flags, by its own identifier."""
    store_id = judged.batch.store_id
    refunds = [order for _, order in judged.posted_orders if is_refund_of_an_order(order)]
    if not refunds:
        return {}
    named = [order.refund_of for order in refunds]
    cursor.execute(SELECT_ORIGINALS, [named])
    originals = {sale.order_id: sale for sale in [*rows_as(_Sale, cursor), *_sales(judged)]}
    cursor.execute(SUM_REFUNDS, [named, store_id])
    refunded: dict[UUID, int] = {row["refund_of"]: row["refunded"] for row in named_rows(cursor)}
    flags = {}
    for order in refunds:
        assert order.refund_of is not None  # noqa: S101 - narrows the type
        sale, before = originals.get(order.refund_of), refunded.get(order.refund_of, 0)
        refunded[order.refund_of] = before + order.total
        if sale is not None and sale.store_id != store_id:
            continue  # of another store's order nothing is said: no figure of it, and neither more nor less
        original = None if sale is None else Original(total=sale.total, closed_at=sale.closed_at, refunded=before)
        flags[order.order_id] = refund_flags(order, original=original, settings=judged.batch.settings)
    return flags


@transaction_required
def look_again_at_refunds(cursor: CursorWrapper, batches: Sequence[JudgedBatch], *, now: datetime) -> None:
    """Remembers refunds that wait for their original, and flags those anew whose original these batches brought.

    The last before shifts are reconciled: it sees what the transaction has written.
    """
    awaiting = [
        AwaitedOriginal(
            refund_id=item.member.row_id, refund_of=order.refund_of, business_date=judged.batch.business_date
        )
        for judged in batches
        for item, order in judged.posted_orders
        if order.refund_of is not None and any(reason.code == REFUND_OF_UNKNOWN_ORDER for reason in item.reasons)
    ]
    AwaitedOriginal.objects.bulk_create(awaiting)
    if awaiting or any(judged.batch.a_refund_waits for judged in batches):
        _flag_anew(cursor, [sale for judged in batches for sale in _sales(judged)], now=now)


def look_again_at_arrived(*, now: datetime) -> int:
    """Catches up on refunds whose original arrived unseen beside them; how many originals there were."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SELECT_ARRIVED)
        sales = rows_as(_Sale, cursor)
        _flag_anew(cursor, sales, now=now)
    return len(sales)


def _sales(judged: JudgedBatch) -> list[_Sale]:
    """As SELECT_ORIGINALS has older ones."""
    return [
        _Sale(order.order_id, judged.batch.store_id, order.total if order.status == "paid" else 0, order.closed_at)
        for _, order in judged.posted_orders
    ]


def _flag_anew(cursor: CursorWrapper, sales: Sequence[_Sale], *, now: datetime) -> None:
    """What is replaced is the order's flags; the receipt of its batch stays what it was."""
    if not sales:
        return
    by_id = {sale.order_id: sale for sale in sales}
    cursor.execute(SELECT_AWAITING, [list(by_id)])
    refunded: dict[UUID, int] = {}
    for row in named_rows(cursor):
        refund, sale = _refund(row), by_id[row["refund_of"]]
        before = refunded.setdefault(sale.order_id, 0)
        reasons: tuple[Reason, ...] = ()
        if row["store_id"] == sale.store_id:
            reasons = refund_flags(
                refund,
                original=Original(total=sale.total, closed_at=sale.closed_at, refunded=before),
                settings=StoreSettings(refund_days=row["refund_days"]),
            )
            refunded[sale.order_id] = before + refund.total
        kept = [flag for flag in json.loads(row["flags"] or "[]") if flag["code"] != REFUND_OF_UNKNOWN_ORDER]
        flags = kept + reasons_json(reasons)
        replaced: list[Any] = [Jsonb(flags) if flags else None, row["id"], row["business_date"]]
        cursor.execute(REPLACE_FLAGS, replaced)
    if refunded:
        AwaitedOriginal.objects.filter(refund_of__in=refunded, arrived_at__isnull=True).update(arrived_at=now)


def _refund(row: Mapping[str, Any]) -> Order:
    """As much of a posted refund as the rules look at."""
    return Order(
        order_id=row["order_id"],
        number=1,
        mode="online",
        kind="refund",
        status="paid",
        opened_at=row["closed_at"],
        closed_at=row["closed_at"],
        refund_of=row["refund_of"],
        lines=[],
        total=row["total"],
        payments=[],
    )
