"""The ledger's rules a second time ("Posting an order", "Cash"): from what an order says to the lines of its entry.

Entries are compared by what they post to each account: `Sides` maps (account, tax code) to debits and credits in minor
units. How many lines that takes does not matter.
"""

from collections.abc import Mapping
from decimal import Decimal

from backoffice.audit.reading import MAX_MINOR
from backoffice.audit.values import Line, Movement, Order

DRAWER, SAFE, TO_THE_BANK, BANK, SUSPENSE, TAX, TIPS = "1000", "1010", "1020", "1030", "1990", "2100", "2300"
SALES, DISCOUNTS, RETURNS, ROUNDING, OVER_SHORT = "4000", "4100", "4200", "4900", "6900"

# Every line kind except `item`, which is split between sales, discounts and returns, and `discount`.
KIND_ACCOUNTS = {
    "gift_card": "2200",
    "deposit": "2400",
    "container_deposit": "2410",
    "account_payment": "1300",
    "service_charge": "4010",
    "donation": "2420",
}

KINDS = frozenset({"item", "discount", *KIND_ACCOUNTS})
KINDS_OF_BEFORE = KINDS - {"discount"}
TAX_KINDS = frozenset({"percent", "compound", "fixed"})

Sides = dict[tuple[str, str], tuple[int, int]]


def why_unpostable(order: Order, *, inclusive: bool, methods: Mapping[str, str], of_before: bool = False) -> str:
    """Why a readable order cannot be posted (protocol §5, "Arithmetic" and "Outcomes"); "" if it can.

    Voided and training orders post nothing, so none of this applies to them. `of_before` judges by the rules which there
    were before orders adjusted others: see `as_of_before` of `values`.
    """
    if order.status != "paid":
        return ""
    return _wrong_sums(order, inclusive=inclusive) or _no_rule(order, methods=methods, of_before=of_before)


def _wrong_sums(order: Order, *, inclusive: bool) -> str:
    total = sum(line.amount for line in order.lines) + order.rounding + (0 if inclusive else order.tax)
    if total != order.total:
        return f"its total is {order.total} and its lines come to {total}"
    paid = sum(payment.amount for payment in order.payments)
    if paid != order.total + order.tip:
        return f"its payments come to {paid}, total and tip to {order.total + order.tip}"
    for line in order.lines:
        net = line.amount - sum(tax.amount for tax in line.taxes)
        if inclusive and abs(line.discount * net) > MAX_MINOR * abs(line.amount) > 0:
            return f"the discount of {line.discount}, less the taxes in it, is no amount"
    return ""


def _no_rule(order: Order, *, methods: Mapping[str, str], of_before: bool) -> str:
    if order.kind == "refund" and order.total > 0 and not of_before:
        return f"it is a refund, and its total is {order.total}"
    if order.adjusts is not None and (order.lines or order.total):
        return "it adjusts another order, and has lines or a total"
    for line in order.lines:
        if line.kind not in (KINDS_OF_BEFORE if of_before else KINDS):
            return f"no rule posts lines of kind {line.kind}"
        for tax in line.taxes:
            if tax.kind not in TAX_KINDS:
                return f"nobody knows taxes of kind {tax.kind}"
    for payment in order.payments:
        if payment.method not in methods:
            return f"no account is mapped to {payment.method}"
    return ""


def order_sides(order: Order, *, inclusive: bool, methods: Mapping[str, str], of_before: bool = False) -> Sides:
    """What a postable order posts to the accounts; {} if nothing. `of_before` as in `why_unpostable`."""
    sides: Sides = {}
    if order.status != "paid":
        return sides
    for payment in order.payments:
        debit(sides, methods[payment.method], payment.amount)
    for line in order.lines:
        for tax in line.taxes:
            debit(sides, TAX, -tax.amount, tax.code)
        _line(sides, line, inclusive=inclusive, of_before=of_before)
    debit(sides, TIPS, -order.tip)
    debit(sides, ROUNDING, -order.rounding)
    return sides


def _line(sides: Sides, line: Line, *, inclusive: bool, of_before: bool) -> None:
    included = sum(tax.amount for tax in line.taxes) if inclusive else 0
    net = line.amount - included
    if line.kind == "discount":
        debit(sides, DISCOUNTS, -net)
    elif line.kind != "item":
        # Before, a gift card sold at half its price owed its holder the half.
        _less_discount(
            sides, KIND_ACCOUNTS[line.kind], net=net, off=0 if of_before else _discount(line, net, inclusive=inclusive)
        )
    elif line.amount > 0 or (line.amount == 0 and line.quantity >= Decimal(0)):
        _less_discount(sides, SALES, net=net, off=_discount(line, net, inclusive=inclusive))
    else:
        debit(sides, RETURNS, -net)


def _less_discount(sides: Sides, account: str, *, net: int, off: int) -> None:
    debit(sides, account, -(net + off))
    debit(sides, DISCOUNTS, off)


def _discount(line: Line, net: int, *, inclusive: bool) -> int:
    """The discount of a line less the taxes in it."""
    if not inclusive or line.amount == 0:
        return line.discount
    return half_away(line.discount * net, line.amount)


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
    """The quotient rounded to the nearest integer, halves away from zero; `denominator` must not be 0."""
    quotient, rest = divmod(abs(numerator), abs(denominator))
    quotient += 2 * rest >= abs(denominator)
    return quotient if (numerator >= 0) == (denominator > 0) else -quotient
