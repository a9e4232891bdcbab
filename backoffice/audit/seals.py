"""The seals: every sealed row still says what it said, nothing was added or cut off, and the signed heads agree.

Leaves are derived again from the tables, trees from leaves, and the installation's tree from the roots of days.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from backoffice.audit.anchors import SignedHead, is_signed, load_keys, read_note
from backoffice.audit.detached import Detached
from backoffice.audit.findings import Findings
from backoffice.audit.fleet import AuditedStore
from backoffice.audit.hashes import Peaks, hash_texts
from backoffice.audit.sealed import MARK, SealedLeaf, next_leaves, texts_today

CHUNK = 5_000

SELECT_STORES = "SELECT id, uuid::text FROM fleet_store"
# Of every store that has anything to do with seals.
COUNT_LEAVES = """
SELECT store_id, sum(leaves)::bigint FROM (
    SELECT store_id, count(*) AS leaves FROM evidence_leaf GROUP BY store_id
    UNION ALL SELECT store_id, 0 FROM evidence_dayroot GROUP BY store_id
    UNION ALL SELECT store_id, 0 FROM evidence_storetree
) AS found GROUP BY store_id ORDER BY store_id
"""
SELECT_DAYS = """
SELECT day FROM evidence_leaf WHERE store_id = %(store)s GROUP BY day
UNION SELECT day FROM evidence_dayroot WHERE store_id = %(store)s ORDER BY day
"""
SELECT_ROOTS_OF_DAY = "SELECT size, root FROM evidence_dayroot WHERE store_id = %s AND day = %s ORDER BY position"
SELECT_ROOTS = (
    "SELECT position, store_id, to_char(day, 'YYYY-MM-DD'), size, root, hash FROM evidence_dayroot ORDER BY position"
)
SELECT_CHECKPOINTS = "SELECT size, note FROM evidence_checkpoint WHERE size > %s ORDER BY size, id LIMIT %s"
SELECT_TREE = "SELECT size, packed FROM evidence_installationtree"
SELECT_STORE_TREE = "SELECT day, size, packed, numbers::text FROM evidence_storetree WHERE store_id = %s"

# What is older than the sealer's mark and has no seal was put there behind it. A mark that no transaction has reached came
# with a dump from another cluster, and says nothing until the sealer has noticed.
SELECT_ADDED = """
WITH {mark}
SELECT e.store_id, e.id, e.source_kind, e.source_id FROM ledger_journalentry e
WHERE (e.xid, e.id) <= (SELECT xid, row_id FROM mark)
    AND NOT EXISTS (SELECT FROM evidence_leaf f WHERE f.kind = 'entry' AND f.row_id = e.id)
""".replace("{mark}", MARK).replace("{source}", "entry")  # nosec B608


class _Place(NamedTuple):
    """A store's tree of one day, in words: where a difference is."""

    store: str
    words: str


def count_leaves(cursor: CursorWrapper) -> dict[int, int]:
    """How many leaves there are, by store."""
    cursor.execute(COUNT_LEAVES)
    return dict(cursor.fetchall())


class SealCheck:
    """One check of seals: of stores, one by one, and of what is above them. `passed` is told how many leaves were checked."""

    def __init__(
        self,
        cursor: CursorWrapper,
        findings: Findings,
        *,
        stores: Mapping[int, AuditedStore],
        detached: Detached,
        passed: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._cursor = cursor
        self._findings = findings
        self._codes = {store.id: store.code for store in stores.values()}
        self._detached = detached
        self._anchor: SignedHead | None = None
        self._passed = passed
        cursor.execute(SELECT_STORES)
        self._uuids: dict[int, str] = {0: str(UUID(int=0)), **dict(cursor.fetchall())}  # 0: of no store

    def check_store(self, store_id: int) -> None:
        """The leaves and trees of all of a store's days."""
        numbers: dict[str, int] = defaultdict(int)
        newest: tuple[date, Peaks] | None = None
        self._cursor.execute(SELECT_DAYS, {"store": store_id})
        for (day,) in self._cursor.fetchall():
            newest = day, self._check_day(store_id, day, numbers)
        self._check_store_tree(store_id, newest, numbers)

    def check_whole(self, *, anchor: SignedHead | None) -> None:
        """The installation's tree, then what was added. `anchor` is a signed head from elsewhere on the way to today's."""
        self._anchor = anchor
        self._check_installation()
        self._check_added()

    def _check_day(self, store_id: int, day: date, numbers: dict[str, int]) -> Peaks:
        place = _Place(self._codes.get(store_id, ""), f"seals of {day}")
        self._cursor.execute(SELECT_ROOTS_OF_DAY, [store_id, day])
        roots: dict[int, bytes] = {size: bytes(root) for size, root in self._cursor.fetchall()}
        peaks = Peaks()
        for leaf in self._leaves(store_id, day):
            if leaf.position != peaks.size:
                self._add(place, "leaf is missing", expected=f"place {peaks.size}", found=f"place {leaf.position}")
                break  # every tree after it differs, which says nothing more
            self._check_number(place, leaf, numbers)
            peaks.grow(leaf.hash)
            root = roots.pop(peaks.size, None)
            if root is not None and root != peaks.head():
                self._add(place, f"root of {peaks.size} leaves", expected=peaks.head().hex(), found=root.hex())
        for size in sorted(roots):
            self._add(place, "leaves are cut off", expected=f"{size} leaves", found=f"{peaks.size} leaves")
        return peaks

    def _leaves(self, store_id: int, day: date) -> Iterator[SealedLeaf]:
        """The leaves of a day in their order; each is compared with what its record says today."""
        position = 0
        while leaves := next_leaves(self._cursor, store_id=store_id, day=day, from_position=position, most=CHUNK):
            texts = texts_today(self._cursor, leaves)
            for leaf in leaves:
                self._check_leaf(_Place(self._codes.get(store_id, ""), f"seals of {day}"), store_id, leaf, texts)
            yield from leaves
            self._passed(len(leaves))
            position = leaves[-1].position + 1

    def _check_leaf(
        self, place: _Place, store_id: int, leaf: SealedLeaf, texts: Mapping[tuple[str, object], list[str]]
    ) -> None:
        said = texts.get(leaf.key)
        if said is None:
            if leaf.business_date is None or not self._detached.covers(leaf.business_date):
                self._add(place, leaf.in_words, expected="as it was sealed", found=None)
            return
        tag = f"{leaf.kind}/{leaf.version}"
        today = hash_texts([tag, self._uuids.get(store_id, ""), str(leaf.number), *said])
        if today != leaf.hash:
            self._add(place, leaf.in_words, expected="as it was sealed", found=f"changed: {' '.join(said)}")

    def _check_number(self, place: _Place, leaf: SealedLeaf, numbers: dict[str, int]) -> None:
        numbers[leaf.kind] += 1
        if leaf.number != numbers[leaf.kind]:
            self._add(place, f"number of {leaf.in_words}", expected=numbers[leaf.kind], found=leaf.number)
            numbers[leaf.kind] = leaf.number

    def _check_store_tree(self, store_id: int, newest: tuple[date, Peaks] | None, numbers: dict[str, int]) -> None:
        """What the sealer goes on from must be what the leaves make."""
        self._cursor.execute(SELECT_STORE_TREE, [store_id])
        kept = self._cursor.fetchone()
        place = _Place(self._codes.get(store_id, ""), "the sealer's tree of the store")
        if newest is None or kept is None:
            expected, found = (None if side is None else "a tree" for side in (newest, kept))
            self._add(place, "newest day", expected=expected, found=found)
            return
        day, peaks = newest
        kept_day, size, packed, kept_numbers = kept
        if (kept_day, size, bytes(packed)) != (day, peaks.size, peaks.packed):
            said = f"{kept_day}, {size} leaves"
            self._add(place, "newest day", expected=f"{day}, {peaks.size} leaves", found=said)
        if json.loads(kept_numbers) != numbers:
            self._add(place, "last numbers", expected=dict(numbers), found=kept_numbers)

    def _check_installation(self) -> None:
        heads = self._heads()
        peaks, head = Peaks(), next(heads, None)
        while head is not None and head.size == 0:
            head = next(heads, None)
        with connection.chunked_cursor() as rows:
            rows.execute(SELECT_ROOTS)
            while chunk := rows.fetchmany(CHUNK):
                for position, store_id, day, size, root, kept in chunk:
                    place = _Place(self._codes.get(store_id, ""), f"root {position} of the installation's tree")
                    if position != peaks.size:
                        self._add(place, "root is missing", expected=peaks.size, found=position)
                    texts = ["day/1", self._uuids.get(store_id, ""), day, str(size), bytes(root).hex()]
                    hashed = hash_texts(texts)
                    if hashed != bytes(kept):
                        self._add(place, "hash", expected=hashed.hex(), found=bytes(kept).hex())
                    peaks.grow(hashed)
                    while head is not None and head.size <= peaks.size:
                        self._check_head(head, peaks)
                        head = next(heads, None)
        while head is not None:
            self._add(_head_place(head), "the books end before it", expected=head.size, found=peaks.size)
            head = next(heads, None)
        self._cursor.execute(SELECT_TREE)
        size, packed = self._cursor.fetchone() or (0, b"")
        if (size, bytes(packed)) != (peaks.size, peaks.packed):
            self._add(_Place("", "the sealer's tree"), "size", expected=f"{size} roots", found=f"{peaks.size} roots")

    def _heads(self) -> Iterator[SignedHead]:
        """The signed heads that are kept, in the order of their sizes, and the anchor among them."""
        anchor, keys = self._anchor, load_keys(self._cursor)
        for size, note in self._checkpoints():
            head = _read(note)
            place = _Place("", f"checkpoint of size {size}")
            if head is None or head.size != size or not is_signed(head, keys):
                self._add(place, "signed note", expected="as it was signed", found=note)
                continue
            if anchor is not None and anchor.size <= size:
                yield anchor
                anchor = None
            yield head
        if anchor is not None:
            yield anchor

    def _checkpoints(self) -> Iterator[tuple[int, str]]:
        last = -1
        while True:
            self._cursor.execute(SELECT_CHECKPOINTS, [last, CHUNK])
            rows = self._cursor.fetchall()
            if not rows:
                return
            yield from rows
            last = rows[-1][0]

    def _check_head(self, head: SignedHead, peaks: Peaks) -> None:
        if head.size == peaks.size and head.root != peaks.head():
            what = "the books do not continue it" if head is self._anchor else "root"
            self._add(_head_place(head), what, expected=head.root.hex(), found=peaks.head().hex())

    def _check_added(self) -> None:
        with connection.chunked_cursor() as rows:
            rows.execute(SELECT_ADDED)
            while chunk := rows.fetchmany(CHUNK):
                for store_id, entry_id, kind, source in chunk:
                    place = _Place(self._codes.get(store_id, ""), f"journal entry {entry_id} of {kind} {source}")
                    self._add(place, "has no seal, and is older than the newest", expected="a seal", found=None)

    def _add(self, place: _Place, what: str, *, expected: object, found: object) -> None:
        self._findings.add(place.store, place.words, what, expected=expected, found=found)


def _head_place(head: SignedHead) -> _Place:
    return _Place("", f"signed head of {head.origin}, size {head.size}")


def _read(note: str) -> SignedHead | None:
    try:
        return read_note(note)
    except (ValueError, IndexError):
        return None
