"""The daily balances: each must be the sum of what is sealed of its day."""

from collections.abc import Mapping

from django.db import connection

from backoffice.audit.findings import Findings
from backoffice.audit.fleet import AuditedStore
from backoffice.audit.sealed import MARK

FETCH = 1_000

# All lines less those of entries that are not sealed, which are few: behind the mark, or all without a leaf where the mark
# came with a dump from another cluster. What is kept of detached months is taken on trust.
SELECT_DIFFERENT = """
WITH {mark}, unsealed AS MATERIALIZED (
    SELECT e.id FROM ledger_journalentry e
    WHERE (e.xid, e.id) > (SELECT xid, row_id FROM mark)
        AND NOT EXISTS (SELECT FROM evidence_leaf f WHERE f.kind = 'entry' AND f.row_id = e.id)
), sums AS (
    SELECT l.store_id, l.business_date, l.account_id, l.currency, sum(l.debit)::bigint AS debit, sum(l.credit)::bigint AS credit
    FROM ledger_journalline l WHERE NOT EXISTS (SELECT FROM unsealed u WHERE u.id = l.entry_id)
    GROUP BY l.store_id, l.business_date, l.account_id, l.currency
)
SELECT store_id, business_date, account_id, currency, coalesce(s.debit, 0), coalesce(s.credit, 0),
    coalesce(b.debit, 0), coalesce(b.credit, 0)
FROM sums s FULL JOIN evidence_dailybalance b USING (store_id, business_date, account_id, currency)
WHERE (s.debit, s.credit) IS DISTINCT FROM (b.debit, b.credit)
    AND NOT EXISTS (SELECT FROM sales_detachedmonth d WHERE business_date BETWEEN d.first_day AND d.last_day)
ORDER BY store_id, business_date, account_id, currency
""".replace("{mark}", MARK).replace("{source}", "entry")  # nosec B608


def check_daily_balances(stores: Mapping[int, AuditedStore], findings: Findings) -> None:
    """Compares every daily balance with the lines of its day."""
    codes = {store.id: store.code for store in stores.values()}
    with connection.chunked_cursor() as rows:
        rows.execute(SELECT_DIFFERENT)
        while chunk := rows.fetchmany(FETCH):
            for store_id, day, account, currency, debit, credit, kept_debit, kept_credit in chunk:
                findings.add(
                    codes.get(store_id, ""),
                    f"daily balance of account {account}, {currency}, {day}",
                    "sum",
                    expected=f"debits {debit}, credits {credit}",
                    found=f"debits {kept_debit}, credits {kept_credit}",
                )
