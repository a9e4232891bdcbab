"""Detached months: their sales cannot be compared with the bytes, so they are left out, and the report says so."""

from collections import defaultdict
from datetime import date
from typing import NamedTuple

from django.db.backends.utils import CursorWrapper

from backoffice.audit.fleet import AuditedTill
from backoffice.audit.ledger import Ledger

SELECT_MONTHS = "SELECT first_day, last_day FROM sales_detachedmonth ORDER BY first_day"

# The cash of the last detached shift when it was settled, less what went to the safe: what the first shift after it found in the drawer.
SELECT_LEFT = """
SELECT s.expected_cash + coalesce(s.over_short, 0) - coalesce(s.moved_to_safe, 0) FROM sales_shift s
JOIN sales_detachedmonth d ON s.business_date BETWEEN d.first_day AND d.last_day AND d.detached_at > s.received_at
WHERE s.terminal_id = %s ORDER BY s.opening_entry_id DESC LIMIT 1
"""

# Shifts of detached months, whose late entries stand in months that are not.
SELECT_LATE_OF_DETACHED = """
SELECT e.id, l.store_id, l.currency, l.account_id, l.drawer_id, l.debit, l.credit
FROM ledger_journalentry e JOIN sales_shift s ON s.shift_id = e.shift_id
JOIN ledger_journalline l ON l.entry_id = e.id AND l.business_date = e.business_date
WHERE e.business_date > s.business_date AND EXISTS (
    SELECT FROM sales_detachedmonth d WHERE s.business_date BETWEEN d.first_day AND d.last_day AND d.detached_at > s.received_at
) ORDER BY e.id
"""


class Detached(NamedTuple):
    """The detached months, the oldest first and without a gap; `until` is the last day of the newest."""

    months: list[date]
    until: date | None

    def covers(self, day: date) -> bool:
        """Whether a business date falls in them."""
        return self.until is not None and day <= self.until


def load_detached(cursor: CursorWrapper) -> Detached:
    cursor.execute(SELECT_MONTHS)
    rows = cursor.fetchall()
    return Detached([row[0] for row in rows], rows[-1][1] if rows else None)


def load_left(cursor: CursorWrapper, till: AuditedTill) -> int:
    """What a terminal's drawer held after its last detached shift, in minor units; 0 if it has none."""
    cursor.execute(SELECT_LEFT, [till.id])
    return int((cursor.fetchone() or (0,))[0])


def take_late_entries(cursor: CursorWrapper, ledger: Ledger) -> dict[int, int]:
    """What came late for a locked period and stands after the detached months, while its orders left with them.

    It is taken on trust, as they are. What it moved in each drawer, in minor units.
    """
    moved: dict[int, int] = defaultdict(int)
    cursor.execute(SELECT_LATE_OF_DETACHED)
    for entry_id, store_id, currency, account, drawer_id, debit, credit in cursor.fetchall():
        ledger.met.add(entry_id)
        total = ledger.totals[store_id, currency, account]
        total[0] += debit
        total[1] += credit
        if drawer_id is not None:
            moved[drawer_id] += debit - credit
    return moved
