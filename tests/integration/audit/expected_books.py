"""What the books must say of a history, worked out from what was sent and what was decided: a third, tiny implementation.

It knows the orders of these tests only: lines of items with tax included, paid in cash, by card or on account. Between
drawers, safe, and over and short cash moves in ways that `verify_books` derives; here it is one sum.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

Order = Mapping[str, Any]

CASH, CARD, ON_ACCOUNT, TAX, SALES, RETURNS, TO_THE_BANK = "cash", "1100", "1300", "2100", "4000", "4200", "1020"
METHODS = {"cash": CASH, "card": CARD, "on_account": ON_ACCOUNT}
# Accounts that these tests add up.
TOGETHER = {"1000": CASH, "1010": CASH, "6900": CASH}


class ExpectedBooks:
    """Balances, debits less credits, after everything that was told; `posted` are the orders as they stand."""

    def __init__(self) -> None:
        self.posted: dict[str, Order] = {}
        self.banked = 0

    def post(self, order: Order) -> None:
        """An order is in the books. No identifier is there twice."""
        assert order["order_id"] not in self.posted, order["order_id"]
        self.posted[order["order_id"]] = order

    def void(self, order_id: str) -> None:
        """As if it had never been sold."""
        del self.posted[order_id]

    def retender(self, order_id: str, payments: Mapping[str, int]) -> None:
        """It was paid otherwise."""
        paid = [{"method": method, "amount": amount} for method, amount in payments.items()]
        self.posted[order_id] = {**self.posted[order_id], "payments": paid}

    @property
    def balances(self) -> dict[str, int]:
        """By account; those that are zero are left out."""
        balances: Counter[str] = Counter()
        for order in self.posted.values():
            for payment in order["payments"]:
                balances[METHODS[payment["method"]]] += payment["amount"]
            for line in order["lines"]:
                tax = sum(each["amount"] for each in line["taxes"])
                balances[TAX] -= tax
                balances[SALES if line["amount"] > 0 else RETURNS] -= line["amount"] - tax
        balances[TO_THE_BANK] += self.banked
        balances[CASH] -= self.banked
        return {account: amount for account, amount in balances.items() if amount}


def added_up(rows: Mapping[str, int]) -> dict[str, int]:
    """Balances by account as `ExpectedBooks` has them."""
    balances: Counter[str] = Counter()
    for account, amount in rows.items():
        balances[TOGETHER.get(account, account)] += amount
    return {account: amount for account, amount in balances.items() if amount}
