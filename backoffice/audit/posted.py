"""A posted order or movement, held against its bytes: the row, its entry, and what it adds to the figures."""

from typing import NamedTuple

from backoffice.audit.batches import Batch
from backoffice.audit.drawers import ShiftBooks, TillBooks
from backoffice.audit.entries import Entry, derived
from backoffice.audit.findings import Findings
from backoffice.audit.fleet import Store
from backoffice.audit.ledger import Ledger
from backoffice.audit.rows import FoundMovement, FoundOrder, MovementPlace, OrderPlace
from backoffice.audit.rules import drawer_effect, movement_sides, order_sides, why_not
from backoffice.audit.values import Movement, Order, unequal


class Place(NamedTuple):
    """Where a member belongs; `where` in words."""

    store: Store
    terminal_id: int
    batch: Batch
    position: int
    shift: ShiftBooks
    where: str


def check_order(
    order: Order,
    found: FoundOrder | None,
    entry: Entry | None,
    place: Place,
    *,
    books: TillBooks,
    ledger: Ledger,
    findings: Findings,
) -> None:
    """An order that the tables say was posted. One that could not be is a difference, and adds to no figure."""
    store, shift = place.store, place.shift.row
    reason = why_not(order, inclusive=shift.inclusive, methods=store.methods)
    if reason:
        findings.add(store.code, place.where, "cannot be posted", expected=f"held: {reason}", found="not held")
        return
    expected = FoundOrder(
        OrderPlace(
            shift.business_date,
            shift.store_id,
            place.terminal_id,
            shift.shift_id,
            place.batch.batch_id,
            place.position,
            shift.currency,
            place.batch.received_at,
            order.tax,
        ),
        order,
    )
    _check_row(expected, found, place, findings)
    sides = order_sides(order, inclusive=shift.inclusive, methods=store.methods)
    ledger.check(derived(place.shift.head("order", order.order_id), sides), entry, store=store.code, where=place.where)
    place.shift.figures.add(order)
    if order.status == "paid":
        cash = sum(payment.amount for payment in order.payments if payment.method == "cash")
        books.moved(place.shift, entry, cash=cash, drawer=drawer_effect(sides))


def check_movement(
    movement: Movement,
    found: FoundMovement | None,
    entry: Entry | None,
    place: Place,
    *,
    books: TillBooks,
    ledger: Ledger,
    findings: Findings,
) -> None:
    """A cash movement that the tables say was posted."""
    shift = place.shift.row
    at = MovementPlace(shift.store_id, place.terminal_id, shift.shift_id, place.batch.batch_id, place.position)
    _check_row(FoundMovement(at, movement), found, place, findings)
    sides = movement_sides(movement, reasons=place.store.reasons)
    head = place.shift.head("movement", movement.movement_id)
    ledger.check(derived(head, sides), entry, store=place.store.code, where=place.where)
    cash = movement.amount if movement.kind == "cash_in" else -movement.amount
    books.moved(place.shift, entry, cash=cash, drawer=drawer_effect(sides))


def _check_row(
    expected: FoundOrder | FoundMovement, found: FoundOrder | FoundMovement | None, place: Place, findings: Findings
) -> None:
    if found is None:
        findings.add(place.store.code, place.where, "row of what is posted", expected="as in the bytes", found=None)
        return
    if expected == found:
        return
    for one, other in zip(expected, found, strict=True):
        for difference in unequal(one, other):
            findings.add(
                place.store.code, place.where, difference.what, expected=difference.expected, found=difference.found
            )
