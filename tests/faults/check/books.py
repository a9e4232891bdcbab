"""The four invariants, and every account, in SQL over whole tables: one finding for each thing that must not be.

(1) every order in a batch answered 2xx is posted or held; (2) at most one live journal entry per order; (3) every entry and
every currency's accounts sum to zero; (4) a stored body still hashes to its digest. A failed batch's orders count as held.
"""

import hashlib
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

from tests.faults.check.asked import Asked, Decided, apply_decisions, compare, read_asked, read_decided, read_known
from tests.faults.check.expected import Account
from tests.faults.check.sent import Testimony

EXAMPLES = 5

# One row for each order that was sent: `posted` where the books have it as they must.
ORDERS = """
CREATE TEMPORARY TABLE fate AS
WITH told AS (
    SELECT order_id, bool_or(acknowledged) AS acknowledged, bool_or(has_entry) AS has_entry,
        bool_or(acknowledged AND batch_id IN (SELECT batch_id FROM inbox_batch WHERE state = 'failed')) AS failed
    FROM sent_order GROUP BY order_id
), entries AS (
    SELECT source_id AS order_id, count(*) AS entries FROM ledger_journalentry WHERE source_kind = 'order' GROUP BY source_id
), sales AS (
    SELECT order_id, count(*) AS sales FROM sales_order GROUP BY order_id
), holds AS (
    SELECT order_id, count(*) AS holds, count(*) FILTER (WHERE decision_id IS NULL) AS waits
    FROM sales_helditem WHERE what = 'order' AND order_id IS NOT NULL GROUP BY order_id
)
SELECT order_id, acknowledged, has_entry, coalesce(entries, 0) AS entries, coalesce(sales, 0) AS sales,
    coalesce(sales, 0) > 0 AND (coalesce(entries, 0) > 0 OR NOT has_entry) AS posted,
    coalesce(holds, 0) > 0 AS held, coalesce(waits, 0) > 0 AS waits, failed
FROM told LEFT JOIN entries USING (order_id) LEFT JOIN sales USING (order_id) LEFT JOIN holds USING (order_id)
"""
FIGURES = """
SELECT count(*) FILTER (WHERE acknowledged), count(*) FILTER (WHERE posted), count(*) FILTER (WHERE held AND NOT posted),
    count(*) FILTER (WHERE failed AND NOT posted AND NOT held)
FROM fate
"""
# Lawfully in no book: held, or never acknowledged and not there.
NOT_EXPECTED = "SELECT order_id::text FROM fate WHERE NOT posted AND (held OR failed OR NOT acknowledged)"

NAMED = "(SELECT 'order ' || o.order_id || ', number ' || min(o.number) || ' of terminal ' || min(o.terminal::text) FROM sent_order o WHERE o.order_id = fate.order_id GROUP BY o.order_id)"

LOST = f"SELECT {NAMED} FROM fate WHERE acknowledged AND NOT posted AND NOT held AND NOT failed"
DOUBLED = (
    f"SELECT {NAMED} || ': ' || entries || ' entries, ' || sales || ' sales' FROM fate WHERE entries > 1 OR sales > 1"
)
# Each order was sent with one content only, so nothing may wait for a person that is in the books already.
POSTED_AND_HELD = f"SELECT {NAMED} FROM fate WHERE posted AND waits"
ENTRY_OF_NOTHING = f"SELECT {NAMED} FROM fate WHERE entries > 0 AND NOT has_entry"
INVENTED = """
SELECT 'entry ' || e.id || ' of order ' || e.source_id FROM ledger_journalentry e JOIN fleet_store s ON s.id = e.store_id
WHERE e.source_kind = 'order' AND s.code = ANY(%(stores)s)
    AND NOT EXISTS (SELECT FROM sent_order o WHERE o.order_id = e.source_id)
"""

UNBALANCED = """
SELECT 'entry ' || entry_id || ': ' || sum(debit) || ' ' || sum(credit) || ' ' || currency
FROM ledger_journalline GROUP BY entry_id, business_date, currency HAVING sum(debit) <> sum(credit)
"""
WITHOUT_LINES = """
SELECT 'entry ' || id FROM ledger_journalentry e
WHERE NOT EXISTS (SELECT FROM ledger_journalline l WHERE l.entry_id = e.id AND l.business_date = e.business_date)
"""
WITHOUT_ENTRY = """
SELECT DISTINCT 'lines of entry ' || entry_id FROM ledger_journalline l
WHERE NOT EXISTS (SELECT FROM ledger_journalentry e WHERE e.id = l.entry_id AND e.business_date = l.business_date)
"""
NOT_ZERO = """
SELECT currency || ': ' || sum(debit - credit) FROM ledger_journalline GROUP BY currency HAVING sum(debit - credit) <> 0
"""

NOT_AS_SENT = """
SELECT 'batch ' || s.batch_id FROM sent_batch s LEFT JOIN inbox_batch b USING (batch_id)
WHERE s.acknowledged AND b.digest IS DISTINCT FROM s.digest
"""

BALANCES = """
SELECT s.code, l.currency, l.account_id, l.tax_code, sum(l.debit - l.credit)::bigint
FROM ledger_journalline l JOIN fleet_store s ON s.id = l.store_id
WHERE s.code = ANY(%(stores)s) GROUP BY 1, 2, 3, 4 HAVING sum(l.debit - l.credit) <> 0
"""
DRAWERS = """
SELECT t.uuid::text, sum(l.debit - l.credit)::bigint FROM ledger_journalline l JOIN fleet_terminal t ON t.id = l.drawer_id
WHERE t.uuid = ANY(%(terminals)s::uuid[]) GROUP BY 1
"""


class Finding(NamedTuple):
    """Something that must not be: how often it was found, and the first few."""

    name: str
    count: int
    examples: Sequence[str]


class Verdict(NamedTuple):
    """`figures` in the order in which people read them; without findings that count, all is well."""

    figures: dict[str, int]
    findings: list[Finding]


def judge(connection: psycopg.Connection, testimony: Testimony) -> Verdict:
    """Compares. The session's temporary tables hold what was sent."""
    connection.execute(ORDERS)
    connection.execute("CREATE INDEX ON fate (order_id); ANALYZE fate")
    acknowledged, posted, held, failed = _row(connection, FIGURES)
    testimony.take_back({row[0] for row in connection.execute(NOT_EXPECTED).fetchall()})
    asked = read_asked(testimony.folder)
    decided = read_decided(connection) if asked.questions else []
    apply_decisions(testimony.expected, decided, testimony.folder)
    named = {"stores": sorted(testimony.stores), "terminals": sorted(testimony.terminals)}
    bodies, changed = _bodies(connection)
    accounts, wrong_accounts = _accounts(connection, testimony, named)
    drawers, wrong_drawers = _drawers(connection, testimony, named)
    return Verdict(
        {
            "orders acknowledged": acknowledged,
            "orders posted": posted,
            "orders held": held,
            "orders in failed batches": failed,
            "bodies": bodies,
            "accounts": accounts,
            "drawers": drawers,
            "drawers counted later": len(testimony.blind),
            **_decisions(asked, decided),
        },
        [
            _finding(connection, "lost", LOST),
            _finding(connection, "doubled", DOUBLED),
            _finding(connection, "posted and held at once", POSTED_AND_HELD),
            _finding(connection, "entries of orders that move nothing", ENTRY_OF_NOTHING),
            _finding(connection, "entries of orders that nobody sent", INVENTED, named),
            _finding(connection, "entries that do not balance", UNBALANCED),
            _finding(connection, "entries without lines", WITHOUT_LINES),
            _finding(connection, "lines without an entry", WITHOUT_ENTRY),
            _finding(connection, "currencies that do not sum to zero", NOT_ZERO),
            Finding("stored bodies that do not hash to their digest", len(changed), changed[:EXAMPLES]),
            _finding(connection, "acknowledged batches that are not stored as sent", NOT_AS_SENT),
            Finding("accounts that differ", len(wrong_accounts), wrong_accounts[:EXAMPLES]),
            Finding("drawers that differ", len(wrong_drawers), wrong_drawers[:EXAMPLES]),
            *(
                Finding(name, len(found), found[:EXAMPLES])
                for name, found in _compared(connection, asked, decided).items()
            ),
        ],
    )


def _compared(connection: psycopg.Connection, asked: Asked, decided: list[Decided]) -> dict[str, list[str]]:
    return compare(asked, decided, known=read_known(connection)) if asked.questions else {}


def _decisions(asked: Asked, decided: Sequence[Decided]) -> dict[str, int]:
    """How much was asked and decided, by verb, and how often somebody was told that it was already."""
    if not asked.questions:
        return {}
    already = sum(answer["said"] == "already-decided" for answer in asked.answers.values())
    verbs = Counter(each.verb for each in decided)
    return {
        "asked by people": len(asked.questions),
        "told that it was decided already": already,
        **{f"decided: {verb}": count for verb, count in sorted(verbs.items())},
    }


def _row(connection: psycopg.Connection, query: str) -> Any:
    return connection.execute(query).fetchone()


def _finding(
    connection: psycopg.Connection, name: str, query: str, named: dict[str, list[str]] | None = None
) -> Finding:
    """Counts on the server; only the examples travel."""
    rows = connection.execute(
        f"WITH found (example) AS MATERIALIZED ({query}) SELECT (SELECT count(*) FROM found), example FROM found LIMIT {EXAMPLES}",
        named,
    ).fetchall()
    return Finding(name, rows[0][0] if rows else 0, [row[1] for row in rows])


def _bodies(connection: psycopg.Connection) -> tuple[int, list[str]]:
    """Every stored body, a few at a time, hashed anew."""
    changed, count = [], 0
    with connection.cursor(name="bodies") as cursor:
        cursor.itersize = 20
        cursor.execute("SELECT batch_id::text, body, digest FROM inbox_batch")
        for batch_id, body, digest in cursor:
            count += 1
            if not _hashes_to(body, digest):
                changed.append(f"batch {batch_id}")
    return count, changed


def _hashes_to(body: bytes, digest: bytes) -> bool:
    try:
        return hashlib.sha256(zlib.decompress(body)).digest() == digest
    except zlib.error:
        return False


def _accounts(
    connection: psycopg.Connection, testimony: Testimony, named: dict[str, list[str]]
) -> tuple[int, list[str]]:
    expected = testimony.expected.balances()
    actual = {Account(*row[:4]): row[4] for row in connection.execute(BALANCES, named).fetchall()}
    every = expected.keys() | actual.keys()
    return len(every), [
        f"{' '.join(account)}: {actual.get(account, 0)} instead of {expected.get(account, 0)}"
        for account in sorted(every)
        if actual.get(account, 0) != expected.get(account, 0)
    ]


def _drawers(
    connection: psycopg.Connection, testimony: Testimony, named: dict[str, list[str]]
) -> tuple[int, list[str]]:
    expected = testimony.expected.drawers()
    actual = dict(connection.execute(DRAWERS, named).fetchall())
    return len(expected), [
        f"drawer of terminal {terminal}: {actual.get(terminal, 0)} instead of {amount}"
        for terminal, amount in sorted(expected.items())
        if actual.get(terminal, 0) != amount
    ]
