"""What holds an order, and keeps it out of the books until a person decides."""

from typing import Any

import pytest

from backoffice.domain.accounts import CASH_REASON_ACCOUNTS, LINE_KINDS, PAYMENT_ACCOUNTS
from backoffice.domain.limits import has_long_texts, shortened
from backoffice.domain.reasons import REASONS
from backoffice.domain.rules import MAX_OF_A_CODE, flags, holds, movement_flags, movement_holds
from tests.unit.domain.builders import (
    NO_SETTINGS,
    ORDINARY,
    a_movement,
    a_shift,
    an_order,
    cash,
    paid_by,
    places,
    plain_line,
    wire_line,
    wire_tax,
)


def held(*, prices_include_tax: bool = True, **fields: Any) -> list[tuple[str, str]]:
    reasons = holds(an_order(**fields), shift=a_shift(prices_include_tax=prices_include_tax), methods=PAYMENT_ACCOUNTS)
    assert all(REASONS[reason.code].kind == "hold" and reason.detail for reason in reasons)
    return places(reasons)


def test_an_order_that_adds_up_is_not_held():
    assert held() == []
    assert held(prices_include_tax=False, total=253, payments=[cash(253)]) == []
    assert held(lines=[], total=0, payments=[]) == []


@pytest.mark.parametrize("off_by", [1, -1, 1000])
def test_a_total_that_is_not_the_sum_of_its_lines_is_held(off_by):
    total = 240 + off_by
    assert held(total=total, payments=[cash(total)]) == [("sums-do-not-add-up", "/total")]
    assert held(prices_include_tax=False, total=253 + off_by, payments=[cash(253 + off_by)]) == [
        ("sums-do-not-add-up", "/total")
    ]


def test_payments_that_are_not_total_and_tip_are_held():
    assert held(payments=[cash(239)]) == [("payments-do-not-add-up", "/payments")]
    assert held(payments=[]) == [("payments-do-not-add-up", "/payments")]
    assert held(tip=10) == [("payments-do-not-add-up", "/payments")]
    assert held(tip=10, payments=[cash(250)]) == []


def test_rounding_is_part_of_the_total():
    assert held(rounding=-2, total=238, payments=[cash(238)]) == []
    assert held(rounding=-2) == [("sums-do-not-add-up", "/total")]


def test_everything_that_is_wrong_is_said_at_once():
    assert held(total=1, lines=[wire_line(kind="mystery")], payments=[paid_by("shells", 5)]) == [
        ("sums-do-not-add-up", "/total"),
        ("payments-do-not-add-up", "/payments"),
        ("unknown-line-kind", "/lines/0/kind"),
        ("unmapped-method", "/payments/0/method"),
    ]


@pytest.mark.parametrize("method", sorted(PAYMENT_ACCOUNTS))
def test_every_method_of_the_protocol_is_mapped_by_default(method):
    assert held(payments=[paid_by(method, 240)]) == []


def test_a_method_that_the_store_does_not_map_is_held():
    order = an_order(payments=[paid_by("points", 140), cash(100)])
    reasons = holds(order, shift=a_shift(), methods={"cash"})
    assert places(reasons) == [("unmapped-method", "/payments/0/method")]


@pytest.mark.parametrize("kind", sorted(LINE_KINDS))
def test_every_line_kind_of_the_protocol_is_posted(kind):
    assert held(lines=[wire_line(kind=kind)]) == []


def test_a_refund_that_would_take_money_is_held():
    sign = ("refund-not-negative", "/total")
    assert held(kind="refund") == [sign]
    assert held(kind="refund", lines=[], rounding=1, total=1, payments=[cash(1)]) == [sign]
    assert held(kind="refund", lines=[], total=0, payments=[]) == []
    assert held(kind="sale", lines=[plain_line(-240)], total=-240, payments=[cash(-240)]) == []
    assert held(kind="refund", status="voided") == []


@pytest.mark.parametrize("kind", ["fixed", "compound", "percent"])
def test_every_kind_of_tax_of_the_protocol_is_known(kind):
    assert held(lines=[wire_line(taxes=[{**wire_tax(13), "kind": kind}])]) == []


@pytest.mark.parametrize("prices_include_tax", [True, False])
def test_another_kind_of_tax_is_held(prices_include_tax):
    line = wire_line(taxes=[wire_tax(0), {**wire_tax(0), "kind": "x" * 900}])
    assert held(prices_include_tax=prices_include_tax, lines=[line]) == [("unknown-tax-kind", "/lines/0/taxes/1/kind")]


ADJUSTED = "01953a3e-0000-7000-8000-000000000002"


@pytest.mark.parametrize(
    ("tip", "payments"),
    [
        (200, [paid_by("card", 200)]),
        (0, [cash(-1500), paid_by("card", 1500)]),
        (0, [paid_by("card", -5000), paid_by("on_account", 5000)]),
        (0, []),
    ],
)
def test_an_adjustment_changes_payments_and_tip(tip, payments):
    assert held(adjusts=ADJUSTED, lines=[], total=0, tip=tip, payments=payments) == []
    assert held(adjusts=ADJUSTED, lines=[], total=0, tip=tip + 1, payments=payments) == [
        ("payments-do-not-add-up", "/payments")
    ]


def test_an_adjustment_that_sells_is_held_even_if_its_sums_are_right():
    assert held(adjusts=ADJUSTED) == [("adjustment-with-lines", "/lines")]
    assert held(adjusts=ADJUSTED, lines=[plain_line(0)], total=0, payments=[]) == [("adjustment-with-lines", "/lines")]
    assert held(adjusts=ADJUSTED, lines=[], rounding=2, total=2, payments=[cash(2)]) == [
        ("adjustment-with-lines", "/total")
    ]
    assert held(adjusts=ADJUSTED, status="voided") == []


@pytest.mark.parametrize("status", ["voided", "training"])
def test_what_was_voided_or_practised_may_be_empty(status):
    assert held(status=status, lines=[], payments=[]) == []


@pytest.mark.parametrize("status", ["voided", "training"])
def test_what_was_voided_or_practised_is_not_checked(status):
    assert held(status=status, total=1, lines=[wire_line(kind="mystery")], payments=[paid_by("shells", 5)]) == []


LIMITS: list[tuple[dict[str, Any], str]] = [
    ({"lines": [plain_line(0)] * 501}, "/lines"),
    ({"payments": [cash(0)] * 21}, "/payments"),
    ({"lines": [wire_line(taxes=[wire_tax(0)] * 11)]}, "/lines/0/taxes"),
    ({"lines": [wire_line(kind="x" * 65)]}, "/lines/0/kind"),
    ({"lines": [wire_line(taxes=[wire_tax(0, code="x" * 65)])]}, "/lines/0/taxes/0/code"),
    ({"payments": [paid_by("x" * 65, 0)]}, "/payments/0/method"),
    ({"type": "x" * 65}, "/type"),
]


@pytest.mark.parametrize(("fields", "pointer"), LIMITS, ids=[pointer for _, pointer in LIMITS])
def test_an_order_beyond_a_limit_is_held_whatever_its_status(fields, pointer):
    for status in ("paid", "voided", "training"):
        assert ("limit-exceeded", pointer) in held(status=status, **fields)


def test_an_order_at_every_limit_is_not_held():
    line = plain_line(1, sku="x" * 64, name="é" * 200, taxes=[wire_tax(0, code="x" * 64)] * 10)
    payment = cash(25, reference="x" * 64)
    lines = [line] * 100 + [plain_line(1)] * 400  # all of them at every limit would be more than 256 KiB
    assert held(lines=lines, total=500, payments=[payment] * 20, cashier="x" * 64, note="😀" * 500, type="x" * 64) == []


def test_of_many_wrong_lines_only_the_first_few_are_told():
    reasons = held(lines=[wire_line(kind="mystery")] * 120, payments=[])
    assert reasons[0] == ("sums-do-not-add-up", "/total")
    assert [pointer for code, pointer in reasons if code == "unknown-line-kind"] == [
        f"/lines/{index}/kind" for index in range(MAX_OF_A_CODE)
    ]


@pytest.mark.parametrize("amount", [0, -5000])
def test_a_cash_movement_must_be_above_zero(amount):
    assert places(movement_holds(a_movement(amount=amount))) == [("amount-not-positive", "/amount")]


def test_a_cash_movement_beyond_a_limit_is_held():
    assert movement_holds(a_movement()) == ()
    assert places(movement_holds(a_movement(reason="x" * 65, cashier="x" * 65))) == [("limit-exceeded", "/reason")]


LONG_TEXTS = {
    "cashier": "x" * 65,
    "note": "😀" * 501,
    "lines": [plain_line(240), plain_line(0, sku="x" * 65, name="é" * 201)],
    "payments": [cash(240), cash(0, reference="x" * 65)],
}


def test_a_text_that_only_describes_is_shortened_and_flagged_instead_of_held():
    order = an_order(**LONG_TEXTS)
    assert holds(order, shift=a_shift(), methods=PAYMENT_ACCOUNTS) == ()
    assert has_long_texts(order)
    kept = shortened(order)
    assert places(flags(order, shift=a_shift(), settings=NO_SETTINGS, circumstances=ORDINARY)) == [
        ("text-shortened", "/cashier"),
        ("text-shortened", "/note"),
        ("text-shortened", "/lines/1/sku"),
        ("text-shortened", "/lines/1/name"),
        ("text-shortened", "/payments/1/reference"),
    ]
    assert (len(kept.cashier), kept.note) == (64, "😀" * 500)
    assert (kept.lines[1].sku, kept.lines[1].name) == ("x" * 64, "é" * 200)
    assert kept.payments[1].reference == "x" * 64
    assert (kept.lines[0], kept.payments[0], kept.total) == (order.lines[0], order.payments[0], order.total)
    assert not has_long_texts(kept)


def test_a_text_at_its_limit_is_left_alone():
    line = plain_line(240, sku="x" * 64, name="x" * 200)
    assert not has_long_texts(
        an_order(cashier="x" * 64, note="x" * 500, lines=[line], payments=[cash(240, reference="x" * 64)])
    )


@pytest.mark.parametrize("field", ["cashier", "note", "lines", "payments"])
def test_each_long_text_alone_is_seen(field):
    assert has_long_texts(an_order(**{field: LONG_TEXTS[field]}))


def test_the_cashier_of_a_cash_movement_is_shortened_too():
    movement = a_movement(cashier="x" * 65)
    flagged = movement_flags(movement, shift=a_shift(), reasons=CASH_REASON_ACCOUNTS, circumstances=ORDINARY)
    assert places(flagged) == [("text-shortened", "/cashier")]


HUGE = 10**12
SMALL = plain_line(1, discount=HUGE, taxes=[wire_tax(-HUGE)])


def test_a_discount_that_no_account_can_hold_is_held():
    """Taxes of a trillion in an amount of one cent: less them, the discount has 25 digits."""
    assert ("limit-exceeded", "/lines/0/discount") in held(lines=[SMALL], total=1, payments=[cash(1)])
    assert held(lines=[SMALL], total=1, payments=[cash(1)], status="voided") == []


def test_a_discount_of_any_size_is_posted_where_it_stays_an_amount():
    line = plain_line(1, discount=HUGE, taxes=[wire_tax(0)])
    assert held(lines=[line], total=1, payments=[cash(1)]) == []
