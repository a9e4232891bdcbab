"""From orders and cash to balanced postings (ledger, "Posting an order" and "Cash").

With the sums of the protocol every order balances to the minor unit in both price modes, without a plug line: what
an order's lines credit is Σ n + Σ taxes + rounding + tip, and that is total + tip, which its payments debit.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from backoffice.domain.accounts import (
    DISCOUNTS,
    DRAWER,
    LINE_ACCOUNTS,
    OVER_SHORT,
    RETURNS,
    ROUNDING,
    SAFE,
    SALES,
    SUSPENSE,
    TAX_PAYABLE,
    TIPS,
)
from backoffice.domain.money import divide_half_away
from backoffice.domain.orders import REMEMBERED_LINES, CashMovement, Line, Order

PaymentAccounts = Mapping[str, str]
"""Payment method → account code."""

ReasonAccounts = Mapping[str, str]
"""Reason of a cash movement → account code."""


class Posting(NamedTuple):
    """One side of an entry in minor units: one of `debit` and `credit` is above 0, the other is 0."""

    account: str
    debit: int
    credit: int
    tax_code: str = ""


Credit = tuple[tuple[str, str], int]
"""Account and tax code, and what goes to their credit side: a negative amount goes to the debit side."""


def _entry(credited: Iterable[Credit]) -> list[Posting]:
    """One posting per account, tax code and side, in the order in which they first appear; debits first, as in a journal.

    Sides are kept apart, so that what was sold and what was given back within one order both stay visible.
    """
    debit: dict[tuple[str, str], int] = {}
    credit: dict[tuple[str, str], int] = {}
    for key, amount in credited:
        if amount > 0:
            credit[key] = credit.get(key, 0) + amount
        elif amount < 0:
            debit[key] = debit.get(key, 0) - amount
    entry = [Posting(account, amount, 0, tax_code) for (account, tax_code), amount in debit.items()]
    entry += [Posting(account, 0, amount, tax_code) for (account, tax_code), amount in credit.items()]
    return entry


def post_order(order: Order, *, prices_include_tax: bool, accounts: PaymentAccounts) -> list[Posting]:
    """The lines of the order's entry; [] for an order that is posted without one (voided, training, free).

    The order must have passed `rules.holds` with the methods of `accounts`: KeyError tells of one that has not.
    """
    if order.status != "paid":
        return []
    credited: list[Credit] = [((accounts[payment.method], ""), -payment.amount) for payment in order.payments]
    for line in order.lines:
        credited += _line_credits(line, prices_include_tax)
    if order.rounding:
        credited.append(((ROUNDING, ""), order.rounding))
    if order.tip:
        credited.append(((TIPS, ""), order.tip))
    return _entry(credited)


@lru_cache(maxsize=REMEMBERED_LINES)
def _line_credits(line: Line, prices_include_tax: bool) -> tuple[Credit, ...]:  # noqa: FBT001 - a key of the cache
    credited: list[Credit] = []
    net = line.amount
    for tax in line.taxes:
        credited.append(((TAX_PAYABLE, tax.code), tax.amount))
        if prices_include_tax:
            net -= tax.amount
    if line.kind == "item":
        credited += _item_credits(line, net=net, prices_include_tax=prices_include_tax)
    else:
        credited.append(((LINE_ACCOUNTS[line.kind], ""), net))
    return tuple(credited)


def _item_credits(line: Line, *, net: int, prices_include_tax: bool) -> list[Credit]:
    """Sales before discount and the discount beside them; what comes back goes to returns, at what was paid for it."""
    if line.amount < 0 or (line.amount == 0 and line.quantity.scaled < 0):
        return [((RETURNS, ""), net)]
    discount = line.discount
    if discount and prices_include_tax and line.amount:
        discount = divide_half_away(numerator=discount * net, denominator=line.amount)
    return [((SALES, ""), net + discount), ((DISCOUNTS, ""), -discount)]


def _transfer(amount: int, *, debit: str, credit: str) -> list[Posting]:
    """Between two accounts, the other way round where `amount` is negative; [] where it is 0."""
    return _entry([((debit, ""), -amount), ((credit, ""), amount)])


def post_opening(*, opening_float: int, drawer_balance: int) -> list[Posting]:
    """Brings the drawer's account from `drawer_balance` (debits less credits) to `opening_float`, against the safe."""
    return _transfer(opening_float - drawer_balance, debit=DRAWER, credit=SAFE)


def post_movement(movement: CashMovement, *, accounts: ReasonAccounts) -> list[Posting]:
    """Cash in or out of the drawer, against the account of its reason, or suspense where that is unknown."""
    amount = movement.amount if movement.kind == "cash_in" else -movement.amount
    return _transfer(amount, debit=DRAWER, credit=accounts.get(movement.reason, SUSPENSE))


def post_over_short(*, over_short: int, posted_before: int) -> list[Posting]:
    """What is over (above 0) or short beyond what earlier reconciliations of the shift posted; [] where nothing is.

    Over debits the drawer and credits 6900, so that the drawer's account equals the count.
    """
    return _transfer(over_short - posted_before, debit=DRAWER, credit=OVER_SHORT)
