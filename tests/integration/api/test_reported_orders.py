"""Orders that were judged or posted wrongly once, as people reported them of this system and of others."""

from typing import Any

import pytest

from tests.integration.api.test_history_flags import flags_of
from tests.till import Till, a_sale, a_store, codes, entry_of, outcomes


def line(quantity: str, price: int | str, amount: int, *taxes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"quantity": quantity, "unit_price": price, "amount": amount, "taxes": list(taxes)} | fields


def tax(amount: int, rate: str, code: str = "A", **fields: Any) -> dict[str, Any]:
    return {"code": code, "rate": rate, "amount": amount} | fields


def order(number: int, *lines: dict[str, Any], total: int, **fields: Any) -> dict[str, Any]:
    """Paid, or paid back, in cash unless the fields say otherwise."""
    return a_sale(number, lines=list(lines), total=total, **({"payments": pay(cash=total)} | fields))


def pay(**methods: int) -> list[dict[str, Any]]:
    return [{"method": method, "amount": amount} for method, amount in methods.items()]


def entries(*orders: dict[str, Any]) -> dict[str, int]:
    """Debits less credits by account, of all these orders."""
    balances: dict[str, int] = {}
    for each in orders:
        for account, debit, credit in entry_of(each["order_id"]):
            balances[account] = balances.get(account, 0) + debit - credit
    return balances


@pytest.fixture
def on_top() -> Till:
    """A till whose prices exclude tax."""
    till = Till(a_store(prices_include_tax=False))
    till.open()
    return till


def test_a_refund_whose_signs_were_forgotten(till: Till) -> None:
    refund = order(1001, line("2", 120, 240, tax(13, "0.055")), total=240, kind="refund")
    receipt = till.sell(refund)
    assert (outcomes(receipt), codes(receipt)) == (["held"], ["refund-not-negative"])
    assert till.shift()["cash"]["expected"] == 20000


def test_a_gift_card_sold_for_half_and_redeemed_for_the_whole(till: Till) -> None:
    sold = order(1001, line("1", 10000, 5000, kind="gift_card", discount=5000), total=5000, payments=pay(card=5000))
    redeemed = order(1002, line("1", 10000, 10000), total=10000, payments=pay(gift_card=10000))
    receipt = till.sell(sold, redeemed)
    assert [codes(receipt, index) for index in range(2)] == [[], []]
    assert entry_of(sold["order_id"]) == {("1100", 5000, 0), ("4100", 5000, 0), ("2200", 0, 10000)}
    assert entries(sold, redeemed)["2200"] == 0


ADJUSTED: dict[str, tuple[int, list[dict[str, Any]], set[tuple[str, int, int]]]] = {
    "a tip on the slip": (200, pay(card=200), {("1100", 200, 0), ("2300", 0, 200)}),
    "keyed as cash, paid by card": (0, pay(cash=-1500, card=1500), {("1100", 1500, 0), ("1000", 0, 1500)}),
    "declined after the upload": (0, pay(card=-5000, on_account=5000), {("1300", 5000, 0), ("1100", 0, 5000)}),
}


@pytest.mark.parametrize("name", ADJUSTED)
def test_what_was_paid_turns_out_to_be_otherwise(till: Till, name: str) -> None:
    tip, payments, entry = ADJUSTED[name]
    sale = a_sale(1001)
    adjustment = a_sale(1002, adjusts=sale["order_id"], lines=[], total=0, tip=tip, payments=payments)
    till.sell(sale)
    receipt = till.sell(adjustment)
    assert (outcomes(receipt), codes(receipt)) == (["posted"], [])
    assert entry_of(adjustment["order_id"]) == entry


def test_a_discount_of_the_whole_order_and_its_mirror_image(on_top: Till) -> None:
    goods, discount = line("2", 212, 424, tax(85, "0.2")), line("-1", 42, -42, tax(-9, "0.2"), kind="discount")
    sale = order(1001, goods, discount, total=458)
    back = [line("-2", 212, -424, tax(-85, "0.2")), line("1", 42, 42, tax(9, "0.2"), kind="discount")]
    refund = order(1002, *back, total=-458, kind="refund", refund_of=sale["order_id"])
    receipt = on_top.sell(sale, refund)
    assert [codes(receipt, index) for index in range(2)] == [[], []]
    assert entries(sale) == {"1000": 458, "4100": 42, "4000": -424, "2100": -76}
    assert entries(sale, refund) == {"1000": 0, "4100": 0, "2100": 0, "4000": -424, "4200": 424}


def test_a_tax_on_a_price_and_on_a_fixed_contribution(on_top: Till) -> None:
    bottle = [tax(29, "0", "BE-CRV", kind="fixed"), tax(1204, "0.21", "BE-21", kind="compound")]
    assert codes(on_top.sell(order(1001, line("1", "5702.48", 5702, *bottle), total=6935))) == []


def test_a_tax_that_was_rounded_a_piece_at_a_time(on_top: Till) -> None:
    hundred = order(1001, line("100", 1559, 155900, tax(14000, "0.09")), total=169900)
    assert codes(on_top.sell(hundred)) == []


def test_one_refund_for_two_receipts(till: Till) -> None:
    receipts = [order(1001, line("1", 800, 800), total=800), order(1002, line("1", 500, 500), total=500)]
    back = [line("-1", sold["total"], -sold["total"], refund_of=sold["order_id"]) for sold in receipts]
    till.sell(*receipts)
    assert codes(till.sell(order(1003, *back, total=-1300, kind="refund"))) == []


def test_an_exchange_and_then_a_refund_of_the_same(till: Till) -> None:
    sale = order(1001, line("1", 800, 800), total=800)
    exchange = order(1002, line("-1", 800, -800, refund_of=sale["order_id"]), line("1", 900, 900), total=100)
    refund = order(1003, line("-1", 800, -800), total=-800, kind="refund", refund_of=sale["order_id"])
    assert [codes(till.sell(each)) for each in (sale, exchange, refund)] == [[], [], ["refund-exceeds-original"]]


def test_cash_for_a_card_payment_rounded_to_five(till: Till) -> None:
    till.store.rounding_step = 5
    till.store.save()
    sale = order(1001, line("1", 998, 998), total=998, payments=pay(card=998))
    till.sell(sale)
    back = {"kind": "refund", "refund_of": sale["order_id"]}
    rounded = order(1002, line("-1", 998, -998), rounding=-2, total=-1000, **back)
    assert "refund-exceeds-original" not in codes(till.sell(rounded))


def test_more_cash_than_a_step_explains(till: Till) -> None:
    till.store.rounding_step = 5
    till.store.save()
    sale = order(1001, line("1", 998, 998), total=998, payments=pay(card=998))
    till.sell(sale)
    back = {"kind": "refund", "refund_of": sale["order_id"]}
    assert "refund-exceeds-original" in codes(till.sell(order(1002, line("-1", 1050, -1050), total=-1050, **back)))


def test_a_sale_on_account_refunded_in_cash(till: Till) -> None:
    sale = order(1001, line("1", 10000, 10000), total=10000, payments=pay(on_account=10000))
    refund = order(1002, line("-1", 10000, -10000), total=-10000, kind="refund", refund_of=sale["order_id"])
    receipt = till.sell(sale, refund)
    assert [codes(receipt, index) for index in range(2)] == [[], ["refund-method-differs"]]


def test_the_same_where_the_sale_comes_later(till: Till) -> None:
    sale = order(1001, line("1", 10000, 10000), total=10000, payments=pay(on_account=10000))
    refund = order(1002, line("-1", 10000, -10000), total=-10000, kind="refund", refund_of=sale["order_id"])
    till.sell(refund)
    till.sell(sale)
    assert flags_of(refund) == ["refund-method-differs"]


def test_a_table_opened_in_one_shift_and_paid_in_the_next(till: Till) -> None:
    till.close(closed_at="2026-03-01T17:00:00+01:00")
    till.open(number=312, opened_at="2026-03-01T17:30:00+01:00", first_number=1050)
    times = {"opened_at": "2026-03-01T16:30:00+01:00", "closed_at": "2026-03-01T18:20:00+01:00"}
    assert codes(till.sell(a_sale(1004, **times))) == []


def test_an_item_whose_name_has_201_characters(till: Till) -> None:
    receipt = till.sell(order(1001, line("1", 240, 240, name="n" * 201), total=240))
    assert (outcomes(receipt), codes(receipt)) == (["posted"], ["text-shortened"])
