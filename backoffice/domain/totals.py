"""A shift's totals, its expected cash, and what differs from what was declared (protocol §6)."""

from collections.abc import Iterable, Mapping

import msgspec

from backoffice.domain.orders import CashMovement, Order


class ShiftTotals(msgspec.Struct, kw_only=True):
    """Computed totals in minor units, signed. `order_count` counts voided and training too; the rest are paid ones."""

    order_count: int = 0
    sales: int = 0
    refunds: int = 0
    tax: int = 0
    tips: int = 0
    rounding: int = 0
    payments: dict[str, int] = {}


class Difference(msgspec.Struct, frozen=True):
    """One figure that differs: `what` names it ("payments.cash"), `difference` is declared − computed."""

    what: str
    declared: int
    computed: int
    difference: int


def compute_totals(orders: Iterable[Order]) -> ShiftTotals:
    """Totals of the distinct posted orders of a shift."""
    raise NotImplementedError


def expected_cash(
    *, opening_float: int, cash_payments: int, cash_in: int, cash_out: int
) -> int:
    """Opening float + cash payments + cash in − cash out, in minor units."""
    raise NotImplementedError


def reconcile(*, declared: ShiftTotals, computed: ShiftTotals) -> list[Difference]:
    """The figures that differ, in a fixed order; an absent method is 0."""
    raise NotImplementedError
