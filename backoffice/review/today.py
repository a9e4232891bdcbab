"""What each store has sold on its current business day, by the hour, beside the same weekday last week."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from backoffice.books.stores import store_today
from backoffice.fleet.models import Store
from backoffice.postgres.arrays import integer_array, word_array
from backoffice.postgres.rows import rows_as

WEEK = timedelta(days=7)

# The business days and their midnights are worked out here: PostgreSQL may know other time zones. A store's day is at most
# one away from the date in UTC, so of orders only the months of these days are read, and there those of their shifts.
SOLD_BY_HOUR = """
SELECT day.store_id, day.is_today, o.currency,
    floor(extract(epoch FROM o.closed_at - day.midnight) / 3600)::bigint AS hour,
    count(*) AS orders, count(*) FILTER (WHERE o.mode = 'offline') AS offline,
    coalesce(sum(o.total) FILTER (WHERE o.kind = 'sale' AND o.status = 'paid'), 0)::bigint AS sales,
    coalesce(sum(o.total) FILTER (WHERE o.kind = 'refund' AND o.status = 'paid'), 0)::bigint AS refunds,
    coalesce(sum(o.total) FILTER (WHERE o.status = 'paid' AND o.closed_at <= day.so_far), 0)::bigint AS so_far
FROM unnest(%(stores)s::int[], %(days)s::date[], %(are_today)s::boolean[], %(midnights)s::timestamptz[],
    %(so_far)s::timestamptz[]) AS day (store_id, business_date, is_today, midnight, so_far)
JOIN sales_shift s ON s.store_id = day.store_id AND s.business_date = day.business_date
JOIN sales_order o ON o.shift_id = s.shift_id AND o.business_date = s.business_date
WHERE o.business_date BETWEEN %(first)s AND %(last)s
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""


class HourSold(NamedTuple):
    """What a store sold in one hour of today or of the same weekday last week, in minor units; refunds are negative.

    `hour` counts from the midnight with which the business day begins, and may be any number: the till's clock said so.
    `so_far` is what of it was sold by this time of the day.
    """

    store_id: int
    is_today: bool
    currency: str
    hour: int
    orders: int
    offline: int
    sales: int
    refunds: int
    so_far: int

    @property
    def net(self) -> int:
        """Sales less refunds."""
        return self.sales + self.refunds


class StoreToday(NamedTuple):
    """What a store has sold on its current business day, and had sold by this time last week, in minor units."""

    store: Store
    day: date
    currency: str
    orders: int
    offline: int
    sales: int
    refunds: int
    last_week: int

    @property
    def net(self) -> int:
        """Sales less refunds."""
        return self.sales + self.refunds

    @property
    def week_ago(self) -> date:
        """The day that it is compared with."""
        return self.day - WEEK


def read_sold(stores: Sequence[Store], *, now: datetime) -> list[HourSold]:
    """Today and the same weekday last week of every store, by hour. One statement."""
    days = [(store, day, day == today) for store, today in _todays(stores, now) for day in (today, today - WEEK)]
    wanted: dict[str, Any] = {
        "stores": integer_array(store.pk for store, _, _ in days),
        "days": word_array(day for _, day, _ in days),
        "are_today": word_array(is_today for _, _, is_today in days),
        "midnights": word_array(_midnight(store, day).isoformat() for store, day, _ in days),
        "so_far": word_array((now if is_today else now - WEEK).isoformat() for _, _, is_today in days),
    }
    wanted |= {"first": (now - WEEK - timedelta(days=1)).date(), "last": (now + timedelta(days=1)).date()}
    with connection.cursor() as cursor:
        cursor.execute(SOLD_BY_HOUR, wanted)
        return rows_as(HourSold, cursor)


def _todays(stores: Iterable[Store], now: datetime) -> list[tuple[Store, date]]:
    return [(store, store_today(store, now)) for store in stores]


def _midnight(store: Store, day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(store.timezone))


def sold_today(stores: Sequence[Store], sold: Sequence[HourSold], *, now: datetime) -> list[StoreToday]:
    """Every store's current business day, the store with the most orders first; a row for each of its currencies."""
    rows = []
    for store, today in _todays(stores, now):
        mine = [one for one in sold if one.store_id == store.pk]
        for currency in dict.fromkeys(one.currency for one in mine) or [store.currency]:
            there = [one for one in mine if one.currency == currency]
            so_far = [one for one in there if one.is_today]
            rows.append(
                StoreToday(
                    store,
                    today,
                    currency,
                    orders=sum(one.orders for one in so_far),
                    offline=sum(one.offline for one in so_far),
                    sales=sum(one.sales for one in so_far),
                    refunds=sum(one.refunds for one in so_far),
                    last_week=sum(one.so_far for one in there if not one.is_today),
                )
            )
    return sorted(rows, key=lambda row: -row.orders)
