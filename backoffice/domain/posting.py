"""From orders and cash to balanced entries (ledger, "Posting an order" and "Cash").

With the sums of the protocol every order balances to the minor unit in both price modes, without a plug line: what
an order's lines credit is Σ n + Σ taxes + rounding + tip, and that is total + tip, which its payments debit.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from backoffice.domain.accounts import (
    BANK,
    DISCOUNT_LINE,
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
    TO_THE_BANK,
)
from backoffice.domain.money import divide_half_away
from backoffice.domain.orders import CashMovement, Line, Order

PaymentAccounts = Mapping[str, str]
"""Payment method → account code."""

ReasonAccounts = Mapping[str, str]
"""Reason of a cash movement → account code."""


class Posting(NamedTuple):
    """One line of an entry in minor units: one of `debit` and `credit` is above 0, the other is 0."""

    account: str
    debit: int
    credit: int
    tax_code: str = ""


class _Entry:
    """An entry in the making: one line per account, tax code and side, in the order in which they first appear.

    Sides are kept apart, so that what was sold and what was given back within one order both stay visible.
    """

    def __init__(self) -> None:
        self._debits: dict[tuple[str, str], int] = {}
        self._credits: dict[tuple[str, str], int] = {}

    def credit(self, account: str, amount: int, tax_code: str = "") -> None:
        """Adds `amount` to the credit side; a negative one to the debit side."""
        key = account, tax_code
        if amount > 0:
            self._credits[key] = self._credits.get(key, 0) + amount
        elif amount < 0:
            self._debits[key] = self._debits.get(key, 0) - amount

    def debit(self, account: str, amount: int) -> None:
        """Adds `amount` to the debit side; a negative one to the credit side."""
        self.credit(account, -amount)

    def postings(self) -> list[Posting]:
        """Debits first, as a journal is written."""
        debits = [Posting(account, amount, 0, tax_code) for (account, tax_code), amount in self._debits.items()]
        return debits + [Posting(account, 0, amount, tax_code) for (account, tax_code), amount in self._credits.items()]


def post_order(order: Order, *, prices_include_tax: bool, accounts: PaymentAccounts) -> list[Posting]:
    """The lines of the order's entry; [] for an order that is posted without one (voided, training, free).

    The order must have passed `rules.holds` with the methods of `accounts`: KeyError tells of one that has not.
    """
    if order.status != "paid":
        return []
    entry = _Entry()
    for payment in order.payments:
        entry.debit(accounts[payment.method], payment.amount)
    for line in order.lines:
        net = line.amount
        for tax in line.taxes:
            entry.credit(TAX_PAYABLE, tax.amount, tax.code)
            if prices_include_tax:
                net -= tax.amount
        if line.kind == "item":
            _post_item(entry, line, net=net, prices_include_tax=prices_include_tax)
        elif line.kind == DISCOUNT_LINE:
            entry.credit(DISCOUNTS, net)
        else:
            _post_sold(entry, LINE_ACCOUNTS[line.kind], line, net=net, prices_include_tax=prices_include_tax)
    if order.rounding:
        entry.credit(ROUNDING, order.rounding)
    if order.tip:
        entry.credit(TIPS, order.tip)
    return entry.postings()


def _post_item(entry: _Entry, line: Line, *, net: int, prices_include_tax: bool) -> None:
    """Sales before discount and the discount beside them; what comes back goes to returns, at what was paid for it."""
    if line.amount < 0 or (line.amount == 0 and line.quantity.scaled < 0):
        entry.credit(RETURNS, net)
        return
    _post_sold(entry, SALES, line, net=net, prices_include_tax=prices_include_tax)


def _post_sold(entry: _Entry, account: str, line: Line, *, net: int, prices_include_tax: bool) -> None:
    """The line before its discount, and the discount beside it, less the tax that is in it where prices include tax."""
    discount = line.discount
    if discount and prices_include_tax and line.amount:
        discount = divide_half_away(numerator=discount * net, denominator=line.amount)
    entry.credit(account, net + discount)
    if discount:
        entry.debit(DISCOUNTS, discount)


def post_opening(
    *, opening_float: int, drawer_balance: int, float_left: int | None = None, a_shift_waits: bool = False
) -> list[Posting]:
    """Brings the drawer's account from `drawer_balance` (debits less credits) to `opening_float`.

    What differs from `float_left`, which the last close gave or not, was carried to no safe: it is over or short. The rest
    is between drawer and safe; while an earlier shift waits for orders or its count there is none, since what is still to
    be posted of that shift brings the drawer to `float_left` by itself.
    """
    entry = _Entry()
    differs = 0 if float_left is None else opening_float - float_left
    moved = 0 if float_left is not None and a_shift_waits else opening_float - drawer_balance - differs
    entry.debit(DRAWER, differs)
    entry.debit(DRAWER, moved)
    entry.credit(OVER_SHORT, differs)
    entry.credit(SAFE, moved)
    return entry.postings()


def post_closing(*, counted: int, float_left: int, moved_before: int) -> list[Posting]:
    """What goes to the safe of a drawer that was counted, beyond what earlier counts moved; `float_left` stays in it."""
    return _transfer(counted - float_left - moved_before, debit=SAFE, credit=DRAWER)


def post_movement(movement: CashMovement, *, accounts: ReasonAccounts) -> list[Posting]:
    """Cash in or out of the drawer, against the account of its reason, or suspense where that is unknown."""
    amount = movement.amount if movement.kind == "cash_in" else -movement.amount
    return _transfer(amount, debit=DRAWER, credit=accounts.get(movement.reason, SUSPENSE))


def post_over_short(*, over_short: int, posted_before: int) -> list[Posting]:
    """What is over (above 0) or short beyond what earlier reconciliations of the shift posted; [] where nothing is.

    Over debits the drawer and credits 6900, so that the drawer's account equals the count.
    """
    return _transfer(over_short - posted_before, debit=DRAWER, credit=OVER_SHORT)


def post_reversal(posted: Iterable[Posting]) -> list[Posting]:
    """Takes back what was posted: every line on its other side."""
    entry = _Entry()
    for line in posted:
        entry.credit(line.account, line.debit, line.tax_code)
        entry.credit(line.account, -line.credit, line.tax_code)
    return entry.postings()


def post_retender(moved: Mapping[str, int], *, accounts: PaymentAccounts) -> list[Posting]:
    """Amounts moved between payment methods, signed and 0 in all: each debits its method's account."""
    entry = _Entry()
    for method, amount in moved.items():
        entry.debit(accounts[method], amount)
    return entry.postings()


def post_safe_count(*, counted: int, balance: int) -> list[Posting]:
    """Brings the safe's account from `balance` (debits less credits) to what was counted; [] where it agrees."""
    return _transfer(counted - balance, debit=SAFE, credit=OVER_SHORT)


def post_bank_deposit(amount: int) -> list[Posting]:
    """Cash that leaves the safe for the bank."""
    return _transfer(amount, debit=TO_THE_BANK, credit=SAFE)


def post_bank_receipt(amount: int) -> list[Posting]:
    """Cash that was on its way, and that the bank has."""
    return _transfer(amount, debit=BANK, credit=TO_THE_BANK)


def post_bank_change(amount: int) -> list[Posting]:
    """Change that the bank gave, which is in the safe."""
    return _transfer(amount, debit=SAFE, credit=BANK)


def _transfer(amount: int, *, debit: str, credit: str) -> list[Posting]:
    """Between two accounts, the other way round where `amount` is negative; [] where it is 0."""
    entry = _Entry()
    entry.debit(debit, amount)
    entry.credit(credit, amount)
    return entry.postings()
