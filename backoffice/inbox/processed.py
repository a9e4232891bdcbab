"""What became of batches, kept with them: what their receipts tell."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db.backends.utils import CursorWrapper

from backoffice.postgres.transactions import transaction_required

# Batch by batch through the primary key, whatever the planner thinks of many at once; the caller's pipeline makes it one
# round trip.
MARK_PROCESSED = """
UPDATE inbox_batch SET state = 'processed', processed_at = %(processed_at)s, last_error = '',
    outcomes = %(outcomes)s::jsonb, results = %(results)s::jsonb,
    movement_outcomes = %(movement_outcomes)s::jsonb, movement_results = %(movement_results)s::jsonb
WHERE batch_id = %(batch_id)s
"""

_encode_json = msgspec.json.Encoder().encode


class Processed(NamedTuple):
    """What became of a batch: counts by outcome, and the results that its receipt lists, as they are stored."""

    processed_at: datetime
    outcomes: Mapping[str, int]
    results: list[dict[str, Any]]
    movement_outcomes: Mapping[str, int]
    movement_results: list[dict[str, Any]]


@transaction_required
def mark_processed(cursor: CursorWrapper, processed: Mapping[UUID, Processed]) -> None:
    """Marks batches as processed. Call it within `pipelined`."""
    for batch_id, became in processed.items():
        at, *lists = became
        names = became._fields[1:]
        stored = {name: _encode_json(value).decode() for name, value in zip(names, lists, strict=True)}
        cursor.execute(MARK_PROCESSED, {"batch_id": batch_id, "processed_at": at, **stored})
