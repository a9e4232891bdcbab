"""Balances of each day, kept by the sealer: what sealed entries moved, per store, account, currency and business date."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from backoffice.books.evidence.trees import lock_trees
from backoffice.postgres.transactions import transaction_required

# Sorted, as every writer of several rows should be; the sealers' lock already keeps them apart.
ADD = """
INSERT INTO evidence_dailybalance AS kept (store_id, business_date, account_id, currency, debit, credit)
SELECT store_id, business_date, account_id, currency, sum(debit), sum(credit) FROM ledger_journalline
WHERE entry_id = ANY(%(ids)s) AND business_date = ANY(%(dates)s)
GROUP BY store_id, business_date, account_id, currency ORDER BY store_id, business_date, account_id, currency
ON CONFLICT (store_id, business_date, account_id, currency)
DO UPDATE SET debit = kept.debit + excluded.debit, credit = kept.credit + excluded.credit
"""

# A detached month's lines are not here, so what is kept of it stays.
CLEAR = """
DELETE FROM evidence_dailybalance b WHERE NOT EXISTS (
    SELECT FROM sales_detachedmonth d WHERE b.business_date BETWEEN d.first_day AND d.last_day
)
"""
FILL = """
INSERT INTO evidence_dailybalance (store_id, business_date, account_id, currency, debit, credit)
SELECT l.store_id, l.business_date, l.account_id, l.currency, sum(l.debit), sum(l.credit) FROM ledger_journalline l
JOIN evidence_leaf f ON f.kind = 'entry' AND f.row_id = l.entry_id
WHERE NOT EXISTS (SELECT FROM sales_detachedmonth d WHERE l.business_date BETWEEN d.first_day AND d.last_day)
GROUP BY l.store_id, l.business_date, l.account_id, l.currency
"""


@transaction_required
def add_to_rollup(cursor: CursorWrapper, entries: Sequence[tuple[int, date]]) -> None:
    """Adds the lines of newly sealed entries, given as (id, business date)."""
    if entries:
        wanted: dict[str, Any] = {
            "ids": [entry_id for entry_id, _ in entries],
            "dates": list({day for _, day in entries}),
        }
        cursor.execute(ADD, wanted)


def rebuild_rollup() -> int:
    """Makes all daily balances again from the sealed entries. Returns how many. The sealer waits meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        lock_trees()
        cursor.execute(CLEAR)
        cursor.execute(FILL)
        return int(cursor.rowcount)
