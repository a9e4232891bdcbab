"""The audit trail, read as facts: what is sealed of it. What is of no store is sealed in a tree of the house's own."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

from backoffice.books.evidence.journal import Mark
from backoffice.domain.evidence.leaves import FieldFacts, TrailFacts
from backoffice.postgres.rows import rows_as

SELECT_AFTER = """
SELECT xid::text::bigint AS xid, id, coalesce(store_id, 0) AS store_id FROM trail_entry
WHERE (xid, id) > (%(xid)s::text::xid8, %(row_id)s::bigint) AND xid < %(before)s::text::xid8
ORDER BY trail_entry.xid, id LIMIT %(most)s
"""
SELECT_FACTS = """
SELECT id, at, what, about, object_id, object_name, person_id, person, address, via, reason FROM trail_entry WHERE id = ANY(%s)
"""
SELECT_FIELDS = """
SELECT t.id, field, t.before ->> field, t.after ->> field
FROM trail_entry t, jsonb_object_keys(coalesce(t.before, '{}') || coalesce(t.after, '{}')) AS field
WHERE t.id = ANY(%s) ORDER BY t.id, field COLLATE "C"
"""


class TrailKey(NamedTuple):
    """A row of the trail, and when it was written as transactions count."""

    xid: int
    id: int
    store_id: int

    @property
    def mark(self) -> Mark:
        return Mark(self.xid, self.id)


def trail_after(cursor: CursorWrapper, mark: Mark, *, before: int, most: int) -> list[TrailKey]:
    """The next rows behind a mark, of transactions older than `before`, in the order in which they are sealed."""
    wanted: dict[str, Any] = {"xid": str(mark.xid), "row_id": mark.row_id, "before": str(before), "most": most}
    cursor.execute(SELECT_AFTER, wanted)
    return rows_as(TrailKey, cursor)


def read_trail(cursor: CursorWrapper, ids: Sequence[int]) -> dict[int, TrailFacts]:
    """What rows of the trail say, by their id. Two statements."""
    cursor.execute(SELECT_FIELDS, [list(ids)])
    fields: dict[int, list[FieldFacts]] = defaultdict(list)
    for row_id, *field in cursor.fetchall():
        fields[row_id].append(FieldFacts(*field))
    cursor.execute(SELECT_FACTS, [list(ids)])
    return {row_id: TrailFacts._make([*facts, fields[row_id]]) for row_id, *facts in cursor.fetchall()}
