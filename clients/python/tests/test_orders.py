from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice_terminal import Draft, NotBalanced, Order, TaxRate

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NEW_YORK = TaxRate("NY", "0.08875")
FOOD, HOUSEHOLD = TaxRate("FR-5.5", "0.055"), TaxRate("FR-20", "0.2")


def finished(draft: Draft) -> Order:
    return draft.finish(
        order_id="0195d3a0-0000-7000-8000-00000000000a", number=7, mode="online", status="paid", closed_at=NOON
    )


def draft(*, included: bool) -> Draft:
    return Draft(prices_include_tax=included, opened_at=NOON)


def test_three_books_with_tax_on_top_a_discount_and_a_tip() -> None:
    sale = draft(included=False)
    sale.add(name="Book", quantity="3", unit_price=1999, discount=500, taxes=[NEW_YORK])
    sale.tip = 1000
    sale.pay("card", sale.due)
    order = finished(sale)
    assert (order.lines[0].amount, order.tax, order.total, order.payments[0].amount) == (5497, 488, 5985, 6985)


def test_cash_gives_change() -> None:
    sale = draft(included=True)
    sale.add(unit_price=120, quantity="2", taxes=[FOOD])
    assert sale.pay_cash(tendered=500) == 260
    payment = finished(sale).payments[0]
    assert (payment.amount, payment.tendered, payment.change) == (240, 500, 260)


def test_too_little_cash_is_not_taken() -> None:
    sale = draft(included=True)
    sale.add(unit_price=120)
    with pytest.raises(NotBalanced):
        sale.pay_cash(tendered=100)


def test_an_order_that_is_not_paid_is_not_finished() -> None:
    sale = draft(included=True)
    sale.add(unit_price=120)
    sale.pay("card", 119)
    with pytest.raises(NotBalanced):
        finished(sale)


def test_absent_optional_fields_are_left_out_and_never_null() -> None:
    sale = draft(included=True)
    sale.add(unit_price=120)
    sale.pay("card", 120)
    payment = msgspec.to_builtins(finished(sale))["payments"][0]
    assert payment == {"method": "card", "amount": 120, "reference": ""}


def test_a_swiss_total_is_rounded_to_what_coins_can_pay() -> None:
    sale = draft(included=True)
    sale.add(unit_price=1002)
    sale.round_cash(5)
    sale.round_cash(5)
    sale.pay_cash(tendered=1000)
    order = finished(sale)
    assert (order.total, order.rounding) == (1000, -2)


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.integers(1, 5000), st.sampled_from([FOOD, HOUSEHOLD])), min_size=1, max_size=8
    ),
    st.integers(0, 100),
    st.booleans(),
)
def test_a_discount_on_the_receipt_reaches_the_lines_in_full(
    items: list[tuple[int, int, TaxRate]], percent: int, included: bool
) -> None:
    sale = draft(included=included)
    for quantity, price, tax in items:
        sale.add(quantity=str(quantity), unit_price=price, taxes=[tax])
    before = sum(line.amount for line in sale.lines)
    discount = before * percent // 100
    sale.discount_all(discount)
    assert sum(line.amount for line in sale.lines) == before - discount
    assert sum(line.discount for line in sale.lines) == discount
    assert min(line.amount for line in sale.lines) >= 0


def test_a_discount_cannot_exceed_what_is_sold() -> None:
    sale = draft(included=True)
    sale.add(unit_price=100)
    with pytest.raises(ValueError, match="exceed"):
        sale.discount_all(101)


@given(st.lists(st.tuples(st.decimals(0, 99, places=3), st.integers(0, 5000)), min_size=1, max_size=5), st.booleans())
def test_a_refund_is_the_sale_negated_to_the_minor_unit(items: list[tuple[object, int]], included: bool) -> None:
    sale = draft(included=included)
    for quantity, price in items:
        sale.add(quantity=str(quantity), unit_price=price, taxes=[FOOD, HOUSEHOLD])
    sale.tip = 50
    sale.pay("card", sale.due)
    sold = finished(sale)
    back = Draft.refund(sold, prices_include_tax=included, opened_at=NOON)
    back.pay("card", back.due)
    refund = finished(back)
    assert (refund.kind, refund.refund_of, refund.tip) == ("refund", sold.order_id, 0)
    assert (refund.total, refund.tax) == (-sold.total, -sold.tax)


def test_one_line_of_two_comes_back() -> None:
    sale = draft(included=True)
    sale.add(name="Quiche", unit_price=450)
    sale.add(name="Salad", unit_price=700, discount=100)
    sale.pay("card", sale.due)
    back = Draft.refund(finished(sale), prices_include_tax=True, opened_at=NOON, lines=[1])
    assert [(line.name, line.quantity, line.discount, line.amount) for line in back.lines] == [
        ("Salad", "-1", -100, -600)
    ]


def test_cash_back_is_a_negative_payment() -> None:
    sale = draft(included=True)
    sale.add(unit_price=3000)
    sale.pay("card", 5000)
    sale.pay("cash", -2000)
    assert finished(sale).total == 3000
