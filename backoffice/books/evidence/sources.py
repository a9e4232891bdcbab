"""What is sealed: sources of records, each read in the order of the transactions that wrote them.

A source that is new (decisions, exports, settings) is a table with an `xid8` column that the database fills in, a kind with
its encoding in `backoffice.domain.evidence.leaves`, a class here, a row in `SOURCES` and in `evidence_sealmark`, and its
reading in `backoffice.audit.sealed`, written a second time.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, Protocol
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from backoffice.books.evidence.journal import (
    EntryKey,
    Mark,
    batches_of,
    entries_after,
    not_sealed,
    read_entries,
    read_unsealed_batches,
)
from backoffice.books.evidence.trail import read_trail, trail_after
from backoffice.domain.evidence.leaves import (
    BATCH,
    ENTRY,
    TRAIL,
    LeafKind,
    batch_values,
    entry_values,
    trail_values,
)

# Of one transaction: some 10 MB of facts, a fifth of a second.
MOST_AT_ONCE = 2_000


class Record(NamedTuple):
    """A record that is closed and about to be sealed. `values` are those of its leaf; one of `row_id`, `item_id` leads to it."""

    store_id: int
    kind: LeafKind
    values: Sequence[str]
    row_id: int | None = None
    item_id: UUID | None = None
    business_date: date | None = None


class Portion(NamedTuple):
    """The next records of a source; everything up to `mark` is sealed once they are. `is_last` where nothing more is closed."""

    records: Sequence[Record]
    mark: Mark
    is_last: bool


class Source(Protocol):
    """One kind of table whose rows are sealed."""

    name: str

    def read(self, cursor: CursorWrapper, *, after: Mark, before: int) -> Portion:
        """The next records behind a mark, of transactions older than `before`. Bounded."""
        ...


class Journal:
    """Journal entries, each after the batch that it came with, where that is not sealed yet."""

    name = "entry"

    def read(self, cursor: CursorWrapper, *, after: Mark, before: int) -> Portion:
        found = entries_after(cursor, after, before=before, most=MOST_AT_ONCE)
        mark = found[-1].mark if found else after
        keys = not_sealed(cursor, found)
        return Portion(self._records(cursor, keys) if keys else [], mark, is_last=len(found) < MOST_AT_ONCE)

    def _records(self, cursor: CursorWrapper, keys: Sequence[EntryKey]) -> list[Record]:
        where = [(key.id, key.business_date) for key in keys]
        entries = read_entries(cursor, where)
        batch_of = batches_of(cursor, where)
        batches = dict(read_unsealed_batches(cursor, list(set(batch_of.values()))))
        records = []
        for key in keys:
            batch_id = batch_of.get(key.id)
            batch = None if batch_id is None else batches.pop(batch_id, None)
            if batch is not None:
                records.append(Record(key.store_id, BATCH, batch_values(batch), item_id=batch_id))
            values = entry_values(entries[key.id])
            records.append(Record(key.store_id, ENTRY, values, row_id=key.id, business_date=key.business_date))
        return records


class AuditTrail:
    """Changes and events, each in the tree of its store; those of none in the house's own."""

    name = "trail"

    def read(self, cursor: CursorWrapper, *, after: Mark, before: int) -> Portion:
        found = trail_after(cursor, after, before=before, most=MOST_AT_ONCE)
        mark = found[-1].mark if found else after
        keys = not_sealed(cursor, found, kind=TRAIL)
        facts = read_trail(cursor, [key.id for key in keys]) if keys else {}
        records = [Record(key.store_id, TRAIL, trail_values(facts[key.id]), row_id=key.id) for key in keys]
        return Portion(records, mark, is_last=len(found) < MOST_AT_ONCE)


SOURCES: Sequence[Source] = (Journal(), AuditTrail())
