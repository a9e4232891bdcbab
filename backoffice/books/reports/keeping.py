"""Keeps the figures of days in which no shift is open any more; what is posted later is kept anew.

What is kept holds all that transactions below the mark have written. Whoever reads looks for what is at or above it, and
reads those days from their orders; so nothing here has to be in time, and posting does nothing for it.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from backoffice.books.reports.figures import (
    SELECT_IS_KNOWN,
    CountedShift,
    Figure,
    changed_days,
    figures_of_shifts,
)
from backoffice.books.reports.models import DayFigure, KeptDay, KeptMark
from backoffice.fleet.models import Store
from backoffice.postgres.arrays import integer_array, word_array
from backoffice.postgres.rows import rows_as
from backoffice.postgres.transactions import transaction_required

# Little enough for a worker that has batches to post. Days that are further back are kept by `rebuild_reports`.
DAYS_AT_ONCE = 20
# For a rebuild, since each round looks through all shifts. A round is over before the task, which waits for it, gives up.
REBUILT_AT_ONCE = 150
DAYS_BACK = timedelta(days=40)

SELECT_OLDEST_RUNNING = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
# A month that was detached has no orders here any more: what was kept of it stays.
SELECT_NOT_KEPT = """
SELECT s.store_id, s.business_date FROM sales_shift s
LEFT JOIN reports_keptday k ON k.store_id = s.store_id AND k.business_date = s.business_date
WHERE k.store_id IS NULL AND s.business_date >= %(since)s
    AND NOT EXISTS (SELECT FROM sales_detachedmonth d WHERE s.business_date BETWEEN d.first_day AND d.last_day)
GROUP BY 1, 2 HAVING bool_and(s.state <> 'open') ORDER BY 2 DESC, 1 LIMIT %(most)s
"""
SELECT_SHIFTS = """
SELECT s.shift_id, s.store_id, s.business_date FROM sales_shift s
JOIN unnest(%(stores)s::integer[], %(days)s::date[]) AS d (store_id, business_date)
    ON d.store_id = s.store_id AND d.business_date = s.business_date
"""
FORGET = """
DELETE FROM {table} f USING unnest(%(stores)s::integer[], %(days)s::date[]) AS d (store_id, business_date)
WHERE f.store_id = d.store_id AND f.business_date = d.business_date
    AND NOT EXISTS (SELECT FROM sales_detachedmonth m WHERE f.business_date BETWEEN m.first_day AND m.last_day)
"""
FORGET_FIGURES, FORGET_DAYS = (FORGET.replace("{table}", name) for name in ("reports_dayfigure", "reports_keptday"))
FORGET_ALL = """
DELETE FROM {table} f
WHERE NOT EXISTS (SELECT FROM sales_detachedmonth m WHERE f.business_date BETWEEN m.first_day AND m.last_day)
"""
FORGET_ALL_FIGURES, FORGET_ALL_DAYS = (
    FORGET_ALL.replace("{table}", name) for name in ("reports_dayfigure", "reports_keptday")
)


def keep_figures(*, today: date, since: date | None = None, most: int = DAYS_AT_ONCE) -> int:
    """Keeps at most so many days anew, in one transaction; how many. Two at once take turns.

    First those that have changed are forgotten, then of those that are not kept the latest since a day are added up.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        KeptMark.objects.select_for_update().get(pk=1)
        # Read before the orders are: whatever ends after this has a transaction at or above the next mark.
        cursor.execute(SELECT_OLDEST_RUNNING)
        (oldest_running,) = cursor.fetchone()
        _forget_changed(cursor)
        cursor.execute(SELECT_NOT_KEPT, {"since": since or today - DAYS_BACK, "most": most})
        days = list(cursor.fetchall())
        _keep(cursor, days)
        KeptMark.objects.filter(pk=1).update(xid=oldest_running)
    return len(days)


def rebuild_figures(*, today: date) -> int:
    """Forgets all that is kept, but of detached months, and keeps all days anew, some at a time; how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        KeptMark.objects.select_for_update().get(pk=1)
        _forget_everything(cursor)
    kept = 0
    while count := keep_figures(today=today, since=date.min, most=REBUILT_AT_ONCE):
        kept += count
    return kept


def _forget_changed(cursor: CursorWrapper) -> None:
    """Where transactions began again, as in a copy in a new cluster, nobody knows what has changed: then all."""
    cursor.execute(SELECT_IS_KNOWN)
    if not cursor.fetchone()[0]:
        _forget_everything(cursor)
        return
    if changed := changed_days(cursor, integer_array(Store.objects.values_list("pk", flat=True))):
        for statement in (FORGET_FIGURES, FORGET_DAYS):
            cursor.execute(statement, _as_arrays(changed))


def _forget_everything(cursor: CursorWrapper) -> None:
    for statement in (FORGET_ALL_FIGURES, FORGET_ALL_DAYS):
        cursor.execute(statement)


@transaction_required
def _keep(cursor: CursorWrapper, days: Sequence[tuple[int, date]]) -> None:
    cursor.execute(SELECT_SHIFTS, _as_arrays(days))
    figures: Sequence[Figure] = figures_of_shifts(cursor, rows_as(CountedShift, cursor))
    DayFigure.objects.bulk_create((DayFigure(**figure._asdict()) for figure in figures), batch_size=1000)
    KeptDay.objects.bulk_create(KeptDay(store_id=store_id, business_date=day) for store_id, day in days)


def _as_arrays(days: Sequence[tuple[int, date]]) -> dict[str, Any]:
    return {"stores": integer_array(store_id for store_id, _ in days), "days": word_array(day for _, day in days)}
