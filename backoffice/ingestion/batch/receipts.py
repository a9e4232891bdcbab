"""A batch's receipt: what was received, and what became of each order (protocol §5)."""

import json
import zlib
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from backoffice.domain.states import BatchState
from backoffice.domain.wire.envelope import decode_batch
from backoffice.inbox.models import Batch
from backoffice.ingestion.batch.members import member_number, member_order_id, read_members
from backoffice.ingestion.batch.post import Processed

Results = list[dict[str, Any]]

# Asked with every upload, so it is spelled out: building it with the ORM costs more than running it.
SELECT_RECEIPT = """
SELECT shift_id, state, received_at, processed_at, order_count,
    outcomes::text, results::text, movement_outcomes::text, movement_results::text
FROM inbox_batch WHERE batch_id = %s AND terminal_id = %s
"""

OUTCOMES = ("posted", "duplicate", "conflict", "held")


class NoSuchBatch(Exception):
    """This terminal never sent such a batch."""


def receipt(*, batch_id: UUID, terminal_id: int, every_result: bool = False) -> dict[str, Any]:
    """The receipt as it stands now. `every_result` lists each order in the order sent, not only the notable ones.

    Raises NoSuchBatch, also for a batch of another terminal.
    """
    with connection.cursor() as cursor:
        cursor.execute(SELECT_RECEIPT, [batch_id, terminal_id])
        row = cursor.fetchone()
    if row is None:
        raise NoSuchBatch
    shift_id, state, received_at, processed_at, order_count, *written = row
    processed = Processed(processed_at, *(json.loads(text) for text in written))
    if every_result and state == BatchState.PROCESSED.value:
        results, movement_results = _every_result(batch_id, terminal_id, processed.results, processed.movement_results)
        processed = processed._replace(results=results, movement_results=movement_results)
    return compose_receipt(
        batch_id=batch_id,
        shift_id=shift_id,
        state=state,
        received_at=received_at,
        order_count=order_count,
        processed=processed,
    )


def compose_receipt(
    *, batch_id: UUID, shift_id: UUID, state: str, received_at: datetime, order_count: int, processed: Processed
) -> dict[str, Any]:
    """The receipt of these facts; `processed` is empty, its time None, until the batch is processed."""
    return {
        "batch_id": str(batch_id),
        "shift_id": str(shift_id),
        "state": state,
        "received_at": received_at,
        "processed_at": processed.processed_at,
        "orders": order_count,
        "outcomes": {outcome: processed.outcomes.get(outcome, 0) for outcome in OUTCOMES},
        "results": [_with_decision(result) for result in processed.results],
        "movements": {
            "outcomes": {outcome: processed.movement_outcomes.get(outcome, 0) for outcome in OUTCOMES},
            "results": [_with_decision(result) for result in processed.movement_results],
        },
    }


def _every_result(batch_id: UUID, terminal_id: int, orders: Results, movements: Results) -> tuple[Results, Results]:
    """Only notable results are stored; the plainly posted ones are read again from the stored body."""
    stored = {
        "order": {result["index"]: result for result in orders},
        "movement": {result["index"]: result for result in movements},
    }
    body = zlib.decompress(Batch.objects.values_list("body", flat=True).get(batch_id=batch_id))
    results: dict[str, Results] = {"order": [], "movement": []}
    for member in read_members(decode_batch(body, max_orders=len(body)), terminal_id=terminal_id):
        notable = stored[member.what].get(member.position)
        plain: dict[str, Any] = {"index": member.position}
        if member.what == "order":
            plain |= {"order_id": str(member_order_id(member)), "number": member_number(member)}
        else:
            plain |= {"movement_id": str(member_order_id(member))}
        results[member.what].append(notable or plain | {"outcome": "posted", "reasons": []})
    return results["order"], results["movement"]


def _with_decision(result: dict[str, Any]) -> dict[str, Any]:
    """What head office decided on a held order since; nothing can be decided yet."""
    return result | {"decision": None}
