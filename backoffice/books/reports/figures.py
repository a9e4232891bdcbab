"""What each figure is the sum of, order by order. Everything that a report says of sales is added up from these rows.

| figure | of which orders | `code` | `amount` |
|---|---|---|---|
| `sale`, `refund` | paid, by their kind; what adjusts another order is not counted | | total; `net` is without tax and rounding |
| `tip`, `rounding` | paid, with any | | tip; rounding |
| `method` | paid | the method | what was paid with it, as it stands after corrections |
| `tax` | paid, lines that are revenue or have a tax | the tax code, "" without tax | `net` and `tax`, by `rate` |
| `line` | paid | the kind of line | amounts of its lines |
| `discount` | paid sales, with any | | discounts of lines, and lines of kind `discount` |
| `no-receipt` | paid refunds that name no original; `unknown`: one that is not in the books | "" or `unknown` | total |
| `voided` | voided at the `till`, or later by head `office` | `till` or `office` | total |
| `training` | training orders | | total |
| `offline`, `out-of-hours` | paid, made offline; closed outside the hours of their shift | | total |

An order counts once in each: `number` is 1.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from django.db import connection
from django.db.backends.utils import CursorWrapper

from backoffice.books.evidence.balance import one_moment
from backoffice.books.reports.shape import Scope
from backoffice.domain.accounts import REVENUE_LINES
from backoffice.fleet.models import Store
from backoffice.postgres.arrays import integer_array, uuid_array, word_array
from backoffice.postgres.rows import rows_as

# The orders of some shifts. Lines and payments are looked up order by order: the planner would rather read a month from
# end to end, and OFFSET 0 keeps it from that. An order is found by its shift, and its month by its day.
OF_ORDERS = """
WITH o AS MATERIALIZED (
    SELECT o.id, o.business_date, o.store_id, o.cashier, o.currency, o.kind, o.status, o.mode, o.total, o.tax, o.tip, o.rounding,
        o.adjusts, o.voided_by, o.flags, o.refund_of IS NULL AND o.lines_refund IS NULL AS names_none, s.prices_include_tax
    FROM sales_order o JOIN sales_shift s ON s.shift_id = o.shift_id
    WHERE o.shift_id = ANY(%(shift_ids)s::uuid[]) AND o.business_date = ANY(%(days)s::date[])
), line AS MATERIALIZED (
    SELECT o.id, o.kind AS order_kind, l.kind, l.discount, l.amount, l.taxes,
        l.amount - CASE WHEN o.prices_include_tax THEN
            (SELECT coalesce(sum((t ->> 'amount')::bigint), 0)::bigint FROM jsonb_array_elements(l.taxes) t)
        ELSE 0 END AS net
    FROM o CROSS JOIN LATERAL (
        SELECT * FROM sales_orderline l WHERE l.order_id = o.id AND l.business_date = o.business_date OFFSET 0
    ) l
    WHERE o.status = 'paid'
), figure (id, figure, code, rate, net, tax, amount) AS (
    SELECT id, kind, '', '', total - tax - rounding, tax, total FROM o WHERE status = 'paid' AND adjusts IS NULL
    UNION ALL SELECT id, 'tip', '', '', 0, 0, tip FROM o WHERE status = 'paid' AND tip <> 0
    UNION ALL SELECT id, 'rounding', '', '', 0, 0, rounding FROM o WHERE status = 'paid' AND rounding <> 0
    UNION ALL SELECT id, 'voided', CASE WHEN voided_by IS NULL THEN 'till' ELSE 'office' END, '', 0, 0, total
        FROM o WHERE status = 'voided'
    UNION ALL SELECT id, 'training', '', '', 0, 0, total FROM o WHERE status = 'training'
    UNION ALL SELECT id, 'offline', '', '', 0, 0, total FROM o WHERE status = 'paid' AND mode = 'offline'
    UNION ALL SELECT id, 'out-of-hours', '', '', 0, 0, total
        FROM o WHERE status = 'paid' AND flags @> '[{"code": "outside-shift-hours"}]'
    UNION ALL SELECT id, 'no-receipt', CASE WHEN names_none THEN '' ELSE 'unknown' END, '', 0, 0, total
        FROM o WHERE status = 'paid' AND kind = 'refund' AND adjusts IS NULL
            AND (names_none OR flags @> '[{"code": "refund-of-unknown-order"}]')
    UNION ALL SELECT o.id, 'method', p.method, '', 0, 0, p.amount
        FROM o CROSS JOIN LATERAL (
            SELECT method, sum(amount)::bigint AS amount FROM sales_payment p
            WHERE p.order_id = o.id AND p.business_date = o.business_date GROUP BY method HAVING sum(amount) <> 0
        ) p
        WHERE o.status = 'paid'
    UNION ALL SELECT l.id, 'tax', coalesce(t ->> 'code', ''), coalesce(trim_scale((t ->> 'rate')::numeric)::text, ''),
            sum(l.net)::bigint, coalesce(sum((t ->> 'amount')::bigint), 0)::bigint,
            sum(l.net + coalesce((t ->> 'amount')::bigint, 0))::bigint
        FROM line l LEFT JOIN LATERAL jsonb_array_elements(l.taxes) t ON true
        WHERE t IS NOT NULL OR l.kind = ANY(%(revenue)s::text[])
        GROUP BY 1, 3, 4
    UNION ALL SELECT id, 'line', kind, '', sum(net)::bigint, 0, sum(amount)::bigint FROM line GROUP BY id, kind
    UNION ALL SELECT id, 'discount', '', '', 0, 0, sum(discount - CASE kind WHEN 'discount' THEN amount ELSE 0 END)::bigint
        FROM line WHERE order_kind = 'sale' GROUP BY id
        HAVING sum(discount - CASE kind WHEN 'discount' THEN amount ELSE 0 END) <> 0
)
"""

GROUPED = """
SELECT o.store_id, o.business_date, o.cashier, o.currency, f.figure, f.code, f.rate, count(*) AS number,
    sum(f.net)::bigint AS net, sum(f.tax)::bigint AS tax, sum(f.amount)::bigint AS amount
FROM figure f JOIN o USING (id) GROUP BY 1, 2, 3, 4, 5, 6, 7
"""
BY_DAY_AND_CASHIER = OF_ORDERS + GROUPED

KEPT = """
SELECT store_id, CASE WHEN %(by_day)s THEN business_date END AS business_date,
    CASE WHEN %(by_cashier)s THEN cashier END AS cashier, currency, figure, code, rate, sum(number)::bigint AS number,
    sum(net)::bigint AS net, sum(tax)::bigint AS tax, sum(amount)::bigint AS amount
FROM reports_dayfigure
WHERE store_id = ANY(%(store_ids)s::integer[]) AND business_date BETWEEN %(first)s AND %(last)s
    AND figure = ANY(%(figures)s::text[])
    AND (store_id, business_date) NOT IN (SELECT * FROM unnest(%(fresh_stores)s::integer[], %(fresh_days)s::date[]))
GROUP BY 1, 2, 3, 4, 5, 6, 7
"""

# The days on which something was posted, or an order changed, since the figures were kept. Where transactions began again,
# as in a copy in a new cluster, nobody knows: then nothing counts as kept.
SELECT_CHANGED = """
WITH mark AS (SELECT xid FROM reports_keptmark)
SELECT p.store_id, p.business_date FROM sales_posting p
WHERE p.store_id = ANY(%(store_ids)s::integer[]) AND p.xid >= (SELECT xid FROM mark)::text::xid8
UNION
SELECT s.store_id, s.business_date FROM ledger_journalentry e JOIN sales_shift s ON s.shift_id = e.shift_id
WHERE (e.xid, e.id) >= ((SELECT xid FROM mark)::text::xid8, 0) AND e.source_kind IN ('void', 'retender')
"""
SELECT_IS_KNOWN = "SELECT xid < pg_snapshot_xmax(pg_current_snapshot())::text::bigint FROM reports_keptmark"
SELECT_FRESH = """
SELECT s.shift_id, s.store_id, s.business_date FROM sales_shift s
LEFT JOIN reports_keptday k ON k.store_id = s.store_id AND k.business_date = s.business_date
WHERE s.store_id = ANY(%(store_ids)s::integer[]) AND s.business_date BETWEEN %(first)s AND %(last)s
    AND (k.store_id IS NULL OR NOT %(known)s OR (s.store_id, s.business_date) IN (
        SELECT * FROM unnest(%(changed_stores)s::integer[], %(changed_days)s::date[])
    ))
"""
SHIFTS_AT_ONCE = 500


class Figure(NamedTuple):
    """A figure of some orders; `business_date` and `cashier` are None where they are of all of them."""

    store_id: int
    business_date: date | None
    cashier: str | None
    currency: str
    figure: str
    code: str
    rate: str
    number: int
    net: int
    tax: int
    amount: int

    def plus(self, other: "Figure") -> "Figure":
        """What both come to, under this one's name."""
        return self._replace(
            number=self.number + other.number,
            net=self.net + other.net,
            tax=self.tax + other.tax,
            amount=self.amount + other.amount,
        )


class CountedShift(NamedTuple):
    """A shift whose orders are read, with its store's day."""

    shift_id: Any
    store_id: int
    business_date: date


def read_figures(
    scope: Scope, figures: Sequence[str], *, by_day: bool = False, by_cashier: bool = False
) -> list[Figure]:
    """The figures of a scope as of one moment: what is kept, and what is not kept yet from its orders. Exact at any time."""
    wanted: dict[str, Any] = {"first": scope.first, "last": scope.last, "by_day": by_day, "by_cashier": by_cashier}
    store_ids = store_ids_of(scope)
    wanted |= {"store_ids": store_ids, "figures": word_array(figures)}
    sums: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    with one_moment(), connection.cursor() as cursor:
        fresh = fresh_shifts(cursor, scope, store_ids)
        days = sorted({(one.store_id, one.business_date) for one in fresh})
        wanted |= {
            "fresh_stores": integer_array(store for store, _ in days),
            "fresh_days": word_array(day for _, day in days),
        }
        cursor.execute(KEPT, wanted)
        for row in rows_as(Figure, cursor):
            _add(sums, row, by_day=by_day, by_cashier=by_cashier)
        for row in figures_of_shifts(cursor, fresh):
            if row.figure in figures:
                _add(sums, row, by_day=by_day, by_cashier=by_cashier)
    return [Figure._make((*key, *values)) for key, values in sums.items()]


def figures_of_shifts(cursor: CursorWrapper, shifts: Sequence[CountedShift]) -> list[Figure]:
    """The figures of these shifts by day and cashier, read from their orders."""
    found: list[Figure] = []
    for start in range(0, len(shifts), SHIFTS_AT_ONCE):
        cursor.execute(BY_DAY_AND_CASHIER, keys_of(shifts[start : start + SHIFTS_AT_ONCE]))
        found += rows_as(Figure, cursor)
    return found


def fresh_shifts(cursor: CursorWrapper, scope: Scope, store_ids: str) -> list[CountedShift]:
    """The shifts of a scope whose day's figures are not kept, or have changed since."""
    cursor.execute(SELECT_IS_KNOWN)
    (known,) = cursor.fetchone() or (False,)
    changed = changed_days(cursor, store_ids) if known else []
    wanted: dict[str, Any] = {
        "store_ids": store_ids,
        "first": scope.first,
        "last": scope.last,
        "known": known,
        "changed_stores": integer_array(store_id for store_id, _ in changed),
        "changed_days": word_array(day for _, day in changed),
    }
    cursor.execute(SELECT_FRESH, wanted)
    return rows_as(CountedShift, cursor)


def changed_days(cursor: CursorWrapper, store_ids: str) -> list[tuple[int, date]]:
    """Stores and days of which something was written since the mark: as a rule what was sold in the last minute."""
    cursor.execute(SELECT_CHANGED, {"store_ids": store_ids})
    return list(cursor.fetchall())


def stores_of(scope: Scope) -> list[int]:
    """The stores of a scope, by their ids."""
    if scope.store:
        return [scope.store.pk]
    return sorted(Store.objects.values_list("pk", flat=True) if scope.among is None else scope.among)


def store_ids_of(scope: Scope) -> str:
    """The stores of a scope, as a parameter."""
    return integer_array(stores_of(scope))


def keys_of(shifts: Sequence[CountedShift]) -> dict[str, Any]:
    """How the orders of these shifts are found, and which of their lines are revenue, as parameters."""
    return {
        "revenue": sorted(REVENUE_LINES),
        "shift_ids": uuid_array(one.shift_id for one in shifts),
        "days": word_array({one.business_date for one in shifts}),
    }


def _add(sums: dict[tuple[Any, ...], list[int]], row: Figure, *, by_day: bool, by_cashier: bool) -> None:
    key = (row.store_id, row.business_date if by_day else None, row.cashier if by_cashier else None, *row[3:7])
    both = sums[key]
    for place, value in enumerate(row[7:]):
        both[place] += int(value)
