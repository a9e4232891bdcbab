"""What was exported: each revision goes on where the one before it ended, and moves what its entries move today.

So the sum of a profile's revisions is the ledger up to the newest seal that it was sent, by store, day and account.
"""

from collections.abc import Mapping

from django.db import connection
from django.db.backends.utils import CursorWrapper

from backoffice.audit.findings import Findings
from backoffice.audit.fleet import AuditedStore

FETCH = 1_000
MOST_NAMED = 1_000

SELECT_BROKEN = """
WITH placed AS (
    SELECT r.*, row_number() OVER day AS expected_number, coalesce(lag(r.upto) OVER day, 0) AS expected_after
    FROM exports_exportrevision r WINDOW day AS (PARTITION BY r.profile_id, r.store_id, r.business_date ORDER BY r.number)
)
SELECT r.store_id, p.name, r.reference, 'number ' || r.expected_number || ' of run ' || coalesce(u.number::text, '') ||
    ', after seal ' || r.expected_after || ' up to ' || coalesce(u.upto::text, ''),
    'number ' || r.number || ', after seal ' || r.after || ' up to ' || r.upto
FROM placed r JOIN exports_exportprofile p ON p.id = r.profile_id LEFT JOIN exports_exportrun u
    ON u.id = r.run_id AND u.profile_id = r.profile_id AND u.store_id = r.store_id
    AND r.business_date BETWEEN u.first_day AND u.last_day
WHERE (r.number, r.after, r.upto) IS DISTINCT FROM (r.expected_number, r.expected_after, u.upto)
    OR r.reference <> (u.names -> 'store' ->> 0) || to_char(r.business_date, '-YYYYMMDD-"r"') || r.number
ORDER BY r.store_id, r.reference LIMIT %s
"""
# What a detached month held is taken on trust.
SELECT_SUMS = """
WITH derived AS (
    SELECT r.id, l.account_id, l.tax_code, sum(l.debit)::bigint AS debit, sum(l.credit)::bigint AS credit
    FROM exports_exportrevision r JOIN exports_exportrun u ON u.id = r.run_id
    JOIN evidence_leaf f ON f.kind = 'entry' AND f.store_id = r.store_id AND f.business_date = r.business_date
        AND f.number > r.after AND f.number <= r.upto
    JOIN ledger_journalentry e ON e.id = f.row_id AND e.business_date = f.business_date AND e.currency = u.currency
    JOIN ledger_journalline l ON l.entry_id = e.id AND l.business_date = e.business_date
    GROUP BY 1, 2, 3
), kept AS (
    SELECT revision_id AS id, account_id, tax_code, sum(debit)::bigint AS debit, sum(credit)::bigint AS credit
    FROM exports_exportedsum GROUP BY 1, 2, 3
)
SELECT r.store_id, p.name, r.reference, account_id, tax_code, coalesce(d.debit, 0), coalesce(d.credit, 0),
    coalesce(k.debit, 0), coalesce(k.credit, 0)
FROM derived d FULL JOIN kept k USING (id, account_id, tax_code)
LEFT JOIN exports_exportrevision r USING (id) LEFT JOIN exports_exportprofile p ON p.id = r.profile_id
WHERE (d.debit, d.credit) IS DISTINCT FROM (k.debit, k.credit)
    AND NOT EXISTS (SELECT FROM sales_detachedmonth m WHERE r.business_date BETWEEN m.first_day AND m.last_day)
ORDER BY r.store_id, r.reference, account_id, tax_code
"""
# A run takes every entry of its days up to its seal, unless a revision before it did.
SELECT_LEFT_OUT = """
WITH sent AS (
    SELECT profile_id, store_id, business_date, max(upto) AS upto FROM exports_exportrevision GROUP BY 1, 2, 3
)
SELECT u.store_id, p.name, u.number, f.business_date, count(*)
FROM exports_exportrun u JOIN exports_exportprofile p ON p.id = u.profile_id
JOIN evidence_leaf f ON f.kind = 'entry' AND f.store_id = u.store_id AND f.business_date BETWEEN u.first_day AND u.last_day
    AND f.number <= u.upto
LEFT JOIN sent s ON s.profile_id = u.profile_id AND s.store_id = u.store_id AND s.business_date = f.business_date
JOIN ledger_journalentry e ON e.id = f.row_id AND e.business_date = f.business_date AND e.currency = u.currency
WHERE f.number > coalesce(s.upto, 0) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 LIMIT %s
"""


def check_exports(cursor: CursorWrapper, stores: Mapping[int, AuditedStore], findings: Findings) -> None:
    """Compares every revision with the one before it, with its run and with its entries."""
    codes = {store.id: store.code for store in stores.values()}
    cursor.execute(SELECT_BROKEN, [MOST_NAMED])
    for store_id, profile, reference, expected, found in cursor.fetchall():
        where = f"revision {reference} of export profile {profile}"
        findings.add(codes.get(store_id, ""), where, "range of seals", expected=expected, found=found)
    cursor.execute(SELECT_LEFT_OUT, [MOST_NAMED])
    for store_id, profile, number, day, count in cursor.fetchall():
        where = f"run {number} of export profile {profile}, {day}"
        findings.add(codes.get(store_id, ""), where, "entries left out", expected=0, found=count)
    _check_sums(codes, findings)


def _check_sums(codes: Mapping[int, str], findings: Findings) -> None:
    with connection.chunked_cursor() as rows:
        rows.execute(SELECT_SUMS)
        while chunk := rows.fetchmany(FETCH):
            for store_id, profile, reference, account, tax_code, debit, credit, kept_debit, kept_credit in chunk:
                findings.add(
                    codes.get(store_id, ""),
                    f"revision {reference} of export profile {profile}, account {account} {tax_code}".rstrip(),
                    "sum",
                    expected=f"debits {debit}, credits {credit}",
                    found=f"debits {kept_debit}, credits {kept_credit}",
                )
