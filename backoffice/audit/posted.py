"""A posted order or movement compared with its bytes: the row, its entry, and what it adds to the figures."""

import json
from collections.abc import Mapping
from typing import NamedTuple, TypedDict

from backoffice.audit.batches import SentBatch
from backoffice.audit.drawers import ShiftBooks, TillBooks
from backoffice.audit.entries import Entry, derived
from backoffice.audit.findings import Findings
from backoffice.audit.fleet import AuditedStore
from backoffice.audit.ledger import Ledger
from backoffice.audit.rows import FoundMovement, FoundOrder, MovementPlace, OrderPlace
from backoffice.audit.rules import drawer_effect, movement_sides, order_sides, why_unpostable
from backoffice.audit.values import Movement, Order, as_stored, movement_as_stored, unequal


class _Rules(TypedDict):
    inclusive: bool
    methods: Mapping[str, str]
    of_before: bool


class MemberContext(NamedTuple):
    """Where a member belongs; `where` says it in words. `of_before` if it was decided by the rules of before (ADR 27)."""

    store: AuditedStore
    terminal_id: int
    batch: SentBatch
    position: int
    shift: ShiftBooks
    where: str
    of_before: bool


def check_order(
    order: Order,
    found: FoundOrder | None,
    entry: Entry | None,
    context: MemberContext,
    *,
    books: TillBooks,
    ledger: Ledger,
    findings: Findings,
) -> None:
    """Checks an order that was posted. If it could not have been, that is a difference, and it adds to no figure."""
    store, shift = context.store, context.shift.row
    rules: _Rules = {"inclusive": shift.inclusive, "methods": store.methods, "of_before": context.of_before}
    reason = why_unpostable(order, **rules)
    if reason:
        findings.add(store.code, context.where, "cannot be posted", expected=f"held: {reason}", found="not held")
        return
    _check_row(FoundOrder(_place_of(order, context), as_stored(order)), found, context, findings)
    sides = order_sides(order, **rules)
    ledger.check(
        derived(context.shift.head("order", order.order_id), sides), entry, store=store.code, where=context.where
    )
    context.shift.figures.add(order)
    if order.status == "paid":
        cash = sum(payment.amount for payment in order.payments if payment.method == "cash")
        books.moved(context.shift, entry, cash=cash, drawer=drawer_effect(sides))


def _place_of(order: Order, context: MemberContext) -> OrderPlace:
    shift = context.shift.row
    named = sorted({line.refund_of for line in order.lines if line.refund_of is not None})
    return OrderPlace(
        shift.business_date,
        shift.store_id,
        context.terminal_id,
        shift.shift_id,
        context.batch.batch_id,
        context.position,
        shift.currency,
        context.batch.received_at,
        order.tax,
        json.dumps(named) if named else None,
    )


def check_movement(
    movement: Movement,
    found: FoundMovement | None,
    entry: Entry | None,
    context: MemberContext,
    *,
    books: TillBooks,
    ledger: Ledger,
    findings: Findings,
) -> None:
    """Checks a cash movement that was posted."""
    shift = context.shift.row
    at = MovementPlace(shift.store_id, context.terminal_id, shift.shift_id, context.batch.batch_id, context.position)
    _check_row(FoundMovement(at, movement_as_stored(movement)), found, context, findings)
    sides = movement_sides(movement, reasons=context.store.reasons)
    head = context.shift.head("movement", movement.movement_id)
    ledger.check(derived(head, sides), entry, store=context.store.code, where=context.where)
    cash = movement.amount if movement.kind == "cash_in" else -movement.amount
    books.moved(context.shift, entry, cash=cash, drawer=drawer_effect(sides))


def _check_row(
    expected: FoundOrder | FoundMovement,
    found: FoundOrder | FoundMovement | None,
    context: MemberContext,
    findings: Findings,
) -> None:
    if found is None:
        findings.add(context.store.code, context.where, "row of what is posted", expected="as in the bytes", found=None)
        return
    if expected == found:
        return
    for one, other in zip(expected, found, strict=True):
        for difference in unequal(one, other):
            findings.add(
                context.store.code, context.where, difference.what, expected=difference.expected, found=difference.found
            )
