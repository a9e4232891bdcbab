"""What was corrected of a posted order: amounts moved between its payment methods, or all of it taken back."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from backoffice.audit.decided import Decided
from backoffice.audit.values import Order, Payment


class Corrected(NamedTuple):
    """An order as it stands now, what each correction of its payments moved, by method, and whether it was voided."""

    order: Order
    moved: Sequence[Mapping[str, int]]
    is_voided: bool


def corrected(order: Order, decisions: Sequence[Decided]) -> Corrected:
    """What the decisions made of an order, in the order in which they took effect."""
    paid = _sums(order)
    payments = list(order.payments)
    moves = []
    for decision in decisions:
        if decision.verb != "retender":
            continue
        wanted = _wanted(decision.arguments.get("payments"))
        moved = {method: wanted.get(method, 0) - paid.get(method, 0) for method in sorted({*wanted, *paid})}
        moved = {method: amount for method, amount in moved.items() if amount}
        payments += [Payment(method, amount, None, None, "") for method, amount in moved.items()]
        moves.append(moved)
        paid = wanted
    is_voided = any(decision.verb == "void" for decision in decisions)
    status = "voided" if is_voided else order.status
    return Corrected(order._replace(payments=tuple(payments), status=status), moves, is_voided)


def _sums(order: Order) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for payment in order.payments:
        sums[payment.method] += payment.amount
    return sums


def _wanted(said: Any) -> dict[str, int]:
    """Amounts by method, of either spelling; what is no amount is passed over, and then shows in the payments."""
    pairs = (
        said.items() if isinstance(said, dict) else [(paid.get("method"), paid.get("amount")) for paid in said or ()]
    )
    sums: dict[str, int] = defaultdict(int)
    for method, amount in pairs:
        if isinstance(method, str) and isinstance(amount, int):
            sums[method] += amount
    return sums
