"""What was sent of store days, for whoever shows where they stand."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from django.db import connection

SELECT_SENT = """
SELECT d.store_id, d.day, p.name, max(r.number), max(r.upto), bool_and(w.run_id IS NOT NULL), EXISTS (
    SELECT FROM evidence_leaf f WHERE f.kind = 'entry' AND f.store_id = d.store_id AND f.business_date = d.day
        AND f.number > max(r.upto)
)
FROM unnest(%(stores)s::int[], %(days)s::date[]) AS d (store_id, day)
JOIN exports_exportrevision r ON r.store_id = d.store_id AND r.business_date = d.day
JOIN exports_exportprofile p ON p.id = r.profile_id
LEFT JOIN exports_exportwritten w ON w.run_id = r.run_id
GROUP BY d.store_id, d.day, p.name ORDER BY d.store_id, d.day, p.name
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


def sent_of_days(keys: Collection[tuple[int, date]]) -> dict[tuple[int, date], list[SentDay]]:
    """What each profile was sent of these days, by (store, day); days of which nothing was are left out. One statement.

    Only what is sealed counts as news: what was posted within the last minute is noticed once the sealer was there.
    """
    found: dict[tuple[int, date], list[SentDay]] = {}
    with connection.cursor() as cursor:
        cursor.execute(SELECT_SENT, {"stores": [store_id for store_id, _ in keys], "days": [day for _, day in keys]})
        for store_id, day, *sent in cursor.fetchall():
            found.setdefault((store_id, day), []).append(SentDay._make(sent))
    return found
