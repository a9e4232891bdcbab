"""The sealer: gives closed records their dense numbers and their place in a tree, in one transaction a chunk.

Closed is what was written by a transaction older than every one that still runs: nothing can be added to it any more. So no
record is ever passed over, however late it commits, and posting takes no lock and makes no hash.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from backoffice.books.evidence.journal import Mark
from backoffice.books.evidence.rollup import add_to_rollup
from backoffice.books.evidence.sources import SOURCES, Record, Source
from backoffice.books.evidence.trees import SealerAtWork, Trees, lock_trees, store_uuids, write_trees
from backoffice.domain.evidence.leaves import ENTRY, encode, leaf_texts
from backoffice.domain.evidence.merkle import leaf_hash
from backoffice.failpoints import failpoint
from backoffice.inbox.claims import oldest_waiting
from backoffice.postgres.arrays import bytes_array, integer_array, word_array
from backoffice.postgres.transactions import transaction_required

log = structlog.get_logger(__name__)

# The oldest transaction that still runs, and the next that begins.
SELECT_HORIZON = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint
"""
SELECT_MARK = "SELECT xid, row_id FROM evidence_sealmark WHERE source = %s"
MOVE_MARK = "UPDATE evidence_sealmark SET xid = %s, row_id = %s WHERE source = %s"

INSERT_LEAVES = """
INSERT INTO evidence_leaf (store_id, day, position, kind, version, number, row_id, item_id, business_date, hash)
SELECT store_id, %(day)s, position, kind, version, number, row_id, item_id, business_date, hash
FROM unnest(%(store_ids)s::integer[], %(positions)s::bigint[], %(kinds)s::text[], %(versions)s::smallint[],
    %(numbers)s::bigint[], %(row_ids)s::bigint[], %(item_ids)s::uuid[], %(dates)s::date[], %(hashes)s::bytea[])
    AS leaf (store_id, position, kind, version, number, row_id, item_id, business_date, hash)
"""

# A million entries, which take about a minute. What waits longer, as after an upgrade, is sealed minute by minute.
CHUNKS_A_MINUTE = 500
# 20 000 entries and a second of a processor, whatever else there is to do.
CHUNKS_BESIDE_BATCHES = 10
PATIENCE = timedelta(milliseconds=200)
NO_MARK = Mark(0, 0)
# No transaction has this id.
BEYOND_ALL = 2**62


class Horizon(NamedTuple):
    """Transactions below `oldest_running` have ended; none has begun from `next` on."""

    oldest_running: int
    next: int


class _Placed(NamedTuple):
    """A record with its place and number."""

    record: Record
    position: int
    number: int
    hash: bytes


def seal(*, now: datetime) -> int:
    """Seals whatever is closed, a chunk a transaction. Returns how many records. Two at once take turns."""
    return sum(_seal_chunks(now=now, wait=True))


def seal_some(*, now: datetime) -> int:
    """As `seal`, for a worker that has other things to do: as much as a minute has room for, and little while batches wait.

    Seals nothing beside another sealer.
    """
    sealed = 0
    with suppress(SealerAtWork):
        for chunks, count in enumerate(_seal_chunks(now=now, wait=False), start=1):
            sealed += count
            if chunks >= CHUNKS_A_MINUTE or (chunks >= CHUNKS_BESIDE_BATCHES and _batches_wait()):
                break
    return sealed


def _batches_wait() -> bool:
    """Whether the workers have more to post than they come to: that goes first, its seal may be a little later."""
    waited = oldest_waiting(now=timezone.now())
    return waited is not None and waited >= PATIENCE


def _seal_chunks(*, now: datetime, wait: bool) -> Iterator[int]:
    """Seals chunk after chunk; how many records each time."""
    for source in SOURCES:
        is_last = False
        while not is_last:
            with transaction.atomic(), connection.cursor() as cursor:
                trees = lock_trees(wait=wait)
                count, is_last = seal_chunk(cursor, trees, source, horizon=None, now=now)
                failpoint("seal-before-commit")
            failpoint("seal-after-commit")
            yield count


@transaction_required
def seal_chunk(
    cursor: CursorWrapper, trees: Trees, source: Source, *, horizon: Horizon | None, now: datetime
) -> tuple[int, bool]:
    """Seals the next chunk of a source on top of the locked trees: how many records, and whether it was the last.

    `horizon` is that of this moment unless it is given. It is read under the sealers' lock and before the records are, so
    that whatever has ended by then is seen.
    """
    if horizon is None:
        cursor.execute(SELECT_HORIZON)
        horizon = Horizon(*cursor.fetchone())
    cursor.execute(SELECT_MARK, [source.name])
    mark = Mark(*(cursor.fetchone() or NO_MARK))
    is_restored = mark.xid >= horizon.next
    before = BEYOND_ALL if is_restored else horizon.oldest_running
    chunk = source.read(cursor, after=mark, before=before)
    if chunk.records:
        _write(cursor, trees, chunk.records, day=max(now.astimezone(UTC).date(), trees.day or date.min), now=now)
    failpoint("seal-written")
    reached, is_last = chunk.mark, chunk.is_last
    if is_restored and is_last:
        # The database is a copy in a new cluster, whose transactions begin again. What came along is sealed by now.
        log.warning("transactions began again: the sealer begins with them", reached=mark.xid, next=horizon.next)
        reached, is_last = NO_MARK, False
    if reached != mark:
        cursor.execute(MOVE_MARK, [*reached, source.name])
    return len(chunk.records), is_last


def _write(cursor: CursorWrapper, trees: Trees, records: Sequence[Record], *, day: date, now: datetime) -> None:
    """Writes the leaves of records, what they add to balances, and the trees that they make."""
    by_store: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        by_store[record.store_id].append(record)
    uuids = store_uuids(by_store)
    trees.begin_day(day, by_store)
    placed = {store_id: _place(trees, uuids, found) for store_id, found in by_store.items()}
    _insert_leaves(cursor, list(chain.from_iterable(placed.values())), day=day)
    add_to_rollup(cursor, [_entry_key(record) for record in records if record.kind.name == ENTRY.name])
    write_trees(trees, uuids, now=now)


def _place(trees: Trees, uuids: Mapping[int, UUID], records: Sequence[Record]) -> list[_Placed]:
    """Gives the records of one store their numbers and places."""
    placed = []
    for record in records:
        store = trees.stores[record.store_id]
        number = store.next_number(record.kind.name)
        texts = leaf_texts(record.kind, store=str(uuids[record.store_id]), number=number, values=record.values)
        hashed = leaf_hash(encode(texts))
        placed.append(_Placed(record, store.tree.size, number, hashed))
        store.tree.add(hashed)
    return placed


def _insert_leaves(cursor: CursorWrapper, placed: Sequence[_Placed], *, day: date) -> None:
    records = [each.record for each in placed]
    columns: dict[str, Any] = {
        "day": day,
        "store_ids": integer_array(record.store_id for record in records),
        "positions": integer_array(each.position for each in placed),
        "kinds": word_array(record.kind.name for record in records),
        "versions": integer_array(record.kind.version for record in records),
        "numbers": integer_array(each.number for each in placed),
        "row_ids": integer_array(record.row_id for record in records),
        "item_ids": word_array(record.item_id for record in records),
        "dates": word_array(record.business_date for record in records),
        "hashes": bytes_array(each.hash for each in placed),
    }
    cursor.execute(INSERT_LEAVES, columns)


def _entry_key(record: Record) -> tuple[int, date]:
    assert record.row_id is not None  # noqa: S101 - every entry has a row and a date
    assert record.business_date is not None  # noqa: S101
    return record.row_id, record.business_date
