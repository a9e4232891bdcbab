"""Compares a shift's declaration with everything the terminal sent in that shift (protocol §6), at the end of a run."""

from itertools import pairwise

from backoffice.domain.orders import Order
from backoffice.domain.totals import compute_totals, reconcile
from backoffice.domain.wire.messages import CloseShift
from backoffice.workbench.conformance.books import Books, StoredShift
from backoffice.workbench.conformance.history import History
from backoffice.workbench.conformance.notes import Notebook
from backoffice.workbench.conformance.words import few, few_ranges


def check_closed(notes: Notebook, shift: StoredShift, close: CloseShift, *, history: History) -> None:
    """Compares what a shift declared with its orders as they were sent, wherever they ended up."""
    orders = history.of_shift(shift.shift_id)
    unreadable = history.unreadable.get(shift.shift_id, set())
    _check_numbers(notes, shift, close, orders, unreadable=unreadable)
    if not unreadable:  # an unreadable order cannot be added up
        _check_counts(notes, shift, close, orders)
        _check_sums(notes, close, orders)
    late = [order.number for order in orders if order.closed_at > close.closed_at]
    if late:
        notes.broke("hours", f"shift {shift.opening.number} was closed before number {few(late)} was sold")
    taken = history.taken_before_close.get(shift.shift_id, set())
    left_out, never_came = taken - set(close.batches), set(close.batches) - set(history.batches)
    what = f"shift {shift.opening.number} leaves out {few(left_out)}" if left_out else f"{few(never_came)} never came"
    notes.note("close-batches", right=not left_out and not never_came, what=what)


def _check_counts(notes: Notebook, shift: StoredShift, close: CloseShift, orders: list[Order]) -> None:
    name = f"shift {shift.opening.number}"
    first = shift.opening.first_number
    # What is carried over from an earlier shift keeps its number, which is below the shift's own.
    last = max((order.number for order in orders if order.number >= first), default=first - 1)
    right = {"order_count": len(orders), "first_number": first, "last_number": last}
    wrong = [
        f"{field} {getattr(close, field)}, but its orders make it {number}"
        for field, number in right.items()
        if getattr(close, field) != number
        # A number that is still open may be the last that was given.
        and not (field == "last_number" and close.last_number in close.carried_over)
    ]
    notes.note("close-numbers", right=not wrong, what=f"{name} declares {'; '.join(wrong)}")


def _check_numbers(
    notes: Notebook, shift: StoredShift, close: CloseShift, orders: list[Order], *, unreadable: set[int]
) -> None:
    name = f"shift {shift.opening.number}"
    numbers = {order.number for order in orders} | unreadable | set(close.carried_over)
    gaps = sorted(set(range(shift.opening.first_number, max(numbers, default=0) + 1)) - numbers)
    # A table may have its number from when it was opened, or from when it was paid.
    backwards = [b.number for a, b in pairwise(orders) if b.closed_at < min(a.opened_at, a.closed_at)]
    what = (
        f"{name} leaves out {few(gaps)}"
        if gaps
        else f"{name}: number {few(backwards)} was sold before the one below it"
    )
    notes.note("numbers-ascend", right=not gaps and not backwards, what=what)


def _check_sums(notes: Notebook, close: CloseShift, orders: list[Order]) -> None:
    # `order_count` belongs to `close-numbers`, and is not reported twice.
    found = reconcile(declared=close.declared_totals(), computed=compute_totals(orders))
    for rule, is_payment in (("close-totals", False), ("close-payments", True)):
        wrong = [d for d in found if d.what != "order_count" and d.what.startswith("payments.") == is_payment]
        what = ", ".join(f"{d.what} declared {d.declared}, sent {d.computed}" for d in wrong)
        notes.note(rule, right=not wrong, what=what)
    totals = close.totals
    paid, due = sum(totals.payments.values()), totals.sales + totals.refunds + totals.tips
    if paid != due:
        notes.broke("close-payments", f"the payments come to {paid}, sales, refunds and tips to {due}")


def check_arrived(notes: Notebook, *, history: History, books: Books) -> None:
    """Checks that everything that was sent, declared or asked for has arrived in the end."""
    for seen in history.orders.values():
        if seen.came_as is not None:
            continue
        number, order_id = seen.order.number, seen.order.order_id
        what = f"order {order_id} (number {number}) was sent once and never arrived"
        notes.note("orders-arrive", right=order_id in books.orders, what=what)
    for shift in books.shifts.values():
        if shift.close is not None:
            unreadable = history.unreadable.get(shift.shift_id, set())
            gaps = [gap for gap in books.missing_numbers(shift) if not set(range(gap[0], gap[1] + 1)) <= unreadable]
            what = f"shift {shift.opening.number} declares numbers {few_ranges(gaps)}, which never arrived"
            notes.note("orders-arrive", right=not gaps, what=what)
    _check_batches(notes, history=history, books=books)
    unreadable = set().union(*history.unreadable.values())
    for number in history.asked.keys() - unreadable:
        rule = history.asked[number]
        notes.broke(rule, f"number {number} was asked for and did not arrive")


def _check_batches(notes: Notebook, *, history: History, books: Books) -> None:
    """Checks that cash movements have arrived, and that no batch was left without an end."""
    for moved in history.movements.values():
        if moved.came_as is None:
            movement_id = moved.movement.movement_id
            what = f"cash movement {movement_id} was sent once and never arrived"
            notes.note("movements-arrive", right=movement_id in books.movements, what=what)
    for batch in history.batches.values():
        if batch.awaits_reading:
            notes.broke("receipt-read", f"batch {batch.batch_id} was answered 202, and nobody asked what became of it")
        if batch.expected == "batch-retried":
            notes.broke("batch-retried", f"batch {batch.batch_id} had no answer and was never sent again")
