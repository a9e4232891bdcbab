"""What was sent of a store's day, for whoever shows where it stands."""

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
