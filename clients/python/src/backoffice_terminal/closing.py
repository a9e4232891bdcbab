"""What a shift declares when it closes (§6), worked out from the terminal's own journal."""

from collections.abc import Sequence

import msgspec

from backoffice_terminal.api import Totals
from backoffice_terminal.journal import Journal
from backoffice_terminal.money import check_cash
from backoffice_terminal.saved import SavedShift


def said_at_close(cash_counted: int | None, float_left: int | None, carried_over: Sequence[int]) -> dict[str, object]:
    """What a cashier says of a close besides the count. Raises ValueError for an amount that no drawer can hold."""
    for amount in (cash_counted, float_left):
        if amount is not None:
            check_cash(amount)
    said: dict[str, object] = {} if float_left is None else {"float_left": float_left}
    return said | ({"carried_over": list(carried_over)} if carried_over else {})


def declaration(journal: Journal, shift: SavedShift, *, with_sealed: bool = False) -> bytes:
    """The body of the close. Make it once all batches have arrived, so that it names those that Back Office has.

    `with_sealed` names also those that go with it, in a file.
    """
    states = ("accepted", "processed", "failed", *(["sealed"] if with_sealed else []))
    arrived = journal.batches(shift.shift_id, *states)
    orders = [saved.order for saved in journal.orders(shift.shift_id)]
    # A table of an earlier shift keeps its number, which is below those of this one.
    numbers = [order.number for order in orders if order.number >= shift.first_number]
    return msgspec.json.encode(
        {
            "closed_at": shift.closed_at,
            "batches": [batch.batch_id for batch in arrived],
            "order_count": len(orders),
            "first_number": shift.first_number,
            "last_number": max(numbers, default=shift.first_number - 1),
            "cash_counted": shift.counted,
            **journal.said_at_close(shift.shift_id),
            "totals": totals(journal, shift.shift_id),
        }
    )


def totals(journal: Journal, shift_id: str) -> Totals:
    """The totals of a shift, from the terminal's own paid orders."""
    orders = [saved.order for saved in journal.orders(shift_id) if saved.order.status == "paid"]
    payments: dict[str, int] = {}
    for order in orders:
        for payment in order.payments:
            payments[payment.method] = payments.get(payment.method, 0) + payment.amount
    return Totals(
        sales=sum(order.total for order in orders if order.kind == "sale"),
        refunds=sum(order.total for order in orders if order.kind == "refund"),
        tax=sum(order.tax for order in orders),
        tips=sum(order.tip for order in orders),
        rounding=sum(order.rounding for order in orders),
        payments=payments,
    )


def expected_cash(journal: Journal, shift_id: str) -> int:
    """What the drawer should hold: float, cash payments and cash movements."""
    moved = sum(
        movement.amount if movement.kind == "cash_in" else -movement.amount for movement in journal.movements(shift_id)
    )
    return journal.shift(shift_id).terms.opening_float + totals(journal, shift_id).payments.get("cash", 0) + moved
