"""Looking an order up, with what was given back of it (protocol §8)."""

from typing import Any
from uuid import UUID

import msgspec

from backoffice.domain.returns import returns_of
from backoffice.domain.scalars import is_canonical_uuid, write_scalar
from backoffice.workbench.conformance.feed import TERMINAL_NAME
from backoffice.workbench.conformance.floor import Floor
from backoffice.workbench.conformance.traffic import Answer, Request, problem_answer


def look_up(floor: Floor, request: Request, order_id: str | None) -> Answer:
    """`GET /store/orders/{order_id}`, or `/store/orders/by-number` where `order_id` is None."""
    wanted = order_id if order_id is not None else _by_number(floor, request)
    stored = floor.books.orders.get(UUID(wanted)) if wanted is not None and is_canonical_uuid(wanted) else None
    if stored is None or stored.order is None or stored.outcome != "posted" or stored.order.status != "paid":
        return problem_answer("not-found")
    return Answer(
        200,
        {
            "order": msgspec.to_builtins(stored.order, enc_hook=write_scalar),
            "state": "posted",
            "terminal_id": floor.terminal_id,
            "terminal_name": TERMINAL_NAME,
            "shift_id": str(stored.shift_id),
            "posted_at": floor.books.batches[stored.batch_id].received_at.isoformat(),
            "given_back": _given_back(floor, stored.order.order_id),
        },
    )


def _by_number(floor: Floor, request: Request) -> str | None:
    number = request.query.get("number", "")
    if request.query.get("terminal_id") != floor.terminal_id or not number.isdecimal():
        return None
    order_id = floor.books.numbers.get(int(number))
    return None if order_id is None else str(order_id)


def _given_back(floor: Floor, original: UUID) -> dict[str, Any]:
    by = [
        {
            "order_id": str(stored.order.order_id),
            "terminal_id": floor.terminal_id,
            "number": stored.order.number,
            "closed_at": stored.order.closed_at.isoformat(),
            "amount": returned.amount,
        }
        for stored in floor.books.orders.values()
        if stored.order is not None and stored.outcome == "posted"
        for returned in returns_of(stored.order, prices_include_tax=True)
        if returned.original == original
    ]
    return {"amount": sum(one["amount"] for one in by), "by": by}
