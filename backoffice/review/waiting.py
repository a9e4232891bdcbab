"""What waited, over time: uploads in the last day by the hour, and what was held in the last two weeks by the day.

Nothing is kept for it. When an upload came and when it was in the books stands in its row, and so it does of what is held;
both are found by the indexes of their times, and only those that waited past an hour come out.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from backoffice.postgres.arrays import integer_array

HOURS, DAYS = 24, 14
# A request for a decision is answered within days; what was asked earlier is not looked at.
ANSWERED_WITHIN = timedelta(days=30)

WAITED_PAST_AN_HOUR = """
SELECT received_at, processed_at FROM inbox_batch
WHERE received_at >= %(since)s AND state = 'processed' AND terminal_id = ANY(%(terminals)s::integer[])
    AND date_trunc('hour', received_at) <> date_trunc('hour', processed_at)
UNION ALL
SELECT received_at, NULL FROM inbox_batch WHERE state <> 'processed' AND terminal_id = ANY(%(terminals)s::integer[])
"""
CAME_BY_DAY = """
SELECT (received_at AT TIME ZONE 'UTC')::date, count(*) FROM sales_helditem
WHERE received_at >= %(since)s AND store_id = ANY(%(stores)s::integer[]) GROUP BY 1
"""
DECIDED_BY_DAY = """
SELECT (coalesce(a.answered_at, d.asked_at) AT TIME ZONE 'UTC')::date, count(*)
FROM books_decision d LEFT JOIN books_decisionanswer a ON a.decision_id = d.id
WHERE d.about = 'held' AND d.asked_at >= %(asked_since)s AND d.store_id = ANY(%(stores)s::integer[])
    AND coalesce(a.answered_at, d.asked_at) >= %(since)s AND (NOT d.needs_second_person OR a.answer = 'agreed')
GROUP BY 1
"""


class Waited(NamedTuple):
    """How many waited at a moment."""

    at: datetime
    number: int


class HeldAtDay(NamedTuple):
    """How many were held at the end of a day in UTC; of the last one, now."""

    day: date
    number: int


def uploads_waiting(terminals: Iterable[int], *, now: datetime) -> list[Waited]:
    """How many uploads of these terminals waited at each full hour of the last day, and now. One statement."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    marks = [*(hour - timedelta(hours=back) for back in range(HOURS - 1, -1, -1)), now]
    wanted: dict[str, Any] = {"terminals": integer_array(terminals), "since": marks[0] - timedelta(hours=1)}
    with connection.cursor() as cursor:
        cursor.execute(WAITED_PAST_AN_HOUR, wanted)
        spans = cursor.fetchall()
    return [
        Waited(mark, sum(1 for came, done in spans if came <= mark and (done is None or done > mark))) for mark in marks
    ]


def held_by_day(stores: Sequence[int], *, held_now: int, now: datetime) -> list[HeldAtDay]:
    """How many were held in these stores at the end of each of the last days, counted back from now. Two statements."""
    today = now.date()
    first = today - timedelta(days=DAYS - 1)
    since = datetime(first.year, first.month, first.day, tzinfo=now.tzinfo)
    wanted: dict[str, Any] = {"stores": integer_array(stores), "since": since, "asked_since": since - ANSWERED_WITHIN}
    with connection.cursor() as cursor:
        cursor.execute(CAME_BY_DAY, wanted)
        came = dict(cursor.fetchall())
        cursor.execute(DECIDED_BY_DAY, wanted)
        decided = dict(cursor.fetchall())
    found, count = [], held_now
    for back in range(DAYS):
        day = today - timedelta(days=back)
        found.append(HeldAtDay(day, max(0, count)))
        count += decided.get(day, 0) - came.get(day, 0)
    return found[::-1]
