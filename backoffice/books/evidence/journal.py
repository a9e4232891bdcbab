"""Journal entries and the batches behind them, read as facts: what is sealed of the books."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from backoffice.domain.evidence.leaves import ENTRY, BatchFacts, EntryFacts, LeafKind, LineFacts
from backoffice.postgres.rows import rows_as

SELECT_AFTER = """
SELECT xid::text::bigint AS xid, id, business_date, store_id FROM ledger_journalentry
WHERE (xid, id) > (%(xid)s::text::xid8, %(row_id)s::bigint) AND xid < %(before)s::text::xid8
ORDER BY ledger_journalentry.xid, id LIMIT %(most)s
"""

SELECT_SEALED = "SELECT row_id FROM evidence_leaf WHERE kind = %s AND row_id = ANY(%s)"

SELECT_ENTRIES = """
SELECT e.id, e.business_date, t.uuid::text, e.shift_id::text, e.source_kind, e.source_id::text, e.source_number, e.currency,
    e.posted_at
FROM ledger_journalentry e LEFT JOIN fleet_terminal t ON t.id = e.terminal_id
WHERE e.id = ANY(%(ids)s) AND e.business_date = ANY(%(dates)s)
"""

SELECT_LINES = """
SELECT l.entry_id, l.position, l.business_date, s.uuid::text, l.account_id, d.uuid::text, l.tax_code, l.debit, l.credit,
    l.currency
FROM ledger_journalline l JOIN fleet_store s ON s.id = l.store_id LEFT JOIN fleet_terminal d ON d.id = l.drawer_id
WHERE l.entry_id = ANY(%(ids)s) AND l.business_date = ANY(%(dates)s) ORDER BY l.entry_id, l.position
"""

# An order has the id of its entry; a cash movement is what its entry's source names.
SELECT_BATCHES_OF = """
SELECT o.id, o.batch_id FROM sales_order o WHERE o.id = ANY(%(ids)s) AND o.business_date = ANY(%(dates)s)
UNION ALL
SELECT e.id, m.batch_id FROM ledger_journalentry e JOIN sales_cashmovement m ON m.movement_id = e.source_id
WHERE e.id = ANY(%(ids)s) AND e.business_date = ANY(%(dates)s) AND e.source_kind = 'movement'
"""
# What came late for a locked period stands on another day than its order.
SELECT_LATE_BATCHES_OF = """
SELECT e.id, o.batch_id FROM ledger_journalentry e
JOIN sales_identity i ON i.item_id = e.source_id AND i.version = 0 AND i.row_id = e.id
JOIN sales_order o ON o.id = i.row_id AND o.business_date = i.business_date
WHERE e.id = ANY(%(ids)s) AND e.business_date = ANY(%(dates)s) AND e.source_kind = 'order'
"""

SELECT_BATCHES = """
SELECT b.batch_id, t.uuid::text, b.shift_id::text, b.received_at, b.size, b.order_count, b.movement_count, b.digest
FROM inbox_batch b JOIN fleet_terminal t ON t.id = b.terminal_id
WHERE b.batch_id = ANY(%s) AND NOT EXISTS (
    SELECT FROM evidence_leaf f WHERE f.kind = 'batch' AND f.item_id = b.batch_id
)
"""


class Mark(NamedTuple):
    """A place in the order in which records are sealed: by transaction, and within it by row."""

    xid: int
    row_id: int


class EntryKey(NamedTuple):
    """Where a journal entry is found, and when it was posted as transactions count."""

    xid: int
    id: int
    business_date: date
    store_id: int

    @property
    def mark(self) -> Mark:
        return Mark(self.xid, self.id)


class RowKey(Protocol):
    """What a row that is sealed is found by, of whatever kind."""

    @property
    def id(self) -> int: ...


Key = TypeVar("Key", bound=RowKey)


def entries_after(cursor: CursorWrapper, mark: Mark, *, before: int, most: int) -> list[EntryKey]:
    """The next entries behind a mark, of transactions older than `before`, in the order in which they are sealed."""
    wanted: dict[str, Any] = {"xid": str(mark.xid), "row_id": mark.row_id, "before": str(before), "most": most}
    cursor.execute(SELECT_AFTER, wanted)
    return rows_as(EntryKey, cursor)


def not_sealed(cursor: CursorWrapper, keys: Sequence[Key], *, kind: LeafKind = ENTRY) -> list[Key]:
    """Those of the entries, or of the rows of another kind, that have no seal yet."""
    if not keys:
        return []
    cursor.execute(SELECT_SEALED, [kind.name, [key.id for key in keys]])
    sealed = {row_id for (row_id,) in cursor.fetchall()}
    return [key for key in keys if key.id not in sealed]


def read_entries(cursor: CursorWrapper, keys: Sequence[tuple[int, date]]) -> dict[int, EntryFacts]:
    """What entries say, by their id. Keys are (id, business date); two statements for all."""
    wanted: dict[str, Any] = {"ids": [entry_id for entry_id, _ in keys], "dates": list({day for _, day in keys})}
    cursor.execute(SELECT_LINES, wanted)
    lines: dict[int, list[LineFacts]] = defaultdict(list)
    for entry_id, *line in cursor.fetchall():
        lines[entry_id].append(LineFacts(*line))
    cursor.execute(SELECT_ENTRIES, wanted)
    return {entry_id: EntryFacts._make([*head, lines[entry_id]]) for entry_id, *head in cursor.fetchall()}


def batches_of(cursor: CursorWrapper, keys: Sequence[tuple[int, date]]) -> dict[int, UUID]:
    """The batch that brought each entry's order or cash movement; entries of shifts have none."""
    wanted: dict[str, Any] = {"ids": [entry_id for entry_id, _ in keys], "dates": list({day for _, day in keys})}
    cursor.execute(SELECT_BATCHES_OF, wanted)
    found = dict(cursor.fetchall())
    others = [entry_id for entry_id, _ in keys if entry_id not in found]
    if others:
        cursor.execute(SELECT_LATE_BATCHES_OF, wanted | {"ids": others})
        found |= dict(cursor.fetchall())
    return found


def read_unsealed_batches(cursor: CursorWrapper, batch_ids: Sequence[UUID]) -> Mapping[UUID, BatchFacts]:
    """What is kept of those batches that have no seal yet."""
    cursor.execute(SELECT_BATCHES, [list(batch_ids)])
    return {
        batch_id: BatchFacts._make([str(batch_id), *facts, bytes(digest)])
        for batch_id, *facts, digest in cursor.fetchall()
    }
