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
    Original,
    StoreSettings,
    card_references,
    flags,
    movement_flags,
    refund_flags,
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


def test_an_order_outside_its_shift_is_flagged():
    assert flagged(opened_at="2026-03-01T07:59:59+01:00") == [("outside-shift-hours", "/opened_at")]
    assert flagged(opened_at="2026-03-01T08:00:00+01:00") == []
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
    assert flagged(lines=[wire_line(taxes=[wire_tax(amount)])]) == expected


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


SOLD_AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


def refund_flagged(original: Original | None, settings: StoreSettings = NO_SETTINGS, **fields: Any):
    refund: dict[str, Any] = {"kind": "refund", "refund_of": OTHER_ID, "total": -240, **fields}
    return places(refund_flags(an_order(**refund), original=original, settings=settings))


def test_a_refund_of_an_order_that_is_not_in_the_books_is_flagged():
    assert refund_flagged(None) == [("refund-of-unknown-order", "/refund_of")]


def test_nothing_can_be_refunded_of_an_order_that_was_voided():
    voided = Original(total=0, closed_at=SOLD_AT)
    assert refund_flagged(voided) == [("refund-exceeds-original", "/total")]
    assert refund_flagged(voided, total=0) == []


def test_what_refunds_nothing_has_no_flags_of_a_refund():
    assert refund_flagged(None, refund_of=None) == []
    assert refund_flagged(None, kind="sale") == []
    assert refund_flagged(None, status="voided") == []


def test_a_refund_may_come_to_the_original_and_no_more():
    assert refund_flagged(Original(total=240, closed_at=SOLD_AT)) == []
    assert refund_flagged(Original(total=239, closed_at=SOLD_AT)) == [("refund-exceeds-original", "/total")]
    assert refund_flagged(Original(total=400, closed_at=SOLD_AT, refunded=-160)) == []
    assert refund_flagged(Original(total=400, closed_at=SOLD_AT, refunded=-161)) == [
        ("refund-exceeds-original", "/total")
    ]


def test_a_refund_after_the_days_that_the_store_allows_is_flagged():
    month = StoreSettings(refund_days=30)
    original = Original(total=240, closed_at=SOLD_AT)
    assert refund_flagged(original, month, closed_at="2026-03-31T10:00:00Z") == []
    assert refund_flagged(original, month, closed_at="2026-03-31T10:00:01Z") == [("refund-too-late", "/closed_at")]
    assert refund_flagged(original, closed_at="2027-03-31T10:00:00Z") == []


def card_order(**fields: Any):
    usual: dict[str, Any] = {"payments": [cash(40), paid_by("card", 200, reference="R1")], **fields}
    return an_order(**usual)


def other_payment(**fields: Any) -> CardPayment:
    usual: dict[str, Any] = {
        "order_id": UUID(OTHER_ID), "refund_of": None, "reference": "R1",
        "closed_at": datetime(2026, 3, 1, 10, 2, tzinfo=UTC),
    }  # fmt: skip
    return CardPayment(**{**usual, **fields})


def test_a_setting_of_more_days_than_there_are_flags_nothing():
    settings = StoreSettings(refund_days=2**31 - 1)
    original = Original(total=240, closed_at=datetime(2000, 1, 1, tzinfo=UTC))
    order = an_order(kind="refund", refund_of=OTHER_ID)
    assert refund_flags(order, original=original, settings=settings) == ()


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


def test_a_refund_and_its_original_share_their_reference():
    assert same_card_flags(card_order(kind="refund", refund_of=OTHER_ID), others=[other_payment()]) == ()
    assert same_card_flags(card_order(), others=[other_payment(refund_of=UUID(ORDER_ID))]) == ()
    assert same_card_flags(card_order(), others=[other_payment(order_id=UUID(ORDER_ID))]) == ()


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
