"""A batch's receipt: what was received, and what became of each order (protocol §5)."""

import zlib
from typing import Any
from uuid import UUID

from backoffice.domain.decoding import decode_batch
from backoffice.domain.states import BatchState
from backoffice.inbox.models import Batch
from backoffice.ingestion.members import member_number, member_order_id, read_members

OUTCOMES = ("posted", "duplicate", "conflict", "held")


class NoSuchBatch(Exception):
    """This terminal never sent such a batch."""


def receipt(*, batch_id: UUID, terminal_id: int, every_result: bool = False) -> dict[str, Any]:
    """The receipt as it stands now. `every_result` lists each order in the order sent, not only the notable ones.

    Raises NoSuchBatch, also for a batch of another terminal.
    """
    fields = Batch.objects.filter(batch_id=batch_id, terminal_id=terminal_id)
    batch = (fields if every_result else fields.defer("body")).first()
    if batch is None:
        raise NoSuchBatch
    processed = batch.state == BatchState.PROCESSED.value
    results, movement_results = batch.results, batch.movement_results
    if every_result and processed:
        results, movement_results = _every_result(batch)
    return {
        "batch_id": str(batch.batch_id),
        "shift_id": str(batch.shift_id),
        "state": batch.state,
        "received_at": batch.received_at,
        "processed_at": batch.processed_at,
        "orders": batch.order_count,
        "outcomes": {outcome: batch.outcomes.get(outcome, 0) for outcome in OUTCOMES},
        "results": [_with_decision(result) for result in results],
        "movements": {
            "outcomes": {outcome: batch.movement_outcomes.get(outcome, 0) for outcome in OUTCOMES},
            "results": [_with_decision(result) for result in movement_results],
        },
    }


def _every_result(batch: Batch) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Only notable results are stored; the plainly posted ones are read again from the stored body."""
    stored = {
        "order": {result["index"]: result for result in batch.results},
        "movement": {result["index"]: result for result in batch.movement_results},
    }
    body = zlib.decompress(batch.body)
    results: dict[str, list[dict[str, Any]]] = {"order": [], "movement": []}
    for member in read_members(decode_batch(body, max_orders=len(body)), terminal_id=batch.terminal_id):
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
