"""The ledger's rules a second time ("Posting an order", "Cash"): from what an order says to the lines of its entry.

Entries are compared by what they post to each account: `Sides` maps (account, tax code) to debits and credits in minor
units. How many lines that takes does not matter.
"""

from collections.abc import Mapping
from decimal import Decimal

from backoffice.audit.values import Line, Movement, Order

DRAWER, SAFE, SUSPENSE, TAX, TIPS = "1000", "1010", "1990", "2100", "2300"
SALES, DISCOUNTS, RETURNS, ROUNDING, OVER_SHORT = "4000", "4100", "4200", "4900", "6900"

# Every line kind except `item`, which is split between sales, discounts and returns.
KIND_ACCOUNTS = {
    "gift_card": "2200",
    "deposit": "2400",
    "container_deposit": "2410",
    "account_payment": "1300",
    "service_charge": "4010",
    "donation": "2420",
}

Sides = dict[tuple[str, str], tuple[int, int]]


def why_unpostable(order: Order, *, inclusive: bool, methods: Mapping[str, str]) -> str:
    """Why a readable order cannot be posted (protocol §5, "Arithmetic" and "Outcomes"); "" if it can.

    Voided and training orders post nothing, so none of this applies to them.
    """
    if order.status != "paid":
        return ""
    total = sum(line.amount for line in order.lines) + order.rounding + (0 if inclusive else order.tax)
    if total != order.total:
        return f"its total is {order.total} and its lines come to {total}"
    paid = sum(payment.amount for payment in order.payments)
    if paid != order.total + order.tip:
        return f"its payments come to {paid}, total and tip to {order.total + order.tip}"
    for line in order.lines:
        if line.kind != "item" and line.kind not in KIND_ACCOUNTS:
            return f"no rule posts lines of kind {line.kind}"
    for payment in order.payments:
        if payment.method not in methods:
            return f"no account is mapped to {payment.method}"
    return ""


def order_sides(order: Order, *, inclusive: bool, methods: Mapping[str, str]) -> Sides:
    """What a postable order posts to the accounts; {} if nothing."""
    sides: Sides = {}
    if order.status != "paid":
        return sides
    for payment in order.payments:
        debit(sides, methods[payment.method], payment.amount)
    for line in order.lines:
        for tax in line.taxes:
            debit(sides, TAX, -tax.amount, tax.code)
        _line(sides, line, inclusive=inclusive)
    debit(sides, TIPS, -order.tip)
    debit(sides, ROUNDING, -order.rounding)
    return sides


def _line(sides: Sides, line: Line, *, inclusive: bool) -> None:
    included = sum(tax.amount for tax in line.taxes) if inclusive else 0
    net = line.amount - included
    if line.kind != "item":
        debit(sides, KIND_ACCOUNTS[line.kind], -net)
    elif line.amount > 0 or (line.amount == 0 and line.quantity >= Decimal(0)):
        off = line.discount
        if inclusive and line.amount != 0:
            off = half_away(line.discount * net, line.amount)
        debit(sides, SALES, -(net + off))
        debit(sides, DISCOUNTS, off)
    else:
        debit(sides, RETURNS, -net)


def movement_sides(movement: Movement, *, reasons: Mapping[str, str]) -> Sides:
    """What a cash movement posts to the accounts: the drawer, and the account of its reason."""
    inwards = movement.amount if movement.kind == "cash_in" else -movement.amount
    return transfer(inwards, DRAWER, reasons.get(movement.reason, SUSPENSE))


def transfer(amount: int, to: str, origin: str) -> Sides:
    """`amount` debited to one account and credited to another, or the other way round if it is negative."""
    sides: Sides = {}
    debit(sides, to, amount)
    debit(sides, origin, -amount)
    return sides


def debit(sides: Sides, account: str, amount: int, tax_code: str = "") -> None:
    """Adds to the debits of an account, or to its credits if the amount is negative; zero adds no line."""
    if amount == 0:
        return
    debits, credits_ = sides.get((account, tax_code), (0, 0))
    sides[account, tax_code] = (debits + amount, credits_) if amount > 0 else (debits, credits_ - amount)


def drawer_effect(sides: Sides) -> int:
    """By how much the drawer's account changes."""
    debits, credits_ = sides.get((DRAWER, ""), (0, 0))
    return debits - credits_


def half_away(numerator: int, denominator: int) -> int:
    """The quotient rounded to the nearest integer, halves away from zero; `denominator` must be positive."""
    quotient, rest = divmod(abs(numerator), denominator)
    quotient += 2 * rest >= denominator
    return quotient if numerator >= 0 else -quotient
