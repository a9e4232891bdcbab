"""Partitions of the months to come, made ahead, so that no order falls into the default partition."""

from datetime import date

import structlog
from django.db import DatabaseError, connection, transaction

log = structlog.get_logger(__name__)

MONTHS_AHEAD = 3


def make_months(*, today: date) -> int:
    """Makes what is missing from this month to `MONTHS_AHEAD` later; how many months were made.

    A month that cannot be made is logged and does not keep the others: a device whose clock runs ahead may have put
    rows of it into the default partition already.
    """
    made = 0
    for ahead in range(MONTHS_AHEAD + 1):
        months = today.year * 12 + today.month - 1 + ahead
        month = date(months // 12, months % 12 + 1, 1)
        try:
            made += _make(month)
        except DatabaseError:
            log.exception("month not made", month=month.isoformat())
    return made


def _make(month: date) -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        # Attaching a partition must not queue traffic behind it: it gives up soon and is tried again later.
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("SELECT sales_create_month(%s), ledger_create_month(%s)", [month, month])
        created = cursor.fetchone() or ()
    if any(created):
        log.info("month made", month=month.isoformat())
    return any(created)
