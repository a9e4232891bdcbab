"""A shift's totals, its expected cash, and where they differ from what was declared (protocol §6)."""

from collections.abc import Iterable, Mapping

import msgspec

from backoffice.domain.impacts import Concern, ShiftStep, blocks
from backoffice.domain.orders import Order
from backoffice.domain.states import ShiftState


class ShiftTotals(msgspec.Struct, kw_only=True, frozen=True):
    """Figures of a shift in minor units, signed: `sales` and `refunds` with tax and rounding, without tips.

    `order_count` counts distinct orders, voided and training included; everything else is of paid orders only.
    """

    order_count: int = 0
    sales: int = 0
    refunds: int = 0
    tax: int = 0
    tips: int = 0
    rounding: int = 0
    payments: Mapping[str, int] = {}


class Difference(msgspec.Struct, frozen=True):
    """One figure that differs: `what` names it ("payments.cash"), `difference` is declared less computed.

    Both are None where nothing was declared: the drawer has not been counted.
    """

    what: str
    declared: int | None
    computed: int
    difference: int | None


def compute_totals(orders: Iterable[Order]) -> ShiftTotals:
    """The totals of a shift's posted orders, each given once."""
    count = sales = refunds = tax = tips = rounding = 0
    payments: dict[str, int] = {}
    for order in orders:
        count += 1
        if order.status != "paid":
            continue
        if order.kind == "sale":
            sales += order.total
        else:
            refunds += order.total
        tax += sum(tax.amount for line in order.lines for tax in line.taxes)
        tips += order.tip
        rounding += order.rounding
        for payment in order.payments:
            payments[payment.method] = payments.get(payment.method, 0) + payment.amount
    return ShiftTotals(
        order_count=count, sales=sales, refunds=refunds, tax=tax, tips=tips, rounding=rounding, payments=payments
    )


def expected_cash(*, opening_float: int, cash_payments: int, cash_in: int, cash_out: int) -> int:
    """What the drawer should hold, in minor units; `cash_in` and `cash_out` are sums of positive amounts."""
    return opening_float + cash_payments + cash_in - cash_out


def reconcile(*, declared: ShiftTotals, computed: ShiftTotals) -> list[Difference]:
    """The figures that differ, in the order of the protocol, methods by name; an absent method is 0.

    Counted cash is not among them: see `cash_differences`.
    """
    names = ("order_count", "sales", "refunds", "tax", "tips", "rounding")
    pairs = [(name, getattr(declared, name), getattr(computed, name)) for name in names]
    pairs += [
        (f"payments.{method}", declared.payments.get(method, 0), computed.payments.get(method, 0))
        for method in sorted({*declared.payments, *computed.payments})
    ]
    return [Difference(what, said, counted, said - counted) for what, said, counted in pairs if said != counted]


def cash_differences(*, counted: int | None, expected: int, max_over_short: int | None) -> list[Difference]:
    """What differs about the drawer of a closed shift, in minor units: its count is missing, or further off than it may be.

    Over and short alone is no difference, unless the store says how much of it is one (protocol §6).
    """
    if counted is None:
        return [Difference("cash.count", None, expected, None)]
    over_short = counted - expected
    if max_over_short is not None and abs(over_short) > max_over_short:
        return [Difference("cash.over_short", counted, expected, over_short)]
    return []


def settled_state(*, waiting_batches: int, missing_numbers: int, held: int, differences: int) -> ShiftState:
    """What a closed shift is, from counts of what it still waits for and of what is wrong with it (protocol §6).

    It stays `closing` while a declared batch or number has not arrived and been processed.
    """
    found = {Concern.GAP: waiting_batches or missing_numbers, Concern.HELD: held, Concern.DIFFERENCE: differences}
    concerns = [concern for concern, count in found.items() if count]
    if blocks(concerns, ShiftStep.SETTLED):
        return ShiftState.CLOSING
    return ShiftState.DISCREPANT if blocks(concerns, ShiftStep.RECONCILED) else ShiftState.RECONCILED
