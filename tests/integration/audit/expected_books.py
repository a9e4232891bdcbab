"""What the books must say of a history, worked out from what was sent and what was decided: a third, tiny implementation.

It knows the orders of these tests only: lines of items with tax included, paid in cash, by card or on account. Between
drawers, safe, and over and short cash moves in ways that `verify_books` derives; here it is one sum.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from backoffice.domain.decisions import Verb

Order = Mapping[str, Any]
DayBalances = Counter[tuple[date, str]]
"""Debits less credits in minor units, by date of entry and account."""

CASH, CARD, ON_ACCOUNT, TAX, SALES, RETURNS, TO_THE_BANK = "cash", "1100", "1300", "2100", "4000", "4200", "1020"
BANK = "1030"
# To which account cash goes, and from which.
BANKED = {
    Verb.BANK: (TO_THE_BANK, CASH),
    Verb.BANK_RECEIVED: (BANK, TO_THE_BANK),
    Verb.BANK_CHANGE: (CASH, BANK),
}
METHODS = {"cash": CASH, "card": CARD, "on_account": ON_ACCOUNT}
# Accounts that these tests add up.
TOGETHER = {"1000": CASH, "1010": CASH, "6900": CASH}


class Sold(NamedTuple):
    """An order as it stands in the books, and its business date."""

    order: Order
    day: date


class ExpectedBooks:
    """What each day's entries come to after everything that was told; `posted` are the orders as they stand."""

    def __init__(self) -> None:
        self.posted: dict[str, Sold] = {}
        self.locked_through: date | None = None
        self._moved: DayBalances = Counter()

    def post(self, order: Order, *, day: date) -> None:
        """An order of this business date is in the books. No identifier is there twice."""
        assert order["order_id"] not in self.posted, order["order_id"]
        self.posted[order["order_id"]] = Sold(order, day)
        self._enter(day, _paid(order["payments"]))
        for line in order["lines"]:
            tax = sum(each["amount"] for each in line["taxes"])
            self._enter(day, {TAX: -tax, SALES if line["amount"] > 0 else RETURNS: tax - line["amount"]})

    def void(self, order_id: str) -> None:
        """As if it had never been sold."""
        order, day = self.posted.pop(order_id)
        self._enter(day, _paid(order["payments"]), times=-1)
        for line in order["lines"]:
            tax = sum(each["amount"] for each in line["taxes"])
            self._enter(day, {TAX: tax, SALES if line["amount"] > 0 else RETURNS: line["amount"] - tax})

    def retender(self, order_id: str, payments: Mapping[str, int]) -> None:
        """It was paid otherwise."""
        order, day = self.posted[order_id]
        paid = [{"method": method, "amount": amount} for method, amount in payments.items()]
        self._enter(day, _paid(order["payments"]), times=-1)
        self._enter(day, _paid(paid))
        self.posted[order_id] = Sold({**order, "payments": paid}, day)

    def bank(self, verb: Verb, amount: int, *, day: date) -> None:
        """Cash went to the bank, arrived there, or came from it."""
        to, origin = BANKED[verb]
        self._enter(day, {to: amount, origin: -amount})

    def lock(self, through: date) -> None:
        """From here on nothing is entered through this day. Also of an unlock, which goes back to an earlier one."""
        self.locked_through = through

    @property
    def balances(self) -> DayBalances:
        """By day and account; those that are zero are left out."""
        return _without_zeros(self._moved)

    def _enter(self, day: date, amounts: Mapping[str, int], *, times: int = 1) -> None:
        if self.locked_through is not None and day <= self.locked_through:
            day = self.locked_through + timedelta(days=1)
        for account, amount in amounts.items():
            self._moved[day, account] += times * amount


class OtherProgram:
    """Whoever imports what is exported: it takes each file once, and adds up what it was sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.balances: DayBalances = Counter()
        self._files: dict[str, bytes] = {}
        self._revisions: set[str] = set()

    def import_files(self) -> None:
        """Every file that is new. What was there before is as it was, and no revision comes twice."""
        for path in sorted(self.folder.glob("*.csv")):
            content = path.read_bytes()
            if path.name in self._files:
                assert content == self._files[path.name], path.name
                continue
            self._files[path.name] = content
            rows = list(csv.DictReader(content.decode().splitlines()))
            revisions = {row["revision"] for row in rows}
            assert not revisions & self._revisions, revisions
            self._revisions |= revisions
            for row in rows:
                amount = _minor(row["debit"]) - _minor(row["credit"])
                self.balances[date.fromisoformat(row["business_date"]), row["account"]] += amount


def _paid(payments: Iterable[Mapping[str, Any]]) -> Counter[str]:
    paid: Counter[str] = Counter()
    for payment in payments:
        paid[METHODS[payment["method"]]] += payment["amount"]
    return paid


def added_up(rows: Mapping[tuple[date, str], int]) -> DayBalances:
    """Balances by day and account as `ExpectedBooks` has them."""
    balances: DayBalances = Counter()
    for (day, account), amount in rows.items():
        balances[day, TOGETHER.get(account, account)] += amount
    return _without_zeros(balances)


def _without_zeros(balances: DayBalances) -> DayBalances:
    return Counter({key: amount for key, amount in balances.items() if amount})


def _minor(amount: str) -> int:
    return int(amount.replace(".", ""))
