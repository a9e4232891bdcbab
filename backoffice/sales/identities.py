"""What is remembered of every order and cash movement for ever: which identifiers and numbers were used, and how (ADR 2)."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from backoffice.domain.identity import HASH_VERSION
from backoffice.postgres.arrays import bytes_array, integer_array, uuid_array
from backoffice.postgres.rows import rows_as
from backoffice.postgres.transactions import transaction_required

# Sorted by the caller, so that batches of different terminals that overlap cannot deadlock.
INSERT_IDENTITIES = """
INSERT INTO sales_identity (item_id, version, terminal_id, shift_id, number, content_hash, hash_version, batch_id,
    business_date, row_id)
SELECT item_id, version, (%(terminal_ids)s::integer[])[place], (%(shift_ids)s::uuid[])[place], number, content_hash,
    %(hash_version)s::smallint, (%(batch_ids)s::uuid[])[place], (%(business_dates)s::date[])[place], row_id
FROM unnest(%(item_ids)s::uuid[], %(versions)s::integer[], %(numbers)s::bigint[], %(hashes)s::bytea[], %(row_ids)s::bigint[],
    %(places)s::integer[]) AS incoming (item_id, version, number, content_hash, row_id, place)
WHERE NOT EXISTS (SELECT FROM sales_identity WHERE item_id = %(unless_known)s)
ON CONFLICT DO NOTHING
"""

SELECT_KNOWN = """
SELECT item_id, version, terminal_id, shift_id, number, content_hash, hash_version FROM sales_identity
WHERE item_id = ANY(%(item_ids)s::uuid[]) OR (terminal_id = %(terminal_id)s AND number = ANY(%(numbers)s::bigint[]))
"""


class IdentityRow(NamedTuple):
    """One version to be remembered; `number` only where it takes that number, `place` says of which batch, from 1."""

    item_id: UUID
    number: int | None
    content_hash: bytes
    version: int
    row_id: int
    place: int


class BatchKey(NamedTuple):
    """The batch that identities came with."""

    terminal_id: int
    shift_id: UUID
    batch_id: UUID
    business_date: date


class KnownVersion(NamedTuple):
    """One version that is remembered."""

    item_id: UUID
    version: int
    terminal_id: int
    shift_id: UUID
    number: int | None
    content_hash: bytes
    hash_version: int | None


@transaction_required
def insert_identities(
    cursor: CursorWrapper, rows: Sequence[IdentityRow], *, batches: Sequence[BatchKey], unless_known: UUID | None = None
) -> None:
    """Remembers what is new among `rows`: the cursor's rowcount says how many. Waits for whoever inserts the same now.

    Where `unless_known` is remembered already, nothing is: one look instead of one for each row.
    """
    ordered = sorted(rows, key=_by_identifier)
    cursor.execute(
        INSERT_IDENTITIES,
        {
            "terminal_ids": [batch.terminal_id for batch in batches],
            "shift_ids": [batch.shift_id for batch in batches],
            "batch_ids": [batch.batch_id for batch in batches],
            "business_dates": [batch.business_date for batch in batches],
            "item_ids": uuid_array(row.item_id for row in ordered),
            "versions": integer_array(row.version for row in ordered),
            "numbers": integer_array(row.number for row in ordered),
            "hashes": bytes_array(row.content_hash for row in ordered),
            "row_ids": integer_array(row.row_id for row in ordered),
            "places": integer_array(row.place for row in ordered),
            "hash_version": HASH_VERSION,
            "unless_known": unless_known,
        },
    )


def _by_identifier(row: IdentityRow) -> tuple[int, int]:
    return row.item_id.int, row.version


def select_known(
    cursor: CursorWrapper, *, terminal_id: int, item_ids: Sequence[UUID], numbers: Sequence[int]
) -> list[KnownVersion]:
    """Every remembered version of these items, and of whatever used these numbers of the terminal."""
    wanted: dict[str, Any] = {
        "terminal_id": terminal_id,
        "item_ids": uuid_array(item_ids),
        "numbers": integer_array(numbers),
    }
    cursor.execute(SELECT_KNOWN, wanted)
    return rows_as(KnownVersion, cursor)
