"""What orders give back of others, and the flags that those others decide."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from backoffice.domain.orders import Order
from backoffice.domain.reasons import REASONS
from backoffice.domain.returns import (
    GivenBack,
    Original,
    Return,
    method_flags,
    named_orders,
    original_of,
    return_flags,
    returns_of,
)
from backoffice.domain.rules import StoreSettings
from tests.unit.domain.builders import (
    NO_SETTINGS,
    OTHER_ID,
    an_order,
    cash,
    paid_by,
    places,
    plain_line,
    wire_line,
    wire_tax,
)

X, Y = UUID(OTHER_ID), UUID("01953a3e-0000-7000-8000-000000000003")
SOLD_AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
EXCEEDS = ("refund-exceeds-original", "/total")
NOTHING = GivenBack()


def a_refund(*amounts: int, **fields: Any) -> Order:
    """A refund of X in cash, with a line for each amount, all below 0."""
    usual: dict[str, Any] = {
        "kind": "refund",
        "refund_of": str(X),
        "lines": [plain_line(amount) for amount in amounts],
        "total": sum(amounts),
        "payments": [cash(sum(amounts))],
    }
    return an_order(**{**usual, **fields})


def a_sale_of(sold: int, **fields: Any) -> Original:
    usual: dict[str, Any] = {"closed_at": SOLD_AT, "total": sold, "sold": sold, "methods": frozenset({"cash"})}
    return Original(**{**usual, **fields})


def returned(order: Order, *, prices_include_tax: bool = True) -> list[tuple[UUID, int, int, int, str]]:
    returns = returns_of(order, prices_include_tax=prices_include_tax)
    return [(each.original, each.amount, each.line_count, each.paid_back, each.pointer) for each in returns]


def flagged(
    order: Order, original: Original | None, *, before: GivenBack = NOTHING, settings: StoreSettings = NO_SETTINGS
) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for each in returns_of(order, prices_include_tax=True):
        reasons = return_flags(order, returned=each, original=original, before=before, settings=settings)
        assert all(REASONS[reason.code].kind == "flag" and reason.detail for reason in reasons)
        found += places(reasons)
    return found


def test_a_refund_gives_back_its_negative_lines():
    assert returned(a_refund(-240)) == [(X, 240, 1, 240, "/refund_of")]
    assert returned(a_refund(-240, -60)) == [(X, 300, 2, 300, "/refund_of")]
    back_and_forth = a_refund(lines=[plain_line(-240), plain_line(40)], total=-200, payments=[cash(-200)])
    assert returned(back_and_forth) == [(X, 240, 1, 200, "/refund_of")]


def test_it_does_so_at_their_gross_value_without_rounding_and_tip():
    fields: dict[str, Any] = {"lines": [wire_line(quantity="-2", amount=-240, taxes=[wire_tax(-13)])]}
    assert returned(a_refund(rounding=-2, total=-242, tip=-9, **fields)) == [(X, 240, 1, 242, "/refund_of")]
    assert returned(a_refund(total=-253, **fields), prices_include_tax=False) == [(X, 253, 1, 253, "/refund_of")]


def test_a_line_of_kind_discount_gives_nothing_back():
    lines = [plain_line(-500), plain_line(100, kind="discount"), plain_line(-7, kind="discount")]
    assert returned(a_refund(lines=lines, total=-407)) == [(X, 500, 1, 407, "/refund_of")]


def test_one_refund_may_return_goods_of_several_orders():
    lines = [plain_line(-240, refund_of=str(Y)), plain_line(-100), plain_line(-60, refund_of=str(Y))]
    assert returned(a_refund(lines=lines, total=-400)) == [
        (X, 100, 1, 0, "/refund_of"),
        (Y, 300, 2, 0, "/lines/0/refund_of"),
    ]
    assert returned(a_refund(lines=lines[:1], refund_of=None, total=-240)) == [(Y, 240, 1, 240, "/lines/0/refund_of")]


def test_what_came_from_nobody_knows_where_is_not_paid_back_of_one_order_alone():
    lines = [plain_line(-240, refund_of=str(Y)), plain_line(-100)]
    assert returned(a_refund(lines=lines, refund_of=None, total=-340)) == [(Y, 240, 1, 0, "/lines/0/refund_of")]


def test_an_exchange_gives_back_its_negative_lines_alone():
    exchange = an_order(lines=[plain_line(-800, refund_of=str(X)), plain_line(900)], total=100, payments=[cash(100)])
    assert returned(exchange) == [(X, 800, 1, 0, "/lines/0/refund_of")]
    whole = an_order(refund_of=str(X), lines=[plain_line(-800), plain_line(900)], total=100, payments=[cash(100)])
    assert returned(whole) == [(X, 800, 1, 0, "/refund_of")]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"refund_of": str(X)},
        {"lines": [plain_line(240, refund_of=str(X))]},
        {"lines": [plain_line(-240)], "total": -240},
        {"kind": "refund", "status": "voided", "refund_of": str(X)},
    ],
)
def test_what_gives_nothing_back_of_an_order_names_none(fields: dict[str, Any]):
    assert returned(an_order(**fields)) == []
    assert named_orders(an_order(**fields)) == frozenset()


def test_it_names_what_it_gives_back_and_what_it_adjusts():
    assert named_orders(a_refund(-240)) == {X}
    assert named_orders(a_refund(lines=[plain_line(-240, refund_of=str(Y))], total=-240)) == {X, Y}
    assert named_orders(an_order(adjusts=str(X), lines=[], total=0, payments=[])) == {X}
    assert named_orders(an_order(adjusts=str(X), status="training")) == frozenset()


def test_the_figures_of_an_original():
    lines = [plain_line(900), plain_line(-800), wire_line(taxes=[wire_tax(13)]), plain_line(-50, kind="discount")]
    order = an_order(lines=lines, total=290, payments=[paid_by("card", 300), cash(-10)])
    closed_at = order.closed_at
    assert original_of(order, prices_include_tax=True) == Original(
        closed_at=closed_at, total=290, sold=1140, gave_back=800, methods=frozenset({"card"})
    )
    assert original_of(order, prices_include_tax=False).sold == 1153
    assert original_of(an_order(status="voided"), prices_include_tax=True) == Original(
        closed_at=closed_at, total=0, sold=0
    )
    assert not original_of(a_refund(-240), prices_include_tax=True).is_sale


def test_an_order_was_paid_with_the_methods_that_are_above_zero_with_its_adjustments():
    keyed = an_order(payments=[cash(240)])
    assert original_of(keyed, prices_include_tax=True).methods == {"cash"}
    adjusted = {"cash": -240, "card": 240}
    assert original_of(keyed, prices_include_tax=True, adjusted=adjusted).methods == {"card"}


def test_what_is_not_in_the_books_is_unknown_wherever_it_is_named():
    assert flagged(a_refund(-240), None) == [("refund-of-unknown-order", "/refund_of")]
    exchange = an_order(lines=[plain_line(900), plain_line(-800, refund_of=str(Y))])
    assert flagged(exchange, None) == [("refund-of-unknown-order", "/lines/1/refund_of")]


def test_a_refund_may_come_to_the_original_and_no_more():
    assert flagged(a_refund(-240), a_sale_of(240)) == []
    assert flagged(a_refund(-241), a_sale_of(240)) == [EXCEEDS]
    assert flagged(a_refund(-240), a_sale_of(0)) == [EXCEEDS]
    before = GivenBack(amount=160, line_count=1, paid_back=160)
    assert flagged(a_refund(-240), a_sale_of(400), before=before) == []
    assert flagged(a_refund(-242), a_sale_of(400), before=before) == [EXCEEDS]


def test_pieces_are_rounded_one_by_one():
    three_for_1001 = a_sale_of(1001)  # 3 × 333.50
    before = GivenBack(amount=668, line_count=2, paid_back=668)
    assert flagged(a_refund(-334), three_for_1001, before=before) == []
    assert flagged(a_refund(-334, -334, -334), three_for_1001) == []
    assert flagged(a_refund(-336), three_for_1001, before=before) == [EXCEEDS]
    assert flagged(a_refund(-1002), three_for_1001) == [EXCEEDS]


def test_what_is_paid_back_may_be_rounded_to_a_step_of_the_store():
    card = a_sale_of(998)
    rounded = a_refund(lines=[plain_line(-998)], rounding=-2, total=-1000)
    further = a_refund(lines=[plain_line(-998)], rounding=-52, total=-1050)
    five = StoreSettings(rounding_step=5)
    assert flagged(rounded, card, settings=five) == []
    assert flagged(further, card, settings=five) == [EXCEEDS]
    assert flagged(rounded, card) == [EXCEEDS]
    assert flagged(a_refund(-1050), card, settings=five) == [EXCEEDS]


def test_a_refund_of_a_discounted_order_may_not_forget_the_discount():
    discounted = a_sale_of(509, total=458)
    lines = [plain_line(-509), plain_line(51, kind="discount")]
    assert flagged(a_refund(lines=lines, total=-458), discounted) == []
    assert flagged(a_refund(-509), discounted) == [EXCEEDS]


def test_what_an_exchange_took_back_may_be_paid_back_for_what_it_gave():
    exchange = a_sale_of(900, total=100, gave_back=800)
    assert flagged(a_refund(-900), exchange) == []
    assert flagged(a_refund(-901), exchange) == [EXCEEDS]


def test_an_exchange_and_a_refund_of_the_same_goods_are_more_than_was_sold():
    before = GivenBack(amount=800, line_count=1, paid_back=0)
    assert flagged(a_refund(-800), a_sale_of(800), before=before) == [EXCEEDS]
    exchange = an_order(lines=[plain_line(-800, refund_of=str(X)), plain_line(900)], total=100, payments=[cash(100)])
    assert flagged(exchange, a_sale_of(800), before=before) == [("refund-exceeds-original", "/lines/0/refund_of")]


def test_a_refund_of_a_refund_is_neither_exceeded_nor_late():
    refund = a_sale_of(0, is_sale=False, methods=None)
    late = StoreSettings(refund_days=0)
    assert flagged(a_refund(-240), refund, settings=late) == [("refund-of-refund", "/refund_of")]


def test_what_comes_back_after_the_days_that_the_store_allows_is_flagged():
    month = StoreSettings(refund_days=30)
    on_time, late = "2026-03-31T10:00:00Z", "2026-03-31T10:00:01Z"
    assert flagged(a_refund(-240, closed_at=on_time), a_sale_of(240), settings=month) == []
    assert flagged(a_refund(-240, closed_at=late), a_sale_of(240), settings=month) == [
        ("refund-too-late", "/closed_at")
    ]
    assert flagged(a_refund(-240, closed_at="2027-03-31T10:00:00Z"), a_sale_of(240)) == []
    exchange = an_order(lines=[plain_line(-240, refund_of=str(X)), plain_line(240)], closed_at=late)
    assert flagged(exchange, a_sale_of(240), settings=month) == [("refund-too-late", "/lines/0/refund_of")]


def test_a_setting_of_more_days_than_there_are_flags_nothing():
    ancient = a_sale_of(240, closed_at=datetime(2000, 1, 1, tzinfo=UTC))
    assert flagged(a_refund(-240), ancient, settings=StoreSettings(refund_days=2**31 - 1)) == []


def by_method(order: Order, *originals: Original | None) -> list[tuple[str, str]]:
    return places(tuple(method_flags(order, originals=originals)))


def test_money_back_in_another_method_is_flagged():
    in_cash, differs = a_refund(-100), [("refund-method-differs", "/payments/0/method")]
    assert by_method(in_cash, a_sale_of(100)) == []
    assert by_method(in_cash, a_sale_of(100, methods=frozenset({"on_account"}))) == differs
    assert by_method(in_cash, a_sale_of(100, methods=frozenset({"on_account", "cash"}))) == []
    assert by_method(in_cash, a_sale_of(100, methods=frozenset({"card"})), a_sale_of(100)) == []
    assert by_method(in_cash, a_sale_of(0, methods=frozenset())) == differs


def test_nothing_is_said_of_the_method_where_an_original_is_unknown_or_nothing_was_paid():
    in_cash, card = a_refund(-100), a_sale_of(100, methods=frozenset({"card"}))
    assert by_method(in_cash, card, None) == []
    assert by_method(in_cash, card, a_sale_of(0, methods=None)) == []


def test_only_money_that_goes_back_counts():
    card = a_sale_of(100, methods=frozenset({"card"}))
    assert by_method(a_refund(-100, payments=[cash(-50), cash(50), paid_by("card", -100)]), card) == []
    two = a_refund(-100, payments=[paid_by("card", -50), cash(-60), cash(10)])
    assert by_method(two, card) == [("refund-method-differs", "/payments/1/method")]


def test_returns_add_up():
    one = Return(original=X, amount=240, line_count=2, paid_back=240)
    assert NOTHING.plus(one).plus(one) == GivenBack(amount=480, line_count=4, paid_back=480)
