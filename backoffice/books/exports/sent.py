"""What was sent of a store's day, for whoever shows where it stands."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from django.db import connection

SELECT_SENT = """
SELECT p.name, max(r.number), max(r.upto), bool_and(w.run_id IS NOT NULL), EXISTS (
    SELECT FROM evidence_leaf f WHERE f.kind = 'entry' AND f.store_id = %(store_id)s AND f.business_date = %(day)s
        AND f.number > max(r.upto)
)
FROM exports_exportrevision r JOIN exports_exportprofile p ON p.id = r.profile_id
LEFT JOIN exports_exportwritten w ON w.run_id = r.run_id
WHERE r.store_id = %(store_id)s AND r.business_date = %(day)s GROUP BY p.name ORDER BY p.name
"""


# Of several profiles one that lacks something is enough: the day is not what some other program believes it is.
SELECT_LAGGING = """
SELECT d.store_id, d.day, bool_or(newest.number > sent.upto)
FROM unnest(%(stores)s::int[], %(days)s::date[]) AS d (store_id, day)
CROSS JOIN LATERAL (
    SELECT max(upto) AS upto FROM exports_exportrevision r
    WHERE r.store_id = d.store_id AND r.business_date = d.day GROUP BY r.profile_id
) AS sent
CROSS JOIN LATERAL (
    SELECT max(number) AS number FROM evidence_leaf f
    WHERE f.kind = 'entry' AND f.store_id = d.store_id AND f.business_date = d.day
) AS newest
GROUP BY d.store_id, d.day
"""


class SentDay(NamedTuple):
    """What one profile was sent of a store's day: entries with seal numbers up to `upto`, in `revisions` revisions.

    `is_written` unless a run was interrupted and not resumed yet; `has_news` where something sealed later was not sent.
    """

    profile: str
    revisions: int
    upto: int
    is_written: bool
    has_news: bool


def sent_of_day(*, store_id: int, day: date) -> list[SentDay]:
    """What each profile was sent of a store's day; none where nothing was. One statement.

    Only what is sealed counts as news: what was posted within the last minute is noticed once the sealer was there.
    """
    with connection.cursor() as cursor:
        cursor.execute(SELECT_SENT, {"store_id": store_id, "day": day})
        return [SentDay._make(row) for row in cursor.fetchall()]


def lagging_days(keys: Collection[tuple[int, date]]) -> dict[tuple[int, date], bool]:
    """Of these stores and days: whether something was sealed that a profile which was sent the day lacks. One statement.

    Left out is what no profile was sent.
    """
    stores, days = [store_id for store_id, _ in keys], [day for _, day in keys]
    with connection.cursor() as cursor:
        cursor.execute(SELECT_LAGGING, {"stores": stores, "days": days})
        return {(store_id, day): lags for store_id, day, lags in cursor.fetchall()}
