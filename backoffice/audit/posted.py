"""A posted order or movement compared with its bytes: the row, its entry, and what it adds to the figures."""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple, TypedDict

from backoffice.audit.batches import SentBatch
from backoffice.audit.corrections import Corrected
from backoffice.audit.drawers import ShiftBooks, TillBooks
from backoffice.audit.entries import Entry, Source, derived
from backoffice.audit.findings import Findings
from backoffice.audit.fleet import AuditedStore
from backoffice.audit.ledger import Ledger
from backoffice.audit.rows import FoundMovement, FoundOrder, MovementPlace, OrderPlace
from backoffice.audit.rules import Sides, debit, drawer_effect, movement_sides, order_sides, why_unpostable
from backoffice.audit.values import Movement, Order, as_stored, movement_as_stored, unequal


class _Rules(TypedDict):
    inclusive: bool
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


class Posted(NamedTuple):
    """An order as it was posted, what was corrected since, and the entries among which its own are."""

    order: Order
    corrected: Corrected
    entries: Mapping[Source, Entry]
    context: MemberContext

    def entry(self, kind: str, number: int = 0) -> Entry | None:
        """The entry of this kind that the order has; None if there is none."""
        return self.entries.get((kind, self.order.order_id, number))


def check_order(
    posted: Posted, found: FoundOrder | None, *, books: TillBooks, ledger: Ledger, findings: Findings
) -> None:
    """Checks an order that was posted. If it could not have been, that is a difference, and it adds to no figure."""
    order, context = posted.order, posted.context
    store, shift = context.store, context.shift.row
    rules: _Rules = {"inclusive": shift.inclusive, "of_before": context.of_before}
    entry = posted.entry("order")
    methods = _methods_then(posted, entry, rules)
    reason = why_unpostable(order, methods=methods, **rules)
    if reason:
        findings.add(store.code, context.where, "cannot be posted", expected=f"held: {reason}", found="not held")
        return
    stands = posted.corrected.order
    _check_row(FoundOrder(_place_of(order, context), as_stored(stands)), found, context, findings)
    sides = order_sides(order, methods=methods, **rules)
    head = context.shift.head("order", order.order_id, found=entry)
    ledger.check(derived(head, sides), entry, store=store.code, where=context.where)
    context.shift.figures.add(stands)
    context.shift.remarkable.add(stands, is_voided_later=posted.corrected.is_voided, inclusive=shift.inclusive)
    if order.status == "paid":
        cash = sum(payment.amount for payment in order.payments if payment.method == "cash")
        books.moved(context.shift, entry, cash=cash, drawer=drawer_effect(sides))
        _check_corrections(posted, sides, methods, books=books, ledger=ledger)


def _methods_then(posted: Posted, entry: Entry | None, rules: _Rules) -> Mapping[str, str]:
    """The accounts of payment methods when the order was posted."""
    order, context = posted.order, posted.context

    def derive(methods: Mapping[str, str]) -> Sides | None:
        is_postable = not why_unpostable(order, methods=methods, **rules)
        return order_sides(order, methods=methods, **rules) if is_postable else None

    return context.store.methods.when(entry, derive, received_at=context.batch.received_at)


def _check_corrections(
    posted: Posted, sides: Sides, methods: Mapping[str, str], *, books: TillBooks, ledger: Ledger
) -> None:
    """Each correction of its payments has an entry, and a void one that takes back all before it.

    An amount moves from the account in which it stands; what a method gets that did not pay goes to that of the moment.
    """
    paid: dict[str, int] = defaultdict(int)
    for payment in posted.order.payments:
        paid[payment.method] += payment.amount
    everything, cash_in_all = dict(sides), paid["cash"]
    for number, moved in enumerate(posted.corrected.moved, start=1):
        standing = {method: methods.get(method, "") for method, amount in paid.items() if amount}
        step, methods = _move(posted, number, moved, standing)
        for method, amount in moved.items():
            paid[method] += amount
        for key, (debits, credits_) in step.items():
            before = everything.get(key, (0, 0))
            everything[key] = (before[0] + debits, before[1] + credits_)
        _check_step(posted, "retender", number, step, moved.get("cash", 0), books=books, ledger=ledger)
        cash_in_all += moved.get("cash", 0)
    if posted.corrected.is_voided:
        back = {key: (credits_, debits) for key, (debits, credits_) in everything.items()}
        _check_step(posted, "void", 0, back, -cash_in_all, books=books, ledger=ledger)


def _move(
    posted: Posted, number: int, moved: Mapping[str, int], standing: Mapping[str, str]
) -> tuple[Sides, Mapping[str, str]]:
    """What a correction moves, and the accounts of methods by which it does."""

    def derive(methods: Mapping[str, str]) -> Sides:
        sides: Sides = {}
        for method, amount in moved.items():
            debit(sides, {**methods, **standing}.get(method, ""), amount)
        return sides

    entry, context = posted.entry("retender", number), posted.context
    then = context.store.methods.when(entry, derive, received_at=context.batch.received_at)
    return derive(then), {**then, **standing}


def _check_step(
    posted: Posted, kind: str, number: int, sides: Sides, cash: int, *, books: TillBooks, ledger: Ledger
) -> None:
    context, order_id = posted.context, posted.order.order_id
    entry = posted.entry(kind, number)
    expected = derived(context.shift.head(kind, order_id, number, found=entry), sides)
    ledger.check(expected, entry, store=context.store.code, where=f"{kind} {number} of {context.where}")
    at = 0 if entry is None else entry.id
    context.shift.cash.add(at, cash)
    books.drawer.add(at, drawer_effect(sides))


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

    def derive(reasons: Mapping[str, str]) -> Sides:
        return movement_sides(movement, reasons=reasons)

    sides = derive(context.store.reasons.when(entry, derive, received_at=context.batch.received_at))
    head = context.shift.head("movement", movement.movement_id, found=entry)
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
