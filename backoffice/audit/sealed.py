"""What sealed rows say today, as the texts of their leaves: entries with their lines, batches, and the audit trail."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from itertools import chain
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

# How far the sealer came with what `{source}` names. A mark that no transaction has reached came with a dump from another cluster: then it
# is the very beginning.
MARK = """
next AS (
    SELECT greatest(pg_snapshot_xmax(pg_current_snapshot())::text::bigint, coalesce(pg_current_xact_id_if_assigned()::text::bigint + 1, 0)) AS xid
), mark AS (
    SELECT (CASE WHEN m.xid < next.xid THEN m.xid ELSE 0 END)::text::xid8 AS xid, m.row_id
    FROM evidence_sealmark m, next WHERE m.source = '{source}'
)"""

SELECT_LEAVES = """
SELECT position, kind, version, number, row_id, item_id::text, business_date, hash FROM evidence_leaf
WHERE store_id = %s AND day = %s AND position >= %s ORDER BY position LIMIT %s
"""

# As PostgreSQL spells them: every value a text, so that nothing is left to a driver.
SELECT_HEADS = """
SELECT e.id, to_char(e.business_date, 'YYYY-MM-DD'), coalesce(t.uuid::text, ''), coalesce(e.shift_id::text, ''), e.source_kind,
    e.source_id::text, e.source_number::text, e.currency, to_char(e.posted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
FROM ledger_journalentry e LEFT JOIN fleet_terminal t ON t.id = e.terminal_id
WHERE e.id = ANY(%s) AND e.business_date = ANY(%s)
"""
SELECT_LINES = """
SELECT l.entry_id, l.position::text, to_char(l.business_date, 'YYYY-MM-DD'), coalesce(s.uuid::text, ''), l.account_id,
    coalesce(d.uuid::text, ''), l.tax_code, l.debit::text, l.credit::text, l.currency
FROM ledger_journalline l LEFT JOIN fleet_store s ON s.id = l.store_id LEFT JOIN fleet_terminal d ON d.id = l.drawer_id
WHERE l.entry_id = ANY(%s) AND l.business_date = ANY(%s) ORDER BY l.entry_id, l.position
"""
SELECT_BATCHES = """
SELECT b.batch_id::text, coalesce(t.uuid::text, ''), b.shift_id::text, to_char(b.received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    b.size::text, b.order_count::text, b.movement_count::text, encode(b.digest, 'hex')
FROM inbox_batch b LEFT JOIN fleet_terminal t ON t.id = b.terminal_id WHERE b.batch_id = ANY(%s::uuid[])
"""
SELECT_TRAIL = """
SELECT id, ARRAY[to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), what, about, object_id, object_name,
    coalesce(person_id::text, ''), person, address, via, reason] FROM trail_entry WHERE id = ANY(%s)
"""
SELECT_TRAIL_FIELDS = """
SELECT id, key, coalesce(was, ''), coalesce(stands, '') FROM trail_entry, LATERAL (
    SELECT key, max(value) FILTER (WHERE side = 1), max(value) FILTER (WHERE side = 2) FROM (
        SELECT 1, * FROM jsonb_each_text(before) UNION ALL SELECT 2, * FROM jsonb_each_text(after)
    ) AS each (side, key, value) GROUP BY key
) AS field (key, was, stands) WHERE id = ANY(%s) ORDER BY id, key COLLATE "C"
"""


NAMES = {"entry": "journal entry", "trail": "audit trail"}


class SealedLeaf(NamedTuple):
    """A leaf as it is stored."""

    position: int
    kind: str
    version: int
    number: int
    row_id: int | None
    item_id: str | None
    business_date: date | None
    hash: bytes

    @property
    def key(self) -> tuple[str, object]:
        """What its record is found by."""
        return self.kind, self.item_id if self.row_id is None else self.row_id

    @property
    def in_words(self) -> str:
        name = f"{NAMES.get(self.kind, self.kind)} {self.item_id or self.row_id}"
        return f"{name}, sealed as {self.kind} {self.number}"


def next_leaves(cursor: CursorWrapper, *, store_id: int, day: date, from_position: int, most: int) -> list[SealedLeaf]:
    """The next leaves of a store's day, in the order of the tree."""
    cursor.execute(SELECT_LEAVES, [store_id, day, from_position, most])
    return [SealedLeaf._make([*row[:-1], bytes(row[-1])]) for row in cursor.fetchall()]


def texts_today(cursor: CursorWrapper, leaves: Sequence[SealedLeaf]) -> dict[tuple[str, object], list[str]]:
    """What the records of leaves say today, by the leaves' keys; a record that is gone is missing."""
    found: dict[tuple[str, object], list[str]] = {}
    entries = [leaf for leaf in leaves if leaf.kind == "entry"]
    if entries:
        key: list[Any] = [[leaf.row_id for leaf in entries], list({leaf.business_date for leaf in entries})]
        cursor.execute(SELECT_LINES, key)
        lines: dict[int, list[str]] = defaultdict(list)
        counts: dict[int, int] = defaultdict(int)
        for entry_id, *texts in cursor.fetchall():
            lines[entry_id] += texts
            counts[entry_id] += 1
        cursor.execute(SELECT_HEADS, key)
        for entry_id, *texts in cursor.fetchall():
            found["entry", entry_id] = [*texts, str(counts[entry_id]), *lines[entry_id]]
    batches = [leaf.item_id for leaf in leaves if leaf.kind == "batch"]
    if batches:
        cursor.execute(SELECT_BATCHES, [batches])
        found |= {("batch", row[0]): list(row) for row in cursor.fetchall()}
    trail = [leaf.row_id for leaf in leaves if leaf.kind == "trail"]
    if trail:
        found |= _trail_today(cursor, trail)
    return found


def _trail_today(cursor: CursorWrapper, row_ids: list[int | None]) -> dict[tuple[str, object], list[str]]:
    cursor.execute(SELECT_TRAIL_FIELDS, [row_ids])
    fields: dict[int, list[list[str]]] = defaultdict(list)
    for row_id, *field in cursor.fetchall():
        fields[row_id].append(field)
    cursor.execute(SELECT_TRAIL, [row_ids])
    return {
        ("trail", row_id): [*texts, str(len(fields[row_id])), *chain.from_iterable(fields[row_id])]
        for row_id, texts in cursor.fetchall()
    }
