"""What the tills wrote down themselves, summed per store: the books must agree to the minor unit."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from backoffice_terminal import Journal, Order


@dataclass
class Sums:
    """Signed sums of paid orders in minor units; `payments` leaves out methods whose sum is zero."""

    orders: int = 0
    sales: int = 0
    refunds: int = 0
    tax: int = 0
    tips: int = 0
    payments: dict[str, int] = field(default_factory=dict)

    def add(self, order: Order) -> None:
        """Adds one order if it is paid."""
        if order.status != "paid":
            return
        self.orders += 1
        self.tax += order.tax
        self.tips += order.tip
        if order.kind == "sale":
            self.sales += order.total
        else:
            self.refunds += order.total
        for payment in order.payments:
            self.payments[payment.method] = self.payments.get(payment.method, 0) + payment.amount


def written_down(
    journals: Iterable[Path], *, except_for: Collection[str] = (), corrected: Mapping[str, Order] = MappingProxyType({})
) -> Sums:
    """The sums over every order in some tills' journal files, each order once.

    `except_for` names the orders that were broken on purpose and must not be in the books; `corrected` has those that
    head office has put right.
    """
    found: dict[str, Order] = {}
    for path in journals:
        journal = Journal(path)
        found.update({saved.order_id: saved.order for saved in journal.all_orders()})
        journal.close()
    sums = Sums()
    for order_id, order in found.items():
        if order_id not in except_for:
            sums.add(corrected.get(order_id, order))
    sums.payments = _without_zeros(sums.payments)
    return sums


def in_the_books(store: dict[str, Any]) -> Sums:
    """The same sums from a store's part of `verify_books --json`."""
    names = ("orders", "sales", "refunds", "tax", "tips")
    return Sums(**{name: store[name] for name in names}, payments=_without_zeros(store["payments"]))


def differences(expected: Sums, found: Sums) -> list[str]:
    """Each figure that differs, in words; empty where books and tills agree."""
    pairs = {name: (getattr(expected, name), getattr(found, name)) for name in vars(expected) if name != "payments"}
    for method in sorted({*expected.payments, *found.payments}):
        pairs[f"payments.{method}"] = (expected.payments.get(method, 0), found.payments.get(method, 0))
    return [f"{name}: tills {ours}, books {theirs}" for name, (ours, theirs) in pairs.items() if ours != theirs]


def _without_zeros(payments: dict[str, int]) -> dict[str, int]:
    return {method: amount for method, amount in payments.items() if amount}
