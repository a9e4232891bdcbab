"""From a figure to what it is the sum of: its days, and the orders of a day."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from django.db import connection

from backoffice.books.evidence.balance import one_moment
from backoffice.books.reports.figures import OF_ORDERS, CountedShift, Figure, keys_of, read_figures
from backoffice.books.reports.shape import Scope
from backoffice.fleet.models import Store
from backoffice.postgres.rows import rows_as
from backoffice.sales.models import Shift

ORDERS_SHOWN = 200

ONE_FIGURE = """, mine AS (
    SELECT o.id, o.business_date, o.currency, sum(f.net)::bigint AS net, sum(f.tax)::bigint AS tax, sum(f.amount)::bigint AS amount
    FROM figure f JOIN o USING (id)
    WHERE f.figure = %(figure)s AND (%(code)s::text IS NULL OR f.code = %(code)s) AND (%(rate)s::text IS NULL OR f.rate = %(rate)s)
        AND (%(cashier)s::text IS NULL OR o.cashier = %(cashier)s)
    GROUP BY 1, 2, 3
)
SELECT *, count(*) OVER () AS of_orders, sum(amount) OVER (PARTITION BY currency)::bigint AS of_amount
FROM mine ORDER BY id OFFSET %(after)s LIMIT %(most)s
"""
ORDERS_OF_FIGURE = OF_ORDERS + ONE_FIGURE


class FigureAsked(NamedTuple):
    """Which figure of which store and days; of all codes, rates and cashiers where these are None."""

    store: Store
    first: date
    last: date
    figure: str
    code: str | None = None
    rate: str | None = None
    cashier: str | None = None


class OrderInFigure(NamedTuple):
    """One order with what it adds to a figure, in minor units; and the number and sum of all that do."""

    id: int
    business_date: date
    currency: str
    net: int
    tax: int
    amount: int
    of_orders: int
    of_amount: int


def days_of_figure(asked: FigureAsked) -> list[Figure]:
    """The figure day by day."""
    scope = Scope(asked.store, asked.first, asked.last)
    found = read_figures(scope, [asked.figure], by_day=True, by_cashier=asked.cashier is not None)
    sums: dict[tuple[date | None, str], Figure] = {}
    for one in found:
        pairs = ((asked.code, one.code), (asked.rate, one.rate), (asked.cashier, one.cashier))
        if all(wanted is None or wanted == value for wanted, value in pairs):
            key = one.business_date, one.currency
            before = sums.get(key)
            sums[key] = one if before is None else before.plus(one)
    return [sums[key] for key in sorted(sums, key=lambda key: (key[0] or date.min, key[1]))]


def orders_of_figure(asked: FigureAsked, *, after: int = 0) -> Sequence[OrderInFigure]:
    """The orders of one day's figure (`first`), in the order in which they were posted; some at a time."""
    with one_moment(), connection.cursor() as cursor:
        shifts = Shift.objects.filter(store=asked.store, business_date=asked.first)
        keys = [CountedShift(*row) for row in shifts.values_list("shift_id", "store_id", "business_date")]
        wanted: dict[str, Any] = {**keys_of(keys), "after": after, "most": ORDERS_SHOWN}
        wanted |= {"figure": asked.figure, "code": asked.code, "rate": asked.rate, "cashier": asked.cashier}
        cursor.execute(ORDERS_OF_FIGURE, wanted)
        return rows_as(OrderInFigure, cursor)
