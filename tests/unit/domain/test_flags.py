"""What flags an order or a cash movement that is posted all the same."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from backoffice.domain.accounts import CASH_REASON_ACCOUNTS
from backoffice.domain.reasons import REASONS
from backoffice.domain.rules import (
    CardPayment,
    Circumstances,
    StoreSettings,
    card_references,
    family_of,
    flags,
    movement_flags,
    same_card_flags,
)
from tests.unit.domain.builders import (
    NO_SETTINGS,
    ORDER_ID,
    ORDINARY,
    OTHER_ID,
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


def flagged(
    *,
    settings: StoreSettings = NO_SETTINGS,
    circumstances: Circumstances = ORDINARY,
    shift: dict[str, Any] | None = None,
    **fields: Any,
) -> list[tuple[str, str]]:
    reasons = flags(an_order(**fields), shift=a_shift(**shift or {}), settings=settings, circumstances=circumstances)
    assert all(REASONS[reason.code].kind == "flag" and reason.detail for reason in reasons)
    return places(reasons)


def test_an_ordinary_order_has_no_flags():
    assert flagged() == []
    assert flagged(mode="offline", printed_to="local", type="takeaway") == []


def test_a_customer_on_an_offline_order_is_flagged():
    assert flagged(mode="offline", customer={}) == [("customer-on-offline-order", "/customer")]
    assert flagged(mode="online", customer={}) == []


def test_a_network_print_of_an_offline_order_is_flagged():
    assert flagged(mode="offline", printed_to="network") == [("network-print-on-offline-order", "/printed_to")]
    assert flagged(mode="online", printed_to="network") == []


def test_an_order_closed_outside_its_shift_is_flagged():
    assert flagged(closed_at="2026-03-01T07:59:59+01:00") == [("outside-shift-hours", "/closed_at")]
    assert flagged(closed_at="2026-03-01T08:00:00+01:00") == []
    ended = {"closed_at": datetime(2026, 3, 1, 10, 1, 59, tzinfo=UTC)}
    assert flagged(shift=ended) == [("outside-shift-hours", "/closed_at")]
    assert flagged(shift={"closed_at": datetime(2026, 3, 1, 10, 2, tzinfo=UTC)}) == []


@pytest.mark.parametrize("skew_ms", [600_001, -600_001, 631_152_000_000])
def test_a_clock_that_is_far_away_is_flagged(skew_ms):
    assert flagged(circumstances=Circumstances(clock_skew_ms=skew_ms)) == [("clock-skew", "")]


@pytest.mark.parametrize("skew_ms", [None, 0, 600_000, -600_000])
def test_a_clock_within_ten_minutes_is_not(skew_ms):
    assert flagged(circumstances=Circumstances(clock_skew_ms=skew_ms)) == []


def test_an_order_that_came_late_is_flagged():
    assert flagged(circumstances=Circumstances(late=True)) == [("late", "")]


def test_a_number_below_the_first_of_the_shift_is_flagged():
    assert flagged(number=1000) == [("number-out-of-range", "/number")]
    assert flagged(number=1001) == []


def test_a_table_that_an_earlier_shift_opened_keeps_its_number_and_its_time():
    earlier = "2026-03-01T07:59:59+01:00"
    assert flagged(number=1000, opened_at=earlier) == []
    assert flagged(number=1000, opened_at="2026-03-01T08:00:00+01:00") == [("number-out-of-range", "/number")]


@pytest.mark.parametrize("order_type", ["on_table", "takeaway", "delivery", None])
def test_the_types_of_the_protocol_are_known_everywhere(order_type):
    assert flagged(type=order_type) == []


def test_another_type_is_flagged_unless_the_store_knows_it():
    assert flagged(type="drive_thru") == [("unknown-type", "/type")]
    drive_thru = StoreSettings(order_types=frozenset({"drive_thru"}))
    assert flagged(type="drive_thru", settings=drive_thru) == []
    assert flagged(type="takeaway", settings=drive_thru) == [("unknown-type", "/type")]


def test_a_line_that_is_not_quantity_times_price_less_discount_is_flagged():
    assert flagged(lines=[wire_line(), wire_line(unit_price=121)]) == [("line-amount-mismatch", "/lines/1/amount")]
    assert flagged(lines=[wire_line(unit_price=130, discount=20)]) == []
    assert flagged(lines=[wire_line(unit_price=130, discount=19)]) == [("line-amount-mismatch", "/lines/0/amount")]


def test_a_line_whose_amount_has_the_other_sign_is_flagged_for_that():
    mismatch, sign = ("line-amount-mismatch", "/lines/0/amount"), ("sign-mismatch", "/lines/0/amount")
    assert flagged(lines=[wire_line(quantity="-2", taxes=[])]) == [mismatch, sign]
    assert flagged(lines=[wire_line(amount=-240, taxes=[])]) == [mismatch, sign]
    # Before discount it has the right one, or none.
    assert flagged(lines=[wire_line(amount=-10, discount=250, taxes=[])]) == []
    assert flagged(lines=[wire_line(amount=0, taxes=[])]) == [mismatch]
    assert flagged(lines=[wire_line(amount=-300, discount=310, taxes=[])]) == [mismatch]


@pytest.mark.parametrize(
    ("quantity", "price", "amount"),
    [("0.5", 1, 1), ("-0.5", 1, -1), ("0.350", 999, 350), ("41.27", "149.9", 6186), ("0.4999", 1, 0), ("-1.5", 1, -2)],
)
def test_a_half_is_rounded_away_from_zero(quantity, price, amount):
    line = {"quantity": quantity, "unit_price": price, "amount": amount}
    assert flagged(lines=[line]) == []
    assert flagged(lines=[{**line, "amount": amount + 1}]) == [("line-amount-mismatch", "/lines/0/amount")]


@pytest.mark.parametrize(("amount", "is_flagged"), [(11, True), (12, False), (13, False), (14, True)])
def test_an_included_tax_may_be_one_minor_unit_off(amount, is_flagged):
    expected = [("tax-mismatch", "/lines/0/taxes/0/amount")] if is_flagged else []
    assert flagged(lines=[plain_line(240, taxes=[wire_tax(amount)])]) == expected


@pytest.mark.parametrize(("amount", "is_flagged"), [(486, True), (487, False), (489, False), (490, True)])
def test_a_tax_on_top_may_be_one_minor_unit_off(amount, is_flagged):
    line = {"quantity": "1", "unit_price": 5497, "amount": 5497, "taxes": [wire_tax(amount, "0.08875", "NY")]}
    expected = [("tax-mismatch", "/lines/0/taxes/0/amount")] if is_flagged else []
    assert flagged(shift={"prices_include_tax": False}, lines=[line]) == expected


def test_an_included_tax_that_was_rounded_up_for_the_receipts_sake_is_not_flagged():
    line = {"quantity": "1", "unit_price": 10, "amount": 10, "taxes": [wire_tax(3, "0.26")]}
    assert flagged(lines=[line]) == []


def test_the_base_of_a_tax_is_less_all_the_taxes_included():
    taxes = [wire_tax(100, "0.10", "A"), wire_tax(50, "0.05", "B")]
    line = {"quantity": "1", "unit_price": 1150, "amount": 1150, "taxes": taxes}
    assert flagged(lines=[line]) == []
    assert flagged(shift={"prices_include_tax": False}, lines=[line]) == [
        ("tax-mismatch", "/lines/0/taxes/0/amount"),
        ("tax-mismatch", "/lines/0/taxes/1/amount"),
    ]


ON_TOP = {"prices_include_tax": False}


def test_a_tax_on_a_tax_is_computed_of_both():
    # The government's bottle deposit of 29 is taxed like the price: 21 % of 5702 + 29.
    bottle = [{**wire_tax(29, "0", "BE-CRV"), "kind": "fixed"}, {**wire_tax(1204, "0.21", "BE-21"), "kind": "compound"}]
    line = {"quantity": "1", "unit_price": "5702.48", "amount": 5702, "taxes": bottle}
    assert flagged(shift=ON_TOP, lines=[line]) == []
    plain = [{**tax, "kind": "percent"} for tax in bottle]
    assert flagged(shift=ON_TOP, lines=[{**line, "taxes": plain}]) == [
        ("tax-mismatch", "/lines/0/taxes/0/amount"),
        ("tax-mismatch", "/lines/0/taxes/1/amount"),
    ]


def test_the_base_of_a_compound_tax_has_no_other_compound_tax_in_it():
    taxes = [wire_tax(100, "0.10", "A"), *({**wire_tax(55, "0.05", code), "kind": "compound"} for code in "BC")]
    assert flagged(shift=ON_TOP, lines=[plain_line(1000, taxes=taxes)]) == []
    assert flagged(lines=[plain_line(1210, taxes=taxes)]) == []  # included, the base is 1210 - 100 - 55 - 55


@pytest.mark.parametrize(
    ("quantity", "off_by", "is_flagged"),
    [
        ("1", 1, False),
        ("1", 2, True),
        ("1.9", 2, True),
        ("2", 2, False),
        ("2", 3, True),
        ("-5", 3, False),
        ("-5", 4, True),
    ],
)
def test_a_tax_may_be_half_a_unit_further_away_for_each_whole_piece(quantity, off_by, is_flagged):
    amount = int(float(quantity) * 10000)
    for tax in (amount // 10 + off_by, amount // 10 - off_by):
        line = {"quantity": quantity, "unit_price": 10000, "amount": amount, "taxes": [wire_tax(tax, "0.1")]}
        assert [code for code, _ in flagged(shift=ON_TOP, lines=[line])] == ["tax-mismatch"] * is_flagged


def test_a_tax_that_was_rounded_a_piece_at_a_time_is_not_flagged():
    line = {"quantity": "100", "unit_price": 1559, "amount": 155900, "taxes": [wire_tax(14000, "0.09")]}
    assert flagged(shift=ON_TOP, lines=[line]) == []


@pytest.mark.parametrize(
    ("step", "mode", "rounding", "is_flagged"),
    [
        (5, None, 2, False), (5, None, 3, True), (5, "nearest", -2, False), (5, "nearest", -3, True),
        (100, "down", -99, False), (100, "down", -100, True), (100, "up", 99, False), (100, "up", 100, True),
        (0, "down", 0, False), (0, "up", 1, True), (0, None, 1, True),
    ],
)  # fmt: skip
def test_how_a_store_rounds_decides_how_much_is_too_much(step, mode, rounding, is_flagged):
    settings = StoreSettings(rounding_step=step, rounding_mode=mode)
    assert flagged(settings=settings, rounding=rounding) == [("rounding-excessive", "/rounding")] * is_flagged


def test_rounding_beyond_half_of_the_stores_step_is_flagged():
    five = StoreSettings(rounding_step=5)
    assert flagged(settings=five, rounding=2) == flagged(settings=five, rounding=-2) == []
    assert (
        flagged(settings=five, rounding=3)
        == flagged(settings=five, rounding=-3)
        == [("rounding-excessive", "/rounding")]
    )
    assert flagged(rounding=1000) == []


@pytest.mark.parametrize(
    ("payment", "is_flagged"),
    [
        (cash(240), False),
        (cash(240, tendered=240), False),
        (cash(240, tendered=500, change=260), False),
        (cash(240, tendered=500, change=250), True),
        (cash(240, tendered=500), True),
        (cash(240, change=10), True),
        (cash(-2000, change=2000), False),
        (paid_by("card", 240, tendered=500), False),
    ],
)
def test_cash_is_what_was_tendered_less_the_change(payment, is_flagged):
    assert flagged(payments=[payment]) == ([("change-mismatch", "/payments/0/change")] if is_flagged else [])


def test_a_total_above_the_stores_maximum_is_flagged_both_ways():
    assert flagged(settings=StoreSettings(max_order_total=239)) == [("over-max-order-total", "/total")]
    assert flagged(settings=StoreSettings(max_order_total=240)) == []
    assert flagged(settings=StoreSettings(max_order_total=239), total=-240) == [("over-max-order-total", "/total")]


def test_a_refund_below_the_stores_minimum_is_flagged():
    hundred = StoreSettings(min_refund_total=100)
    assert flagged(settings=hundred, kind="refund", total=-99) == [("refund-below-minimum", "/total")]
    assert flagged(settings=hundred, kind="refund", total=-100) == []
    assert flagged(settings=hundred, kind="sale", total=1) == []


@pytest.mark.parametrize("status", ["voided", "training"])
def test_the_arithmetic_of_what_posts_nothing_is_not_flagged(status):
    strict = StoreSettings(max_order_total=0, rounding_step=1)
    line = wire_line(amount=1, taxes=[wire_tax(99)])
    assert flagged(settings=strict, status=status, lines=[line], rounding=9, payments=[cash(1, tendered=9)]) == []
    assert flagged(status=status, number=5) == [("number-out-of-range", "/number")]


def card_order(**fields: Any):
    usual: dict[str, Any] = {"payments": [cash(40), paid_by("card", 200, reference="R1")], **fields}
    return an_order(**usual)


def other_payment(**fields: Any) -> CardPayment:
    usual: dict[str, Any] = {
        "order_id": UUID(OTHER_ID), "reference": "R1", "closed_at": datetime(2026, 3, 1, 10, 2, tzinfo=UTC),
    }  # fmt: skip
    usual = {**usual, **fields}
    return CardPayment(**{"family": frozenset({usual["order_id"]}), **usual})


@pytest.mark.parametrize(("others", "found"), [(50, 1), (51, 0)])
def test_a_reference_that_more_than_fifty_others_have_names_no_payment(others, found):
    shared = [other_payment(order_id=UUID(int=number)) for number in range(others)]
    assert len(same_card_flags(card_order(), others=shared)) == found
    assert len(same_card_flags(card_order(), others=[*shared, other_payment(reference="R2")])) == found


def test_the_same_card_payment_on_two_orders_is_flagged():
    assert places(same_card_flags(card_order(), others=[other_payment()])) == [
        ("same-card-payment", "/payments/1/reference")
    ]


@pytest.mark.parametrize("hours", [24, -24])
def test_the_same_reference_counts_within_a_day_either_way(hours):
    moment = datetime(2026, 3, 1, 10, 2, tzinfo=UTC) + timedelta(hours=hours)
    further = moment + timedelta(seconds=1 if hours > 0 else -1)
    assert same_card_flags(card_order(), others=[other_payment(closed_at=moment)]) != ()
    assert same_card_flags(card_order(), others=[other_payment(closed_at=further)]) == ()


ORIGINAL = "01953a3e-0000-7000-8000-000000000003"
RELATED: list[dict[str, Any]] = [
    {"refund_of": OTHER_ID},
    {"adjusts": OTHER_ID},
    {"lines": [plain_line(-100, refund_of=ORIGINAL), plain_line(340, refund_of=OTHER_ID)]},
]


@pytest.mark.parametrize("fields", RELATED)
def test_an_order_and_its_refunds_exchanges_and_adjustments_share_their_reference(fields: dict[str, Any]):
    assert same_card_flags(card_order(**fields), others=[other_payment()]) == ()
    related = {UUID(ORDER_ID), UUID(OTHER_ID)}
    assert same_card_flags(card_order(), others=[other_payment(family=frozenset(related))]) == ()
    assert same_card_flags(card_order(), others=[other_payment(order_id=UUID(ORDER_ID))]) == ()
    assert {UUID(ORDER_ID), UUID(OTHER_ID)} <= family_of(card_order(**fields))


def test_two_refunds_of_one_order_share_its_reference():
    other = other_payment(family=frozenset({UUID(OTHER_ID), UUID(ORIGINAL)}))
    assert same_card_flags(card_order(refund_of=ORIGINAL), others=[other]) == ()
    assert same_card_flags(card_order(adjusts=ORIGINAL), others=[other]) == ()
    assert same_card_flags(card_order(refund_of="01953a3e-0000-7000-8000-000000000004"), others=[other]) != ()


def test_the_refund_of_an_exchange_shares_the_reference_of_the_first_sale():
    first, exchange, tip = (UUID(int=place) for place in (1, 2, 3))
    sale = other_payment(order_id=first)
    exchanged = other_payment(order_id=exchange, family=frozenset({first, exchange}))
    adjusted = other_payment(order_id=tip, family=frozenset({exchange, tip}))
    refund = card_order(refund_of=str(tip))
    assert same_card_flags(refund, others=[sale, exchanged, adjusted]) == ()
    assert same_card_flags(refund, others=[sale, adjusted]) != ()
    assert same_card_flags(refund, others=[sale, exchanged, adjusted, other_payment(order_id=UUID(int=9))]) != ()


def test_what_an_earlier_look_found_is_not_flagged_again():
    both = card_order(payments=[paid_by("card", 100, reference="R1"), paid_by("card", 140, reference="R2")])
    others = [other_payment(), other_payment(reference="R2")]
    before = same_card_flags(both, others=others[:1])
    assert places(before) == [("same-card-payment", "/payments/0/reference")]
    assert places(same_card_flags(both, others=others, flagged=before)) == [
        ("same-card-payment", "/payments/1/reference")
    ]


def test_an_order_of_many_cards_is_flagged_five_times_however_often_it_is_looked_at():
    references = [f"R{index}" for index in range(9)]
    many = card_order(payments=[paid_by("card", 20, reference=reference) for reference in references])
    others = [other_payment(reference=reference) for reference in references]
    assert len(same_card_flags(many, others=others)) == 5
    before = same_card_flags(many, others=others[:3])
    assert len(before) == 3
    assert len(same_card_flags(many, others=others, flagged=before)) == 2


def test_only_references_of_cards_are_looked_up():
    assert card_references(card_order()) == {"R1"}
    assert card_references(card_order(status="voided")) == set()
    quiet = [paid_by("card", 100), paid_by("gift_card", 40, reference="G1"), paid_by("wallet", 100, reference="W1")]
    assert card_references(card_order(payments=quiet)) == {"W1"}
    assert same_card_flags(card_order(payments=quiet), others=[other_payment(reference="G1")]) == ()


def movement_flagged(circumstances: Circumstances = ORDINARY, **fields: Any) -> list[tuple[str, str]]:
    return places(
        movement_flags(a_movement(**fields), shift=a_shift(), reasons=CASH_REASON_ACCOUNTS, circumstances=circumstances)
    )


def test_a_cash_movement_with_an_unknown_reason_is_flagged():
    assert movement_flagged() == []
    assert movement_flagged(reason="pizza") == [("unknown-cash-reason", "/reason")]
    assert movement_flagged(reason="") == [("unknown-cash-reason", "/reason")]


def test_a_cash_movement_is_flagged_for_its_circumstances():
    assert movement_flagged(Circumstances(late=True, clock_skew_ms=-700_000), occurred_at="2026-03-01T01:00:00Z") == [
        ("outside-shift-hours", "/occurred_at"),
        ("clock-skew", ""),
        ("late", ""),
    ]
