"""What holds an order, and what flags it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from backoffice.domain.accounts import CASH_REASON_ACCOUNTS, LINE_KINDS, PAYMENT_ACCOUNTS
from backoffice.domain.reasons import REASONS, Reason
from backoffice.domain.rules import (
    CardPayment,
    Circumstances,
    Original,
    StoreSettings,
    card_flags,
    card_references,
    flags,
    holds,
    movement_flags,
    movement_holds,
    refund_flags,
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
    plain_line,
    wire_line,
    wire_tax,
)


def places(reasons: tuple[Reason, ...]) -> list[tuple[str, str]]:
    assert all(reason.code in REASONS for reason in reasons)
    return [(reason.code, reason.pointer) for reason in reasons]


def held(*, prices_include_tax: bool = True, **fields: Any) -> list[tuple[str, str]]:
    reasons = holds(
        an_order(**fields), shift=a_shift(prices_include_tax=prices_include_tax), methods=PAYMENT_ACCOUNTS
    )
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


@pytest.mark.parametrize("status", ["voided", "training"])
def test_what_was_voided_or_practised_is_not_checked(status):
    assert held(status=status, total=1, lines=[wire_line(kind="mystery")], payments=[paid_by("shells", 5)]) == []


LIMITS: list[tuple[dict[str, Any], str]] = [
    ({"lines": [plain_line(0)] * 501}, "/lines"),
    ({"payments": [cash(0)] * 21}, "/payments"),
    ({"lines": [wire_line(taxes=[wire_tax(0)] * 11)]}, "/lines/0/taxes"),
    ({"lines": [wire_line(sku="x" * 65)]}, "/lines/0/sku"),
    ({"lines": [wire_line(name="x" * 201)]}, "/lines/0/name"),
    ({"lines": [wire_line(kind="x" * 65)]}, "/lines/0/kind"),
    ({"lines": [wire_line(taxes=[wire_tax(0, code="x" * 65)])]}, "/lines/0/taxes/0/code"),
    ({"payments": [cash(0, reference="x" * 65)]}, "/payments/0/reference"),
    ({"payments": [paid_by("x" * 65, 0)]}, "/payments/0/method"),
    ({"cashier": "x" * 65}, "/cashier"),
    ({"note": "x" * 501}, "/note"),
    ({"type": "x" * 65}, "/type"),
]


@pytest.mark.parametrize(("fields", "pointer"), LIMITS, ids=[pointer for _, pointer in LIMITS])
def test_an_order_beyond_a_limit_is_held_whatever_its_status(fields, pointer):
    for status in ("paid", "voided", "training"):
        assert ("limit-exceeded", pointer) in held(status=status, **fields)


def test_an_order_at_every_limit_is_not_held():
    line = plain_line(1, sku="x" * 64, name="é" * 200, taxes=[wire_tax(0, code="x" * 64)] * 10)
    payment = cash(25, reference="x" * 64)
    assert held(
        lines=[line] * 500, total=500, payments=[payment] * 20, cashier="x" * 64, note="😀" * 500, type="x" * 64
    ) == []


def flagged(
    *,
    settings: StoreSettings = NO_SETTINGS,
    circumstances: Circumstances = ORDINARY,
    shift: dict[str, Any] | None = None,
    **fields: Any,
) -> list[tuple[str, str]]:
    reasons = flags(
        an_order(**fields), shift=a_shift(**shift or {}), settings=settings, circumstances=circumstances
    )
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
    assert flagged(settings=five, rounding=3) == flagged(settings=five, rounding=-3) == [
        ("rounding-excessive", "/rounding")
    ]
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


def test_a_refund_of_an_order_that_has_not_arrived_is_flagged():
    assert refund_flagged(None) == [("refund-of-unknown-order", "/refund_of")]


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


def test_the_same_card_payment_on_two_orders_is_flagged():
    assert places(card_flags(card_order(), others=[other_payment()])) == [
        ("same-card-payment", "/payments/1/reference")
    ]


@pytest.mark.parametrize("hours", [24, -24])
def test_the_same_reference_counts_within_a_day_either_way(hours):
    moment = datetime(2026, 3, 1, 10, 2, tzinfo=UTC) + timedelta(hours=hours)
    further = moment + timedelta(seconds=1 if hours > 0 else -1)
    assert card_flags(card_order(), others=[other_payment(closed_at=moment)]) != ()
    assert card_flags(card_order(), others=[other_payment(closed_at=further)]) == ()


def test_a_refund_and_its_original_share_their_reference():
    assert card_flags(card_order(kind="refund", refund_of=OTHER_ID), others=[other_payment()]) == ()
    assert card_flags(card_order(), others=[other_payment(refund_of=UUID(ORDER_ID))]) == ()
    assert card_flags(card_order(), others=[other_payment(order_id=UUID(ORDER_ID))]) == ()


def test_only_references_of_cards_are_looked_up():
    assert card_references(card_order()) == {"R1"}
    assert card_references(card_order(status="voided")) == set()
    quiet = [paid_by("card", 100), paid_by("gift_card", 40, reference="G1"), paid_by("wallet", 100, reference="W1")]
    assert card_references(card_order(payments=quiet)) == {"W1"}
    assert card_flags(card_order(payments=quiet), others=[other_payment(reference="G1")]) == ()


@pytest.mark.parametrize("amount", [0, -5000])
def test_a_cash_movement_must_be_above_zero(amount):
    assert places(movement_holds(a_movement(amount=amount))) == [("amount-not-positive", "/amount")]


def test_a_cash_movement_beyond_a_limit_is_held():
    assert movement_holds(a_movement()) == ()
    assert places(movement_holds(a_movement(reason="x" * 65, cashier="x" * 65))) == [
        ("limit-exceeded", "/reason"),
        ("limit-exceeded", "/cashier"),
    ]


def movement_flagged(circumstances: Circumstances = ORDINARY, **fields: Any) -> list[tuple[str, str]]:
    return places(
        movement_flags(
            a_movement(**fields), shift=a_shift(), reasons=CASH_REASON_ACCOUNTS, circumstances=circumstances
        )
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
