"""The way back: rows in the tables that nothing in the bytes led to; and the totals of accounts and drawers.

A row that has no source in the bytes is a difference, even if it balances and looks like the others.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db import connection
from django.db.backends.utils import CursorWrapper

from backoffice.audit.findings import Findings, Ticks
from backoffice.audit.fleet import AuditedStore, AuditedTill
from backoffice.audit.gathered import Met
from backoffice.audit.ledger import Ledger

FETCH = 10_000
MOST_NAMED = 1_000

NAME_ORDERS = """
SELECT s.code, 'order ' || o.number || ' (' || o.order_id || ') of ' || coalesce(t.name, 'terminal ' || o.terminal_id)
FROM sales_order o LEFT JOIN fleet_store s ON s.id = o.store_id LEFT JOIN fleet_terminal t ON t.id = o.terminal_id
WHERE o.id = ANY(%s)
"""
NAME_MOVEMENTS = """
SELECT s.code, 'cash movement ' || m.movement_id FROM sales_cashmovement m JOIN fleet_store s ON s.id = m.store_id
LEFT JOIN sales_identity i ON i.item_id = m.movement_id AND i.version = 0 WHERE coalesce(i.row_id, 0) = ANY(%s)
"""
NAME_VERSIONS = """
SELECT s.code, 'version ' || i.version || ' of ' || coalesce('order ' || i.number || ' (' || i.item_id || ')', i.item_id::text)
FROM sales_identity i LEFT JOIN fleet_terminal t ON t.id = i.terminal_id LEFT JOIN fleet_store s ON s.id = t.store_id
WHERE i.row_id = ANY(%s)
"""
NAME_HELD = """
SELECT s.code, 'held ' || h.what || ' ' || coalesce(h.number || ' (' || h.item_id || ')', h.item_id::text)
FROM sales_helditem h JOIN fleet_store s ON s.id = h.store_id WHERE h.id = ANY(%s)
"""
NAME_ENTRIES = """
SELECT s.code, 'journal entry ' || e.id || ' of ' || e.source_kind || ' '
    || coalesce((SELECT min(i.number) || ' (' || e.source_id || ')' FROM sales_identity i WHERE i.item_id = e.source_id),
        e.source_id::text) || CASE WHEN e.source_number > 0 THEN ', number ' || e.source_number ELSE '' END
FROM ledger_journalentry e LEFT JOIN fleet_store s ON s.id = e.store_id WHERE e.id = ANY(%s)
"""

SUM_ACCOUNTS = """
SELECT store_id, currency, account_id, sum(debit)::bigint, sum(credit)::bigint FROM ledger_journalline
GROUP BY store_id, currency, account_id ORDER BY store_id, currency, account_id
"""
SUM_DRAWERS = """
SELECT drawer_id, sum(debit - credit)::bigint FROM ledger_journalline WHERE drawer_id IS NOT NULL GROUP BY drawer_id
"""
# By verb, what there must be beside the decision.
SELECT_WITHOUT_EFFECT = """
SELECT s.code, d.verb, d.subject FROM books_decision d JOIN fleet_store s ON s.id = d.store_id
LEFT JOIN books_decisionanswer a ON a.decision_id = d.id
WHERE (NOT d.needs_second_person OR a.answer = 'agreed') AND (
    d.about = 'held' AND NOT EXISTS (SELECT FROM sales_helditem h WHERE h.decision_id = d.id)
    OR d.verb IN ('post', 'correct', 'move', 'enter')
        AND NOT EXISTS (SELECT FROM inbox_batch b WHERE b.batch_id = d.id AND b.state = 'processed')
    OR d.verb = 'void' AND EXISTS (
        SELECT FROM sales_identity i JOIN sales_order o ON o.id = i.row_id AND o.business_date = i.business_date
        WHERE i.item_id = CASE WHEN d.subject ~ '^[0-9a-f-]{36}$' THEN d.subject::uuid END AND i.version = 0
            AND o.voided_by IS DISTINCT FROM d.id
    )
    OR d.verb = 'explain' AND NOT EXISTS (SELECT FROM sales_explainednumbers e WHERE e.decision_id = d.id)
    OR d.verb = 'end' AND NOT EXISTS (
        SELECT FROM sales_shift ended WHERE ended.ended_by = d.id AND ended.shift_id::text = d.subject
    )
) ORDER BY d.asked_at LIMIT 1000
"""
# What stands in the tables as decided, and no decision says so.
SELECT_UNDECIDED = """
WITH done AS (
    SELECT d.id, d.verb, d.subject FROM books_decision d LEFT JOIN books_decisionanswer a ON a.decision_id = d.id
    WHERE NOT d.needs_second_person OR a.answer = 'agreed'
)
SELECT s.code, 'numbers ' || e.first || ' to ' || e.last || ' of shift ' || e.shift_id, 'explained'
FROM sales_explainednumbers e JOIN sales_shift t ON t.shift_id = e.shift_id JOIN fleet_store s ON s.id = t.store_id
WHERE NOT EXISTS (SELECT FROM done WHERE id = e.decision_id AND verb = 'explain' AND subject = e.shift_id::text)
UNION ALL
SELECT s.code, 'shift ' || t.number || ' (' || t.shift_id || ')', 'ended by head office'
FROM sales_shift t JOIN fleet_store s ON s.id = t.store_id WHERE t.ended_by IS NOT NULL
    AND NOT EXISTS (SELECT FROM done WHERE id = t.ended_by AND verb = 'end' AND subject = t.shift_id::text)
UNION ALL
SELECT s.code, 'shift ' || t.number || ' (' || t.shift_id || ')', 'approved'
FROM sales_shift t JOIN fleet_store s ON s.id = t.store_id WHERE (t.approval_id IS NOT NULL OR t.state = 'approved')
    AND NOT EXISTS (SELECT FROM done WHERE id = t.approval_id AND verb = 'approve' AND subject = t.shift_id::text)
UNION ALL
SELECT '', 'what a receipt says of batch ' || m.batch_id || ', position ' || m.position, 'decided'
FROM sales_decidedmember m WHERE NOT EXISTS (SELECT FROM done WHERE id = m.decision_id AND verb = m.verb)
LIMIT 1000
"""
COUNT_LINES = "SELECT (SELECT count(*) FROM sales_orderline), (SELECT count(*) FROM sales_payment)"


class TableScan(NamedTuple):
    """One table to scan: the statement for its row numbers, those already seen, and the statement that names the rest.

    Where all that were seen are rows of the table, `counting` asks how many rows it has: if that is how many were seen, there
    is nothing left to look for.
    """

    numbers: str
    met: Sequence[Ticks]
    naming: str
    counting: str | None = None


def check_decisions(cursor: CursorWrapper, findings: Findings) -> None:
    """Decisions that have taken effect, of which there is nothing to be found; and the other way round."""
    cursor.execute(SELECT_WITHOUT_EFFECT)
    for code, verb, subject in cursor.fetchall():
        where = f"the decision to {verb} {subject}"
        findings.add(code, where, "has no effect", expected="what was decided", found=None)
    cursor.execute(SELECT_UNDECIDED)
    for code, where, what in cursor.fetchall():
        findings.add(code, where, what, expected="a decision", found=None)


def check_leftovers(cursor: CursorWrapper, met: Met, ledger: Ledger, findings: Findings) -> None:
    """Scans every table for rows that nothing in the bytes led to, or that are there twice."""
    scans = (
        TableScan("SELECT id FROM sales_order", [met.orders], NAME_ORDERS, "SELECT count(*) FROM sales_order"),
        TableScan(
            "SELECT coalesce(i.row_id, 0) FROM sales_cashmovement m"
            " LEFT JOIN sales_identity i ON i.item_id = m.movement_id AND i.version = 0"
            " JOIN sales_shift s ON s.shift_id = m.shift_id"
            " WHERE s.business_date > coalesce((SELECT max(last_day) FROM sales_detachedmonth), '-infinity')",
            [met.movements],
            NAME_MOVEMENTS,
        ),
        TableScan(
            "SELECT row_id FROM sales_identity"
            " WHERE business_date > coalesce((SELECT max(last_day) FROM sales_detachedmonth), '-infinity')",
            [met.versions, met.decided],
            NAME_VERSIONS,
            # Decisions may lead to versions of a detached month, which are none of these.
            "SELECT count(*) FROM sales_identity HAVING NOT EXISTS (SELECT FROM sales_detachedmonth)",
        ),
        TableScan("SELECT id FROM sales_helditem", [met.held], NAME_HELD),
        TableScan(
            "SELECT id FROM ledger_journalentry", [ledger.met], NAME_ENTRIES, "SELECT count(*) FROM ledger_journalentry"
        ),
    )
    left = [_scan(cursor, scan, findings) for scan in scans]
    if not left[0]:
        cursor.execute(COUNT_LINES)
        counted = cursor.fetchone() or (0, 0)
        for what, expected, found in zip(("lines", "payments"), (met.lines, met.payments), counted, strict=True):
            if expected != found:
                findings.add("", "the sales tables", f"{what} of orders", expected=expected, found=found)


def check_totals(cursor: CursorWrapper, ledger: Ledger, stores: Mapping[int, AuditedStore], findings: Findings) -> None:
    """Compares each account of each store as derived from the bytes with the sum of its journal lines."""
    cursor.execute(SUM_ACCOUNTS)
    found = {(row[0], row[1], row[2]): (row[3], row[4]) for row in cursor.fetchall()}
    for key in sorted({*found, *ledger.totals}):
        expected, sums = tuple(ledger.totals.get(key, (0, 0))), found.get(key, (0, 0))
        if expected != sums:
            store_id, currency, account = key
            code = stores[store_id].code if store_id in stores else ""
            words = ["debits {}, credits {}".format(*pair) for pair in (expected, sums)]
            findings.add(code, f"account {account}, {currency}", "total", expected=words[0], found=words[1])


def check_drawers_total(
    cursor: CursorWrapper, balances: Mapping[int, tuple[AuditedTill, int]], findings: Findings
) -> None:
    """Each drawer's account must hold the last float plus everything that moved since."""
    cursor.execute(SUM_DRAWERS)
    found = dict(cursor.fetchall())
    for till_id, (till, expected) in balances.items():
        balance = found.pop(till_id, 0)
        if balance != expected:
            findings.add(till.store_code, f"drawer of {till.name}", "balance", expected=expected, found=balance)
    for drawer_id, balance in found.items():
        findings.add("", f"drawer {drawer_id}", "balance of an unknown terminal", expected=None, found=balance)


def _scan(cursor: CursorWrapper, scan: TableScan, findings: Findings) -> int:
    """Reports the rows that are left over, the first of them by name; returns how many there are."""
    if scan.counting is not None:
        cursor.execute(scan.counting)
        if cursor.fetchone() == (_size(scan.met),):
            return 0
    seen, count = Ticks(), 0
    left: list[int] = []
    with connection.chunked_cursor() as rows:
        rows.execute(scan.numbers)
        while numbers := rows.fetchmany(FETCH):
            for (number,) in numbers:
                if seen.add(number) and any(number in met for met in scan.met):
                    continue
                count += 1
                if len(left) < MOST_NAMED:
                    left.append(number)
    if left:
        cursor.execute(scan.naming, [left])
        for code, where in cursor.fetchall():
            findings.add(code or "", where, "has no source in the bytes", expected=None, found="a row")
    if count > MOST_NAMED:
        findings.add("", "further rows", "have no source in the bytes", expected=0, found=count - MOST_NAMED)
    return count


def _size(sets: Sequence[Ticks]) -> int:
    """How many numbers are in any of them."""
    if len(sets) == 1:
        return len(sets[0])
    together = Ticks()
    for each in sets:
        together.merge(each)
    return len(together)
