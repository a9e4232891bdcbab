"""The flag of a card reference that two orders of a store share (protocol §5).

References are looked up before anything is written, so that the receipt says what was found, and once more when they
are written: two transactions at the same moment do not see each other the first time.

A batch without card payments pays nothing, and a reference that is on every order ("VISA") costs no more than another: of
each, as many are looked at as the rule counts, in the store and within the hours that the rule asks for (ADR 24).
"""

import json
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg.types.json import Jsonb

from backoffice.domain.orders import Order
from backoffice.domain.reasons import Reason, reasons_json
from backoffice.domain.rules import CARD_WINDOW, MOST_SHARING, CardPayment, family_of, same_card_flags
from backoffice.ingestion.batch.lock import LockedBatch
from backoffice.ingestion.batch.members import Judged, JudgedBatch
from backoffice.postgres.arrays import integer_array
from backoffice.postgres.pipeline import pipelined
from backoffice.postgres.rows import named_rows
from backoffice.postgres.transactions import transaction_required

# Whoever has written card references takes turns with the others of the store until the commit: of two orders with one
# reference, whichever is second sees the first. One lock for a store, however many references; the last that a
# transaction takes, in the order of the stores for all its batches, so nobody who has it waits for anybody. Who does not
# get it soon is put off rather than keep its other batches waiting. Two keys are a space of their own: they cannot be a
# refunded order's one.
LOCK_STORES = """
SELECT pg_advisory_xact_lock(1, store_id)
FROM set_config('lock_timeout', '2s', true) CROSS JOIN unnest(%s::integer[]) AS store_id
"""

# LATERAL, with LIMITs that keep it so: reference by reference through their index, also by a plan that was made while the
# month was still empty. The second part is of rows from before there was a store in them. Business days are asked for the
# partitions' sake alone.
SELECT_CARD_PAYMENTS = """
SELECT wanted.place, wanted.reference, o.order_id, o.refund_of, o.adjusts, o.lines_refund, o.closed_at
FROM unnest(%(places)s::integer[], %(store_ids)s::integer[], %(references)s::text[], %(moments)s::timestamptz[])
    AS wanted (place, store_id, reference, closed_at)
CROSS JOIN LATERAL (
    (SELECT order_id, business_date FROM sales_payment
    WHERE store_id = wanted.store_id AND reference = wanted.reference
        AND card_closed_at >= wanted.closed_at - %(window)s AND card_closed_at <= wanted.closed_at + %(window)s
        AND business_date BETWEEN %(from)s AND %(to)s
    LIMIT %(most)s)
    UNION ALL
    (SELECT order_id, business_date FROM sales_payment
    WHERE store_id IS NULL AND reference = wanted.reference AND reference <> '' AND method IN ('card', 'wallet')
        AND business_date BETWEEN %(from)s AND %(to)s
    LIMIT %(most_of_before)s)
) AS p
CROSS JOIN LATERAL (
    SELECT order_id, refund_of, adjusts, lines_refund, closed_at FROM sales_order
    WHERE id = p.order_id AND business_date = p.business_date AND business_date BETWEEN %(from)s AND %(to)s
        AND store_id = wanted.store_id AND status = 'paid' AND batch_id <> ALL(%(but_batch_ids)s::uuid[])
    LIMIT 1
) AS o
"""

ADD_FLAGS = """
UPDATE sales_order o SET flags = coalesce(o.flags, '[]') || more.flags
FROM jsonb_to_recordset(%s) AS more (id bigint, business_date date, flags jsonb)
WHERE o.id = more.id AND o.business_date = more.business_date
"""

# One more than the rule counts says that there are more.
MOST_LOOKED_AT = MOST_SHARING + 1
# Of rows from before there was a store in them, which may be of any store.
MOST_OF_BEFORE = 200
# A business day is the day on which the shift opened: one that stays open over a holiday has orders of weeks later.
LONGEST_SHIFT = timedelta(days=31)
# The store's own day may be a day ahead of UTC's.
ZONES_APART = timedelta(days=1)


class _Paid(NamedTuple):
    """An order that was paid by card. `beside` is what earlier members of a transaction share with it.

    `references` are to be looked up: all but those that already too many have beside it for any rule.
    """

    batch: LockedBatch
    item: Judged
    order: Order
    references: Sequence[str]
    beside: Sequence[CardPayment]


def find_same_card_flags(cursor: CursorWrapper, judged: JudgedBatch) -> dict[UUID, tuple[Reason, ...]]:
    """For each posted order of the batch that was paid by card its flags, by its identifier."""
    paid = _paid_by_card([judged])
    wanted = _wanted(paid)
    others: dict[int, list[CardPayment]] = {}
    if wanted:
        cursor.execute(SELECT_CARD_PAYMENTS, _around(paid, wanted))
        others = _card_payments(cursor)
    return {
        one.order.order_id: same_card_flags(one.order, others=[*one.beside, *others.get(place, ())])
        for place, one in enumerate(paid)
    }


@transaction_required
def look_again_at_cards(cursor: CursorWrapper, batches: Sequence[JudgedBatch]) -> None:
    """Flags orders that share a reference with one that was written beside them.

    What this transaction itself brings is no news, so its own batches are left out. What is added to is the order's
    flags; the receipt of its batch stays what it was. The last before the commit.
    """
    paid = _paid_by_card(batches)
    wanted = _wanted(paid)
    if not wanted:
        return
    around = _around(paid, wanted, but_batch_ids=[judged.batch.batch_id for judged in batches])
    with connection.cursor() as lock, pipelined():
        lock.execute(LOCK_STORES, [sorted({one.batch.store_id for one in paid})])
        # A statement of its own: its snapshot is taken under the lock, so it sees who had it before.
        cursor.execute(SELECT_CARD_PAYMENTS, around)
    added = [
        {"id": one.item.member.row_id, "business_date": str(one.batch.business_date), "flags": reasons_json(more)}
        for place, others in _card_payments(cursor).items()
        if (one := paid[place])
        if (more := same_card_flags(one.order, others=[*one.beside, *others], flagged=one.item.reasons))
    ]
    if added:
        flags: Any = Jsonb(added)
        cursor.execute(ADD_FLAGS, [flags])


def _paid_by_card(batches: Sequence[JudgedBatch]) -> list[_Paid]:
    """In the order sent."""
    brought: defaultdict[tuple[int, str], list[CardPayment]] = defaultdict(list)
    paid = []
    for judged in batches:
        for item, order, references in judged.paid_by_card:
            rare: list[str] = []
            beside: list[CardPayment] = []
            for reference in sorted(references):
                others = brought[judged.batch.store_id, reference]
                near = _near(others, order.closed_at)
                if len(near) <= MOST_SHARING:
                    rare.append(reference)
                    beside += near
                payment = CardPayment(
                    order_id=order.order_id, family=family_of(order), reference=reference, closed_at=order.closed_at
                )
                insort(others, payment, key=_closed_at)
            paid.append(_Paid(judged.batch, item, order, rare, beside))
    return paid


def _near(others: Sequence[CardPayment], moment: datetime) -> Sequence[CardPayment]:
    """Of payments in the order of their closing, those within the rule's window, as many as it counts."""
    first = bisect_left(others, moment - CARD_WINDOW, key=_closed_at)
    last = bisect_right(others, moment + CARD_WINDOW, key=_closed_at)
    return others[first : min(last, first + MOST_LOOKED_AT)]


def _closed_at(payment: CardPayment) -> datetime:
    return payment.closed_at


def _wanted(paid: Sequence[_Paid]) -> list[tuple[int, str]]:
    """The references to look up, each with the place of its order."""
    return [(place, reference) for place, one in enumerate(paid) for reference in one.references]


def _around(
    paid: Sequence[_Paid], wanted: Sequence[tuple[int, str]], *, but_batch_ids: Sequence[UUID] = ()
) -> dict[str, Any]:
    """For SELECT_CARD_PAYMENTS: where orders may be that share a reference with one of these, other batches' or all.

    Their shifts' own days are among it: a device whose clock was wrong closed its orders far from them.
    """
    moments = [one.order.closed_at for one in paid]
    days = {one.batch.business_date for one in paid}
    earliest = (min(moments) - CARD_WINDOW).astimezone(UTC).date() - LONGEST_SHIFT
    latest = (max(moments) + CARD_WINDOW).astimezone(UTC).date() + ZONES_APART
    return {
        "places": integer_array(place for place, _ in wanted),
        "store_ids": integer_array(paid[place].batch.store_id for place, _ in wanted),
        "references": [reference for _, reference in wanted],
        "moments": [paid[place].order.closed_at for place, _ in wanted],
        "window": CARD_WINDOW,
        "from": min(earliest, *days),
        "to": max(latest, *days),
        "most": MOST_LOOKED_AT,
        "most_of_before": MOST_OF_BEFORE,
        "but_batch_ids": list(but_batch_ids),
    }


def _card_payments(cursor: CursorWrapper) -> dict[int, list[CardPayment]]:
    """What SELECT_CARD_PAYMENTS found, by the place of the order that it was looked up for."""
    found: defaultdict[int, list[CardPayment]] = defaultdict(list)
    for row in named_rows(cursor):
        names = [row["order_id"], row.pop("refund_of"), row.pop("adjusts")]
        if by_lines := row.pop("lines_refund"):
            names += map(UUID, json.loads(by_lines))
        family = frozenset(order_id for order_id in names if order_id is not None)
        found[row.pop("place")].append(CardPayment(family=family, **row))
    return found
