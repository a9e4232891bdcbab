"""What the books must say, worked out from what terminals sent: docs/ledger.md, for the shapes that the runs generate.

Balances are debits less credits, in minor units. Sales and refunds of items, gift cards and discounts of a whole order, taxes
included in the price or on top, tips, rounding, cash and card, corrections of these; opening floats; what was over or short
at a close, whoever counted, and what stayed in the drawer. Anything else is not guessed at.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

import msgspec

DRAWER, SAFE, CARD, TAX, TIPS, SALES, DISCOUNTS, RETURNS, ROUNDING, OVER_SHORT = (
    *("1000", "1010", "1100", "2100", "2300", "4000", "4100", "4200", "4900", "6900"),
)
TO_THE_BANK = "1020"
BANK = "1030"
# Cheques are held until head office has mapped them. The one account stands for them in both cases: what is held is taken back.
METHODS = {"cash": DRAWER, "card": CARD, "wallet": CARD, "cheque": "1110"}
# Lines that are not split between sales and returns. A discount of the whole order is posted as it stands.
SOLD = {"gift_card": "2200", "discount": DISCOUNTS}


class Tax(msgspec.Struct):
    code: str
    amount: int


class Line(msgspec.Struct):
    quantity: str
    amount: int
    kind: str = "item"
    discount: int = 0
    taxes: tuple[Tax, ...] = ()


class Payment(msgspec.Struct):
    method: str
    amount: int


class Order(msgspec.Struct):
    order_id: str
    number: int
    status: str
    lines: tuple[Line, ...]
    payments: tuple[Payment, ...]
    rounding: int = 0
    tip: int = 0


class Batch(msgspec.Struct):
    orders: tuple[Order, ...] = ()


class Opening(msgspec.Struct):
    number: int
    opening_float: int
    currency: str
    prices_include_tax: bool


class Close(msgspec.Struct):
    """`cash_counted` is None where head office counts later."""

    cash_counted: int | None
    float_left: int | None = None


read_batch = msgspec.json.Decoder(Batch).decode
read_opening = msgspec.json.Decoder(Opening).decode
read_close = msgspec.json.Decoder(Close).decode


class Unforeseen(Exception):
    """An order or a close of a shape that this checker has no rule for."""


class Account(NamedTuple):
    """One balance of one store."""

    store: str
    currency: str
    account: str
    tax_code: str = ""


def moved(order: Order, *, prices_include_tax: bool) -> dict[tuple[str, str], int]:
    """What an order moves, by account and tax code; empty where it has no entry."""
    balances: dict[tuple[str, str], int] = defaultdict(int)
    if order.status != "paid":
        return {}
    for payment in order.payments:
        balances[_account(payment.method), ""] += payment.amount
    balances[TIPS, ""] -= order.tip
    balances[ROUNDING, ""] -= order.rounding
    for line in order.lines:
        if line.kind not in {"item", *SOLD}:
            raise Unforeseen(f"order {order.order_id}: line of kind {line.kind}")
        for tax in line.taxes:
            balances[TAX, tax.code] -= tax.amount
        included = sum(tax.amount for tax in line.taxes) if prices_include_tax else 0
        net = line.amount - included
        if line.kind == "discount":
            balances[DISCOUNTS, ""] -= net
        elif line.kind in SOLD or line.amount > 0 or (line.amount == 0 and Decimal(line.quantity) >= 0):
            plain = not prices_include_tax or line.amount == 0
            discount = line.discount if plain else _rounded(line.discount * net, line.amount)
            balances[SOLD.get(line.kind, SALES), ""] -= net + discount
            balances[DISCOUNTS, ""] += discount
        else:
            balances[RETURNS, ""] -= net
    return {key: amount for key, amount in balances.items() if amount}


def _account(method: str) -> str:
    if method not in METHODS:
        raise Unforeseen(f"payment by {method}")
    return METHODS[method]


def _rounded(numerator: int, denominator: int) -> int:
    """Half away from zero; the denominator is positive."""
    whole = (2 * abs(numerator) + denominator) // (2 * denominator)
    return whole if numerator >= 0 else -whole


@dataclass
class Shift:
    """A shift as its terminal tells it. `counted` is None while it is not closed; `opened` once that was acknowledged."""

    terminal: str
    store: str
    opening: Opening
    opened: bool
    cash: int = 0
    counted: int | None = None
    left: int | None = None

    @property
    def over_short(self) -> int:
        return 0 if self.counted is None else self.counted - self.opening.opening_float - self.cash

    @property
    def in_drawer(self) -> int:
        if self.counted is None:
            return self.opening.opening_float + self.cash
        return self.counted if self.left is None else self.left


@dataclass
class Expected:
    """Sums over everything that was sent; `take_back` removes an order that lawfully is in no book."""

    shifts: dict[str, Shift] = field(default_factory=dict)
    orders: dict[Account, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, shift_id: str, order: Order) -> bool:
        """Counts an order; whether it must have a journal entry."""
        return self._count(shift_id, order, 1)

    def take_back(self, shift_id: str, order: Order) -> None:
        self._count(shift_id, order, -1)

    def _count(self, shift_id: str, order: Order, times: int) -> bool:
        shift = self.shifts[shift_id]
        moves = moved(order, prices_include_tax=shift.opening.prices_include_tax)
        for (account, tax_code), amount in moves.items():
            self.orders[Account(shift.store, shift.opening.currency, account, tax_code)] += times * amount
            if account == DRAWER:
                shift.cash += times * amount
        return bool(moves)

    def drawers(self) -> dict[str, int]:
        """What each terminal's drawer holds: what was counted, or should be there, at the end of its last shift.

        The terminals see to it that everything before was settled when that shift opened.
        """
        return {terminal: shift.in_drawer for terminal, shift in self._last_shifts().items()}

    def balances(self) -> dict[Account, int]:
        """Every account of every store, cash between drawer, safe and over/short included; zeros left out."""
        balances = defaultdict(int, self.orders)
        for shift in self.shifts.values():
            store, currency = shift.store, shift.opening.currency
            # Opening floats come out of the safe; what a drawer held before goes into it.
            balances[Account(store, currency, OVER_SHORT)] -= shift.over_short
            balances[Account(store, currency, SAFE)] += shift.cash + shift.over_short
            balances[Account(store, currency, DRAWER)] -= shift.cash
        for shift, before in self._followed():
            # What is not there any more of what a close left was carried to no safe.
            missing = 0 if before.left is None else before.left - shift.opening.opening_float
            balances[Account(shift.store, shift.opening.currency, OVER_SHORT)] += missing
            balances[Account(shift.store, shift.opening.currency, SAFE)] -= missing
        for shift in self._last_shifts().values():
            store, currency = shift.store, shift.opening.currency
            balances[Account(store, currency, DRAWER)] += shift.in_drawer
            balances[Account(store, currency, SAFE)] -= shift.in_drawer
        return {account: amount for account, amount in balances.items() if amount}

    def _followed(self) -> Iterator[tuple[Shift, Shift]]:
        """Each opened shift with the one of its terminal before it."""
        opened = sorted(
            (shift for shift in self.shifts.values() if shift.opened),
            key=lambda one: (one.terminal, one.opening.number),
        )
        return ((after, before) for before, after in pairwise(opened) if before.terminal == after.terminal)

    def _last_shifts(self) -> dict[str, Shift]:
        opened = [shift for shift in self.shifts.values() if shift.opened]
        return {shift.terminal: shift for shift in sorted(opened, key=lambda shift: shift.opening.number)}
