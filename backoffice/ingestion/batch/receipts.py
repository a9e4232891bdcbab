"""A batch's receipt: what was received, and what became of each order (protocol §5)."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from threading import BoundedSemaphore
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from django.db import connection

from backoffice.domain.orders import CashMovement, Order
from backoffice.domain.states import BatchState
from backoffice.domain.wire.answers import (
    MovementResultAnswer,
    MovementsAnswer,
    OutcomesAnswer,
    Receipt,
    ResultAnswer,
)
from backoffice.domain.wire.envelope import Envelope
from backoffice.domain.wire.members import read_movement, read_order
from backoffice.inbox.models import Batch
from backoffice.inbox.packing import unpack
from backoffice.inbox.processed import Processed
from backoffice.ingestion.batch.group_commit import release_connection
from backoffice.postgres.arrays import uuid_array
from backoffice.postgres.rows import named_rows
from backoffice.short_turns import at_rest

Result = TypeVar("Result", ResultAnswer, MovementResultAnswer)

# Asked with every upload, so it is spelled out: building it with the ORM costs more than running it.
SELECT_RECEIPT = """
SELECT shift_id, state, received_at, processed_at, order_count,
    outcomes::text, results::text, movement_outcomes::text, movement_results::text
FROM inbox_batch WHERE batch_id = %s AND terminal_id = %s
"""

# What head office decided of this batch's own members, and of those that were sent again in it. Of what it decided of an
# item in several places, nobody can tell which is meant.
SELECT_DECIDED = """
SELECT batch_id = %(batch_id)s AS is_own, batch_id, what, position, item_id, verb, decided_at, order_id FROM sales_decidedmember
WHERE batch_id = %(batch_id)s OR item_id = ANY(%(repeated)s::uuid[]) ORDER BY decided_at, decision_id
"""

POLL_EVERY_S = 0.05
# Requests that wait hold a thread each; beyond so many the answer comes at once ("best effort").
waiters = BoundedSemaphore(8)


class NoSuchBatch(Exception):
    """This terminal never sent such a batch."""


def find_receipt(*, batch_id: UUID, terminal_id: int, every_result: bool = False) -> Receipt:
    """The receipt as it stands now. `every_result` lists each order in the order sent, not only the notable ones.

    Raises NoSuchBatch, also for a batch of another terminal.
    """
    with connection.cursor() as cursor:
        cursor.execute(SELECT_RECEIPT, [batch_id, terminal_id])
        rows = named_rows(cursor)
    if not rows:
        raise NoSuchBatch
    (row,) = rows
    processed = None
    if row["state"] == BatchState.PROCESSED.value:
        stored = {name: msgspec.json.decode(row[name]) for name in Processed._fields[1:]}
        processed = Processed(row["processed_at"], **stored)
    receipt = compose_receipt(
        batch_id=batch_id,
        shift_id=row["shift_id"],
        state=BatchState(row["state"]),
        received_at=row["received_at"],
        order_count=row["order_count"],
        processed=processed,
    )
    if every_result and processed:
        packed = Batch.objects.values_list("body", flat=True).get(batch_id=batch_id)
        list_every_result(receipt, unpack(packed))
    tell_decisions(receipt)
    return receipt


def wait_for_receipt(*, batch_id: UUID, terminal_id: int, wait_s: int) -> Receipt:
    """The receipt as it stands now or, where the terminal prefers to wait, once the batch is processed."""
    receipt = find_receipt(batch_id=batch_id, terminal_id=terminal_id)
    if not wait_s or receipt.state != BatchState.RECEIVED.value or not waiters.acquire(blocking=False):
        return receipt
    try:
        deadline = time.monotonic() + wait_s
        while receipt.state == BatchState.RECEIVED.value and time.monotonic() < deadline:
            release_connection()
            with at_rest():
                time.sleep(POLL_EVERY_S)
            receipt = find_receipt(batch_id=batch_id, terminal_id=terminal_id)
    finally:
        waiters.release()
    return receipt


def compose_receipt(
    *,
    batch_id: UUID,
    shift_id: UUID,
    state: BatchState,
    received_at: datetime,
    order_count: int,
    processed: Processed | None,
) -> Receipt:
    """The receipt of these facts; `processed` is None until the batch is."""
    return Receipt(
        batch_id=batch_id,
        shift_id=shift_id,
        state=state.value,
        received_at=received_at,
        processed_at=processed.processed_at if processed else None,
        orders=order_count,
        outcomes=_outcomes(processed.outcomes if processed else {}),
        results=_results(processed.results if processed else [], ResultAnswer),
        movements=MovementsAnswer(
            outcomes=_outcomes(processed.movement_outcomes if processed else {}),
            results=_results(processed.movement_results if processed else [], MovementResultAnswer),
        ),
    )


def _outcomes(counted: Mapping[str, int]) -> OutcomesAnswer:
    return OutcomesAnswer(**{outcome: counted.get(outcome, 0) for outcome in OutcomesAnswer.__struct_fields__})


def _results(stored: Sequence[Mapping[str, Any]], kind: type[Result]) -> list[Result]:
    """Without what head office decided since: that is for `tell_decisions`."""
    return [msgspec.convert({**result, "decision": None}, kind) for result in stored]


def list_every_result(receipt: Receipt, envelope: Envelope) -> None:
    """Adds the results of what was plainly posted, which are not stored, from the batch itself, once it is processed."""
    if receipt.state != BatchState.PROCESSED.value:
        return
    orders = {result.index: result for result in receipt.results}
    receipt.results = [orders.get(index) or _plain_order(index, raw) for index, raw in enumerate(envelope.orders)]
    movements = {result.index: result for result in receipt.movements.results}
    receipt.movements.results = [
        movements.get(index) or _plain_movement(index, raw) for index, raw in enumerate(envelope.movements)
    ]


def tell_decisions(receipt: Receipt) -> None:
    """Adds to the results that are listed what head office has decided of them since. The last decision counts."""
    orders, movements = receipt.results, receipt.movements.results
    if not orders and not movements:
        return
    repeated = [result.order_id for result in orders if result.outcome == "duplicate" and result.order_id]
    repeated += [result.movement_id for result in movements if result.outcome == "duplicate" and result.movement_id]
    asked: dict[str, Any] = {"batch_id": receipt.batch_id, "repeated": uuid_array(repeated)}
    with connection.cursor() as cursor:
        cursor.execute(SELECT_DECIDED, asked)
        rows = named_rows(cursor)
    if not rows:
        return
    own = {(row["what"], row["position"]): _decision(row) for row in rows if row["is_own"]}
    elsewhere = _decided_elsewhere(rows)
    for order in orders:
        again = elsewhere.get(order.order_id) if order.outcome == "duplicate" else None
        order.decision = own.get(("order", order.index), again)
    for movement in movements:
        again = elsewhere.get(movement.movement_id) if movement.outcome == "duplicate" else None
        movement.decision = own.get(("movement", movement.index), again)


def _decided_elsewhere(rows: Sequence[Mapping[str, Any]]) -> dict[UUID | None, dict[str, Any]]:
    """By identifier, where all that was decided under it was decided of one member."""
    places: dict[UUID, set[Any]] = {}
    for row in rows:
        places.setdefault(row["item_id"], set()).add((row["batch_id"], row["what"], row["position"]))
    return {row["item_id"]: _decision(row) for row in rows if len(places[row["item_id"]]) == 1}


def _decision(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"verb": row["verb"], "decided_at": row["decided_at"], "order_id": row["order_id"]}


def _plain_order(index: int, raw: bytes) -> ResultAnswer:
    order = read_order(raw, max_bytes=len(raw))  # it was posted, however large: it came when there was no limit
    order_id = order.order_id if isinstance(order, Order) else order.item_id
    return ResultAnswer(
        index=index, order_id=order_id, number=order.number, outcome="posted", reasons=[], decision=None
    )


def _plain_movement(index: int, raw: bytes) -> MovementResultAnswer:
    movement = read_movement(raw, max_bytes=len(raw))
    movement_id = movement.movement_id if isinstance(movement, CashMovement) else movement.item_id
    return MovementResultAnswer(index=index, movement_id=movement_id, outcome="posted", reasons=[], decision=None)
