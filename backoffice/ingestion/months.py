"""Partitions of the months to come, made ahead, and of whatever fell into the default partition nevertheless."""

from datetime import date

import structlog
from django.db import DatabaseError, connection, transaction

from backoffice.sales.models import DetachedMonth

log = structlog.get_logger(__name__)

MONTHS_AHEAD = 3
# A till whose clock is wrong gets its month too, but no clock may fill the catalogue: after twenty years a person looks.
MOST_MONTHS = 240

COUNT_DEFAULT_ROWS = """
SELECT month, sum(row_count)::bigint FROM (
    SELECT * FROM sales_default_months() UNION ALL SELECT * FROM ledger_default_months()
) AS found GROUP BY month ORDER BY month
"""
COUNT_MONTHS = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'sales_order'::regclass"


def make_months(*, today: date) -> int:
    """Makes the months that are missing, from this one to `MONTHS_AHEAD` later; how many were made.

    A month that cannot be made is logged, and does not stop the others.
    """
    months = today.year * 12 + today.month - 1
    return sum(_make(date(ahead // 12, ahead % 12 + 1, 1)) for ahead in range(months, months + MONTHS_AHEAD + 1))


def drain_default() -> int:
    """Moves what fell into the default partition into months of its own; how many months were made.

    What stays there (`default_rows` says what) is logged as critical: a late order of a detached month, a lock that did
    not come free, or more months than any clock should need.
    """
    found = default_rows()
    if not found:
        return 0
    log.warning("rows in the default partition", months=_named(found))
    detached = set(DetachedMonth.objects.values_list("first_day", flat=True))
    made = sum(_make(month) for month in [month for month in found if month not in detached][: _room()])
    left = default_rows()
    if left:
        log.critical("rows stay in the default partition, a person must look", months=_named(left))
    return made


def default_rows() -> dict[date, int]:
    """Orders and journal entries in the default partition, by their month's first day. It should be empty."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_DEFAULT_ROWS)
        return dict(cursor.fetchall())


def _room() -> int:
    with connection.cursor() as cursor:
        cursor.execute(COUNT_MONTHS)
        row = cursor.fetchone() or (0,)
    return max(0, MOST_MONTHS - int(row[0]))


def _named(rows: dict[date, int]) -> dict[str, int]:
    return {f"{month:%Y-%m}": count for month, count in rows.items()}


def _make(month: date) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # Attaching a partition must not queue the tills behind it: it gives up soon and is tried again later.
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            cursor.execute("SELECT sales_create_month(%s), ledger_create_month(%s)", [month, month])
            created = any(cursor.fetchone() or ())
    except DatabaseError:
        log.exception("month not made", month=month.isoformat())
        return False
    if created:
        log.info("month made", month=month.isoformat())
    return created
