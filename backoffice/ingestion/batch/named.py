"""Orders that others give back or adjust, and what was given back of them, as the rules need them (protocol §5)."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from backoffice.domain.orders import Line, Order, Payment, Tax
from backoffice.domain.returns import NO_ADJUSTMENTS, GivenBack, Original, original_of, paid_by_method
from backoffice.domain.scalars import Quantity, Rate, UnitPrice
from backoffice.ingestion.batch.members import JudgedBatch
from backoffice.postgres.arrays import uuid_array
from backoffice.postgres.rows import named_rows

# Of an order `o` and its shift `s`: what `order_of_row` reads, and its store and prices.
SELECT_ORDER = """
SELECT o.order_id, o.store_id, o.kind, o.status, o.refund_of, o.adjusts, o.total, o.closed_at, s.prices_include_tax,
    (SELECT jsonb_agg(l ORDER BY l.position) FROM sales_orderline l
        WHERE l.order_id = o.id AND l.business_date = o.business_date) AS lines,
    (SELECT jsonb_agg(p ORDER BY p.position) FROM sales_payment p
        WHERE p.order_id = o.id AND p.business_date = o.business_date) AS payments
"""

SELECT_ORIGINALS = (
    SELECT_ORDER
    + """
FROM sales_identity i
JOIN sales_order o ON o.id = i.row_id AND o.business_date = i.business_date
JOIN sales_shift s ON s.shift_id = o.shift_id
WHERE i.item_id = ANY(%s::uuid[]) AND i.version = 0
"""
)

SUM_ADJUSTMENTS = """
SELECT o.adjusts, o.store_id, p.method, sum(p.amount)::bigint AS amount
FROM sales_order o JOIN sales_payment p ON p.order_id = o.id AND p.business_date = o.business_date
WHERE o.adjusts = ANY(%s::uuid[]) AND o.status = 'paid' GROUP BY o.adjusts, o.store_id, p.method
"""

# Of an order `o` and its shift `s`: what each of its lines gives back, of which original, and how much at its gross value.
# The one place in SQL that says so; of an order that is not written, `returns_of` does (protocol §5).
LINES_GIVING_BACK = """
    SELECT coalesce(l.refund_of, o.refund_of) AS original, -(CASE WHEN s.prices_include_tax THEN l.amount ELSE l.amount + (
        SELECT coalesce(sum((tax.value ->> 'amount')::bigint), 0) FROM jsonb_array_elements(l.taxes) AS tax
    ) END) AS amount
    FROM sales_orderline l
    WHERE l.order_id = o.id AND l.business_date = o.business_date AND l.amount < 0 AND l.kind <> 'discount'
"""

# Per original, what `returns_of` says of each of the store's orders: there may be many, and no more than sums are needed.
SUM_RETURNS = """
WITH naming AS (
    SELECT refund_of AS original, id, business_date FROM sales_order WHERE refund_of = ANY(%(originals)s::uuid[])
    UNION
    SELECT refund_of, order_id, business_date FROM sales_orderline
    WHERE refund_of = ANY(%(originals)s::uuid[]) AND amount < 0 AND kind <> 'discount'
)
SELECT naming.original, sum(l.amount)::bigint AS amount, sum(l.line_count)::bigint AS line_count,
    sum(CASE WHEN o.kind = 'refund' AND l.are_all_its AND coalesce(o.refund_of = naming.original, true)
        THEN -o.total ELSE 0 END)::bigint AS paid_back
FROM naming
JOIN sales_order o ON o.id = naming.id AND o.business_date = naming.business_date
JOIN sales_shift s ON s.shift_id = o.shift_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(line.amount) FILTER (WHERE line.original = naming.original), 0) AS amount,
        count(*) FILTER (WHERE line.original = naming.original) AS line_count,
        coalesce(bool_and(line.original IS NOT DISTINCT FROM naming.original), true) AS are_all_its
    FROM ({lines}) AS line
) AS l
WHERE o.store_id = %(store_id)s AND o.status = 'paid' AND o.id < %(before_id)s GROUP BY naming.original
""".replace("{lines}", LINES_GIVING_BACK)  # nosec B608

SELECT_NAMING = """
SELECT o.order_id FROM sales_order o
WHERE o.refund_of = %(order_id)s AND o.store_id = %(store_id)s AND o.status = 'paid'
UNION SELECT o.order_id FROM sales_order o
WHERE o.adjusts = %(order_id)s AND o.store_id = %(store_id)s AND o.status = 'paid'
UNION SELECT o.order_id FROM sales_orderline l
JOIN sales_order o ON o.id = l.order_id AND o.business_date = l.business_date
WHERE l.refund_of = %(order_id)s AND l.amount < 0 AND l.kind <> 'discount' AND o.store_id = %(store_id)s AND o.status = 'paid'
ORDER BY order_id LIMIT 10
"""

# No id is as large.
BEHIND_ALL_ROWS = 2**63 - 1

# No rule that looks at a stored order asks for these.
_ONE, _NO_PRICE, _NO_RATE = Quantity("1"), UnitPrice("0"), Rate("0")


class Named(NamedTuple):
    """An order that others name, and whose it is."""

    store_id: int
    original: Original


def find_named(
    cursor: CursorWrapper, order_ids: Collection[UUID], *, beside: JudgedBatch | None = None
) -> dict[UUID, Named]:
    """Those of the orders that are in the books of any terminal, or are posted by the batch `beside`, not written yet."""
    cursor.execute(SELECT_ORIGINALS, [uuid_array(order_ids)])
    found = [(order_of_row(row), row["store_id"], row["prices_include_tax"]) for row in named_rows(cursor)]
    adjusted = _adjustments(cursor, order_ids)
    if beside is not None:
        store_id, shift = beside.batch.store_id, beside.batch.shift
        posted = [order for _, order in beside.posted_orders]
        found += [(order, store_id, shift.prices_include_tax) for order in posted if order.order_id in order_ids]
        for order in posted:
            if order.adjusts in order_ids and order.status == "paid":
                _add(adjusted[order.adjusts, store_id], paid_by_method(order.payments))
    return {
        order.order_id: Named(
            store_id,
            original_of(
                order,
                prices_include_tax=prices_include_tax,
                adjusted=adjusted.get((order.order_id, store_id), NO_ADJUSTMENTS),
            ),
        )
        for order, store_id, prices_include_tax in found
    }


def _adjustments(
    cursor: CursorWrapper, order_ids: Collection[UUID]
) -> defaultdict[tuple[UUID | None, int], dict[str, int]]:
    """What written adjustments paid, by the order that they adjust and their store, and then by method."""
    paid: defaultdict[tuple[UUID | None, int], dict[str, int]] = defaultdict(dict)
    cursor.execute(SUM_ADJUSTMENTS, [uuid_array(order_ids)])
    for row in named_rows(cursor):
        paid[row["adjusts"], row["store_id"]][row["method"]] = row["amount"]
    return paid


def _add(sums: dict[str, int], more: Mapping[str, int]) -> None:
    for method, amount in more.items():
        sums[method] = sums.get(method, 0) + amount


def orders_naming(cursor: CursorWrapper, order_id: UUID, *, store_id: int) -> list[UUID]:
    """Orders of the store, posted and not voided, that give back something of an order or adjust it; ten at most."""
    cursor.execute(SELECT_NAMING, {"order_id": order_id, "store_id": store_id})
    return [naming for (naming,) in cursor.fetchall()]


def sum_returns(
    cursor: CursorWrapper, order_ids: Collection[UUID], *, store_id: int, before_id: int = BEHIND_ALL_ROWS
) -> dict[UUID, GivenBack]:
    """What all orders of the store that are written gave back of each of these, on whatever terminal.

    Where `before_id` is the id of a row, those that came before it.
    """
    summed: dict[str, Any] = {"originals": uuid_array(order_ids), "store_id": store_id, "before_id": before_id}
    cursor.execute(SUM_RETURNS, summed)
    return {row.pop("original"): GivenBack(**row) for row in named_rows(cursor)}


def order_of_row(row: Mapping[str, Any]) -> Order:
    """As much of a posted order as the rules look at that need others: its lines' amounts, its payments, what it names."""
    return Order(
        order_id=row["order_id"],
        number=1,
        mode="online",
        kind=row["kind"],
        status=row["status"],
        opened_at=row["closed_at"],
        closed_at=row["closed_at"],
        refund_of=row["refund_of"],
        adjusts=row["adjusts"],
        lines=[_line(line) for line in _objects(row["lines"])],
        total=row["total"],
        payments=[Payment(method=paid["method"], amount=paid["amount"]) for paid in _objects(row["payments"])],
    )


def _objects(aggregated: str | None) -> Sequence[Mapping[str, Any]]:
    return json.loads(aggregated) if aggregated else ()


def _line(stored: Mapping[str, Any]) -> Line:
    refund_of = stored["refund_of"]
    return Line(
        kind=stored["kind"],
        quantity=_ONE,
        unit_price=_NO_PRICE,
        amount=stored["amount"],
        refund_of=None if refund_of is None else UUID(refund_of),
        taxes=[Tax(code=tax["code"], rate=_NO_RATE, amount=tax["amount"]) for tax in stored["taxes"]],
    )
