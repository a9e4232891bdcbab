"""From orders and cash to balanced postings (ledger, "Posting an order" and "Cash").

With the sums of the protocol every order balances to the minor unit in both price modes, without a plug line: what
an order's lines credit is Σ n + Σ taxes + rounding + tip, and that is total + tip, which its payments debit.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from backoffice.domain.accounts import (
    DRAWER,
    OVER_SHORT,
    ROUNDING,
    SAFE,
    SUSPENSE,
    TIPS,
)
from backoffice.domain.lines import Credit
from backoffice.domain.orders import CashMovement, Order

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
        judged = line.inclusive if prices_include_tax else line.exclusive
        if judged.credits is None:
            raise KeyError(line.kind)
        credited += judged.credits
    if order.rounding:
        credited.append(((ROUNDING, ""), order.rounding))
    if order.tip:
        credited.append(((TIPS, ""), order.tip))
    return _entry(credited)


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
