"""Partitions of the months to come, made ahead, and of whatever fell into the default partition nevertheless."""

from datetime import date

import structlog
from django.db import DatabaseError, connection, transaction

from backoffice.sales.models import DetachedMonth

log = structlog.get_logger(__name__)

MONTHS_AHEAD = 3
# Months are made near today only: each costs every plan that is made. What a till with a wrong clock sends from further
# away waits in the default partition until its month comes near; so does what comes for an older month (ADR 25).
MONTHS_BACK = 24

COUNT_DEFAULT_ROWS = """
SELECT month, sum(row_count)::bigint FROM (
    SELECT * FROM sales_default_months() UNION ALL SELECT * FROM ledger_default_months()
) AS found GROUP BY month ORDER BY month
"""


def make_months(*, today: date) -> int:
    """Makes the months that are missing, from this one to `MONTHS_AHEAD` later; how many were made.

    A month that cannot be made is logged, and does not stop the others.
    """
    return sum(_make(_month_after(today, ahead)) for ahead in range(MONTHS_AHEAD + 1))


def drain_default(*, today: date) -> int:
    """Moves what fell into the default partition near `today` into months of its own; how many months were made.

    What a person must look at is logged as critical: a late order of a detached month, or a lock that did not come free.
    What is too far away stays too; a warning tells of it.
    """
    found = default_rows()
    if not found:
        return 0
    log.warning("rows in the default partition", months=_named(found))
    detached = set(DetachedMonth.objects.values_list("first_day", flat=True))
    near = [month for month in found if month not in detached and is_near(month, today=today)]
    made = sum(_make(month) for month in near)
    left = {month: count for month, count in default_rows().items() if month in detached or month in near}
    if left:
        log.critical("rows stay in the default partition, a person must look", months=_named(left))
    return made


def default_rows() -> dict[date, int]:
    """Orders and journal entries in the default partition, by their month's first day. It should be empty."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_DEFAULT_ROWS)
        return dict(cursor.fetchall())


def is_near(month: date, *, today: date) -> bool:
    """Whether the month that begins on `month` is one of those that are made."""
    return _month_after(today, -MONTHS_BACK) <= month <= _month_after(today, MONTHS_AHEAD)


def _month_after(day: date, number: int) -> date:
    """The first day of the month that is `number` months after that of `day`."""
    months = day.year * 12 + day.month - 1 + number
    return date(months // 12, months % 12 + 1, 1)


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
