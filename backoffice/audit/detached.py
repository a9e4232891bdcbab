"""Months that were taken out of the tables: their sales cannot be held against the bytes, so they are left out, and told."""

from datetime import date
from typing import NamedTuple

from django.db.backends.utils import CursorWrapper

from backoffice.audit.fleet import AuditedTill

SELECT_MONTHS = "SELECT first_day, last_day FROM sales_detachedmonth ORDER BY first_day"

# What the last shift before came to when it was settled: the drawer as the first shift after found it.
SELECT_LEFT = """
SELECT s.expected_cash + coalesce(s.over_short, 0) FROM sales_shift s
JOIN sales_detachedmonth d ON s.business_date BETWEEN d.first_day AND d.last_day AND d.detached_at > s.received_at
WHERE s.terminal_id = %s ORDER BY s.opening_entry_id DESC LIMIT 1
"""


class Detached(NamedTuple):
    """The oldest months, without a gap; `until` is the last day of the newest."""

    months: list[date]
    until: date | None

    def covers(self, day: date) -> bool:
        """Whether a business date lies in them."""
        return self.until is not None and day <= self.until


def load_detached(cursor: CursorWrapper) -> Detached:
    """Which months are away."""
    cursor.execute(SELECT_MONTHS)
    rows = cursor.fetchall()
    return Detached([row[0] for row in rows], rows[-1][1] if rows else None)


def load_left(cursor: CursorWrapper, till: AuditedTill) -> int:
    """What a terminal's drawer held after its last detached shift, in minor units; 0 where it has none."""
    cursor.execute(SELECT_LEFT, [till.id])
    return int((cursor.fetchone() or (0,))[0])
