from datetime import UTC, datetime
from random import Random

import pytest
from backoffice_terminal import Draft, Order

from backoffice.workbench.simulator.catalogue import EDINBURGH, SHOPS, TOKYO, Shop, item_named
from backoffice.workbench.simulator.customers import Customers

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def served(shop: Shop, seed: int) -> Order:
    customers = Customers(shop, Random(seed))
    draft = Draft(prices_include_tax=shop.prices_include_tax, opened_at=NOON, type=customers.order_type())
    customers.choose(draft)
    customers.pay(draft)
    return draft.finish(order_id="0", number=1, mode="online", status="paid", closed_at=NOON)


@pytest.mark.parametrize("shop", SHOPS, ids=lambda shop: shop.code)
def test_every_customer_pays_to_the_minor_unit(shop: Shop) -> None:
    for seed in range(300):
        order = served(shop, seed)
        on_top = 0 if shop.prices_include_tax else order.tax
        assert order.total == sum(line.amount for line in order.lines) + on_top
        assert sum(payment.amount for payment in order.payments) == order.total + order.tip
        assert all(
            payment.tendered - payment.change == payment.amount
            for payment in order.payments
            if payment.method == "cash"
        )


def test_nobody_tips_in_tokyo() -> None:
    assert {served(TOKYO, seed).tip for seed in range(200)} == {0}


def test_a_day_has_every_way_to_pay_a_discount_and_a_tip() -> None:
    orders = [served(EDINBURGH, seed) for seed in range(300)]
    methods = {payment.method for order in orders for payment in order.payments}
    assert methods == {"cash", "card", "wallet", "gift_card"}
    assert any(order.tip for order in orders)
    assert any(line.discount for order in orders for line in order.lines)


def test_no_two_card_slips_are_alike() -> None:
    customers = Customers(EDINBURGH, Random(1))
    references = []
    for _ in range(300):
        draft = Draft(prices_include_tax=True, opened_at=NOON)
        customers.choose(draft)
        customers.pay(draft)
        references += [payment.reference for payment in draft.payments if payment.reference]
    assert len(references) == len(set(references)) > 100


def test_the_same_name_always_costs_the_same() -> None:
    assert item_named("Alfajores") == item_named("Alfajores")
    assert item_named("Coffee").price == 280
    assert item_named("Adjustment").price == 0
    assert all(100 <= item_named(f"Cake {number}").price < 700 for number in range(500))
