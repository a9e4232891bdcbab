"""The day of the accounting story: two cashiers, every way to pay, one of each thing that reports tell of."""

from typing import Any
from uuid import uuid4

from tests.till import Till, a_sale, a_store

DAY = {"first": "2026-03-01", "last": "2026-03-01"}


def a_line(amount: int, code: str, rate: str, tax: int, **changes: Any) -> dict[str, Any]:
    line = {
        "kind": "item",
        "sku": "X",
        "name": "Thing",
        "quantity": "1",
        "unit_price": amount,
        "discount": 0,
        "amount": amount,
    }
    return line | {"taxes": [{"code": code, "rate": rate, "amount": tax}]} | changes


def paid(method: str, amount: int) -> list[dict[str, Any]]:
    return [{"method": method, "amount": amount}]


def the_orders() -> list[dict[str, Any]]:
    """In this order: cash, card with discount and tip, gift card at zero rate, a gift card sold, refund, voided, training.

    | | cashier | lines | tax | total | paid |
    |---|---|---|---|---|---|
    | 1001 | Anna | 2 × 1.20 at 5.5 % | 0.13 | 2.40 | cash |
    | 1002 | Anna | 12.00 less 2.00 at 20 % | 1.67 | 10.00 | card, with a tip of 1.00 |
    | 1003* | Ben | 5.00 at 0 % | 0.00 | 5.00 | gift card |
    | 1004 | Ben | a gift card of 50.00 | | 50.00 | card |
    | 1005 | Ben | −1.20 at 5.5 %, no receipt | −0.06 | −1.20 | cash |
    | 1006 | Ben | voided at the till | | 2.40 | |
    | 1007 | Ben | training | | 2.40 | |
    """
    card = {"kind": "gift_card", "sku": "G50", "name": "Gift card", "quantity": "1", "unit_price": 5000, "discount": 0}
    back = a_line(-120, "FR-5.5", "0.055", -6, quantity="-1", unit_price=120)
    orders = [
        a_sale(1001),
        a_sale(
            1002,
            lines=[a_line(1000, "FR-20", "0.20", 167, unit_price=1200, discount=200)],
            total=1000,
            tip=100,
            payments=paid("card", 1100),
        ),
        a_sale(1003, lines=[a_line(500, "FR-0", "0", 0)], total=500, payments=paid("gift_card", 500)),
        a_sale(1004, lines=[card | {"amount": 5000, "taxes": []}], total=5000, payments=paid("card", 5000)),
        a_sale(1005, kind="refund", lines=[back], total=-120, payments=paid("cash", -120)),
        a_sale(1006, status="voided"),
        a_sale(1007, status="training"),
    ]
    for order in orders:
        order |= {
            "cashier": "Anna" if order["number"] < 1003 else "Ben",
            "mode": "offline" if order["number"] == 1003 else "online",
        }
    return orders


def a_day(till: Till | None = None, *, counted: int = 20100) -> Till:
    """The day, closed 0.20 short: 200.00 in the drawer, 2.40 in, 1.20 out, and 201.00 counted."""
    till = till or Till(a_store(name='Paris "Bastille" 🥐 مخبز'))
    assert till.open(uuid4()).status_code == 201
    orders = the_orders()
    receipt = till.sell(*orders)
    assert [result["outcome"] for result in receipt["results"]] == ["posted"] * 7
    answer = till.close(*orders, batches=[receipt["batch_id"]], counted=counted)
    assert answer.status_code in {200, 202}, answer.content
    return till
