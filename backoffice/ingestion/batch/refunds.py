"""Flags of orders that give back or adjust others, which need those others (protocol §5).

They are looked up before anything is written, so that the receipt says what was found. Two transactions at the same moment
would not see each other there: those that name one order take turns. An order may also arrive before the one that it
names; it is remembered then, and flagged anew when that arrives. Of an order of another store nothing is said, and what is
given back there does not count: a till would learn what others sold, or spoil their flags.

A batch in which nothing is given back or adjusted pays nothing.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg.types.json import Jsonb

from backoffice.domain.orders import Order
from backoffice.domain.reasons import ADJUSTS_UNKNOWN_ORDER, REFUND_OF_UNKNOWN_ORDER, Reason, reasons_json
from backoffice.domain.returns import (
    GivenBack,
    Original,
    Return,
    method_flags,
    named_orders,
    return_flags,
    returns_of,
    unknown_adjusted,
)
from backoffice.domain.rules import StoreSettings, bounded
from backoffice.ingestion.batch.members import JudgedBatch, Member
from backoffice.ingestion.batch.named import SELECT_ORDER, Named, find_named, order_of_row, sum_returns
from backoffice.postgres.rows import named_rows
from backoffice.postgres.transactions import transaction_required
from backoffice.sales.models import AwaitedOriginal

LOCK_ORIGINALS = "SELECT pg_advisory_xact_lock(hashtextextended(order_id::text, 0)) FROM unnest(%s::uuid[]) AS order_id"

# Orders that came before what they name, of any store: a small table, where nearly every batch finds nothing.
SELECT_AWAITING = (
    SELECT_ORDER
    + """
    , o.id, o.business_date, o.flags, st.refund_days, st.rounding_step, a.refund_of AS awaited
FROM sales_awaitedoriginal a
JOIN sales_order o ON o.id = a.refund_id AND o.business_date = a.business_date
JOIN sales_shift s ON s.shift_id = o.shift_id
JOIN fleet_store st ON st.id = o.store_id
WHERE a.refund_of = ANY(%s::uuid[]) AND a.arrived_at IS NULL ORDER BY o.id
FOR UPDATE OF a
"""
)

# Two orders, of which one names the other, that were processed at the same moment did not see each other.
SELECT_ARRIVED = """
SELECT DISTINCT a.refund_of AS order_id FROM sales_awaitedoriginal a
JOIN sales_identity i ON i.item_id = a.refund_of AND i.version = 0
JOIN sales_order o ON o.id = i.row_id AND o.business_date = i.business_date
WHERE a.arrived_at IS NULL LIMIT 1000
"""

REPLACE_FLAGS = "UPDATE sales_order SET flags = %s WHERE id = %s AND business_date = %s"


NOTHING = GivenBack()


class FlagsOfNaming(NamedTuple):
    """Flags of orders that name others, by their own identifier; and what they wait for, by the ids of their rows."""

    flags: Mapping[UUID, tuple[Reason, ...]]
    awaited: Sequence[tuple[int, UUID]]


@transaction_required
def lock_originals(cursor: CursorWrapper, members: Iterable[Member]) -> None:
    """Has others that name the same orders wait until the transaction ends. Call it before `find_refund_flags`.

    Once for all batches of a transaction: then all take these locks in one order, and nobody waits in a circle.
    """
    named: set[UUID] = set()
    for member in members:
        if member.named:
            named |= member.named
    if named:
        lock_named(cursor, named)


@transaction_required
def lock_named(cursor: CursorWrapper, order_ids: Collection[UUID]) -> None:
    """Has whoever names one of these orders, and whoever voids it, wait until the transaction ends."""
    cursor.execute(LOCK_ORIGINALS, [sorted(order_ids, key=str)])


def find_refund_flags(cursor: CursorWrapper, judged: JudgedBatch) -> FlagsOfNaming:
    """The flags of the batch's posted orders that name others."""
    if not judged.naming:
        return FlagsOfNaming({}, ())
    batch = judged.batch
    named = {order_id for _, _, order_ids in judged.naming for order_id in order_ids}
    look = _Look(
        store_id=batch.store_id,
        settings=batch.settings,
        found=find_named(cursor, named, beside=judged),
        given_back=sum_returns(cursor, named, store_id=batch.store_id),
    )
    flags = {}
    for _, order, order_ids in judged.naming:
        returned = returns_of(order, prices_include_tax=batch.shift.prices_include_tax)
        flags[order.order_id] = bounded(look.flags(order, returned, of=order_ids))
    awaited = [
        (item.member.row_id, order_id)
        for item, _, order_ids in judged.naming
        for order_id in order_ids
        if order_id not in look.found
    ]
    return FlagsOfNaming(flags, awaited)


class _Look(NamedTuple):
    """What is known when orders of a store are flagged. `given_back` goes on with each of them."""

    store_id: int
    settings: StoreSettings
    found: Mapping[UUID, Named]
    given_back: dict[UUID, GivenBack]

    def flags(self, order: Order, returned: Sequence[Return], *, of: Iterable[UUID]) -> list[Reason]:
        """The flags that the orders `of` decide, of those that `order` gives back or adjusts."""
        news = frozenset(of)
        flags = [reason for one in returned if one.original in news for reason in self._flags_of(order, one)]
        if not news.isdisjoint(one.original for one in returned):
            flags += method_flags(order, originals=[self._own(one.original) for one in returned])
        if order.adjusts in news and order.adjusts not in self.found:
            flags.append(unknown_adjusted())
        return flags

    def _flags_of(self, order: Order, returned: Return) -> tuple[Reason, ...]:
        named = self.found.get(returned.original)
        before = self.given_back.get(returned.original, NOTHING)
        self.given_back[returned.original] = before.plus(returned)
        if named is not None and named.store_id != self.store_id:
            return ()  # of another store's order nothing is said: no figure of it, and neither more nor less
        original = None if named is None else named.original
        return return_flags(order, returned=returned, original=original, before=before, settings=self.settings)

    def _own(self, order_id: UUID) -> Original | None:
        named = self.found.get(order_id)
        return named.original if named is not None and named.store_id == self.store_id else None


@transaction_required
def look_again_at_refunds(cursor: CursorWrapper, batches: Sequence[JudgedBatch], *, now: datetime) -> None:
    """Remembers orders that wait for those that they name, and flags those anew that these batches were waited for by.

    The last before shifts are reconciled: it sees what the transaction has written.
    """
    awaiting = [
        AwaitedOriginal(refund_id=row_id, refund_of=order_id, business_date=judged.batch.business_date)
        for judged in batches
        for row_id, order_id in judged.awaited
    ]
    AwaitedOriginal.objects.bulk_create(awaiting)
    if awaiting or any(judged.batch.a_refund_waits for judged in batches):
        arrived = [order.order_id for judged in batches for _, order in judged.posted_orders]
        _flag_anew(cursor, arrived, now=now)


def look_again_at_arrived(*, now: datetime) -> int:
    """Catches up on orders whose named one arrived unseen beside them; how many of the latter there were."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SELECT_ARRIVED)
        arrived = [order_id for (order_id,) in cursor.fetchall()]
        _flag_anew(cursor, arrived, now=now)
    return len(arrived)


class _Waiting(NamedTuple):
    """A posted order that waited, and what has arrived of what it names."""

    row: Mapping[str, Any]
    order: Order
    arrived: list[UUID]


def _flag_anew(cursor: CursorWrapper, arrived: Sequence[UUID], *, now: datetime) -> None:
    """What is replaced is the order's flags; the receipt of its batch stays what it was."""
    if not arrived:
        return
    cursor.execute(SELECT_AWAITING, [list(arrived)])
    waiting = _waiting(named_rows(cursor))
    if not waiting:
        return
    found = find_named(cursor, {order_id for one in waiting for order_id in named_orders(one.order)})
    by_store: defaultdict[int, list[_Waiting]] = defaultdict(list)
    for one in waiting:
        by_store[one.row["store_id"]].append(one)
    for of_store in by_store.values():
        look = _look_of(cursor, of_store, found)
        for one in of_store:
            cursor.execute(REPLACE_FLAGS, _replaced(one, look))
    came = {order_id for one in waiting for order_id in one.arrived}
    AwaitedOriginal.objects.filter(refund_of__in=came, arrived_at__isnull=True).update(arrived_at=now)


def _waiting(rows: Iterable[Mapping[str, Any]]) -> list[_Waiting]:
    """In the order of the rows, which is that in which the orders were posted."""
    waiting: dict[int, _Waiting] = {}
    for row in rows:
        one = waiting.setdefault(row["id"], _Waiting(row, order_of_row(row), []))
        one.arrived.append(row["awaited"])
    return list(waiting.values())


def _look_of(cursor: CursorWrapper, waiting: Sequence[_Waiting], found: Mapping[UUID, Named]) -> _Look:
    """For the orders of one store. Others may have given back what these do, and have waited no more: one that was
    processed beside an original is caught up on after those that waited for it.
    """
    row = waiting[0].row
    arrived = {order_id for one in waiting for order_id in one.arrived}
    return _Look(
        store_id=row["store_id"],
        settings=StoreSettings(refund_days=row["refund_days"], rounding_step=row["rounding_step"]),
        found=found,
        given_back=sum_returns(cursor, arrived, store_id=row["store_id"], before_id=row["id"]),
    )


def _replaced(one: _Waiting, look: _Look) -> list[Any]:
    """For REPLACE_FLAGS: those that said that something is unknown are gone, and others may be there."""
    returned = returns_of(one.order, prices_include_tax=one.row["prices_include_tax"])
    known = {(REFUND_OF_UNKNOWN_ORDER, each.pointer) for each in returned if each.original in one.arrived}
    if one.order.adjusts in one.arrived:
        known.add((ADJUSTS_UNKNOWN_ORDER, unknown_adjusted().pointer))
    before = [Reason(**flag) for flag in json.loads(one.row["flags"] or "[]")]
    kept = [reason for reason in before if (reason.code, reason.pointer) not in known]
    flags = bounded([*kept, *look.flags(one.order, returned, of=one.arrived)])
    return [Jsonb(reasons_json(flags)) if flags else None, one.row["id"], one.row["business_date"]]
