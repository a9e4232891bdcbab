"""Totals, expected cash, differences, gaps and states of a shift; money's rounding; the default chart's words."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.domain.money import divide_half_away, gross_amount, tax_is_plausible
from backoffice.domain.numbers import missing_ranges
from backoffice.domain.reasons import REASONS
from backoffice.domain.scalars import Quantity, Rate, UnitPrice
from backoffice.domain.states import (
    SHIFT_TRANSITIONS,
    ShiftState,
    TransitionRefused,
    check_shift_transition,
)
from backoffice.domain.totals import (
    Difference,
    ShiftTotals,
    compute_totals,
    expected_cash,
    reconcile,
    settled_state,
)
from tests.unit.domain.builders import an_order, cash, paid_by, plain_line, wire_line, wire_tax


def test_a_shift_adds_up_as_the_terminal_does():
    orders = [
        an_order(),
        an_order(lines=[wire_line()], tip=60, payments=[paid_by("card", 300)]),
        an_order(lines=[plain_line(1002)], rounding=-2, total=1000, payments=[cash(1000)]),
        an_order(
            kind="refund", lines=[wire_line(quantity="-2", amount=-240, taxes=[wire_tax(-13)])], total=-240,
            payments=[cash(-240)],
        ),
        an_order(status="voided", total=99999, rounding=5, tip=5),
        an_order(status="training", total=99999),
    ]  # fmt: skip
    totals = compute_totals(orders)
    assert totals == ShiftTotals(
        order_count=6, sales=1480, refunds=-240, tax=13, tips=60, rounding=-2, payments={"cash": 1000, "card": 300}
    )
    assert sum(totals.payments.values()) == totals.sales + totals.refunds + totals.tips


def test_an_empty_shift_adds_up_to_nothing():
    assert compute_totals([]) == ShiftTotals()


def test_the_drawer_should_hold_the_float_and_what_came_in_less_what_went_out():
    assert expected_cash(opening_float=20000, cash_payments=42350, cash_in=5000, cash_out=800) == 66550


def test_a_shift_that_agrees_has_no_differences():
    declared = ShiftTotals(order_count=2, sales=480, payments={"cash": 480, "card": 0})
    computed = ShiftTotals(order_count=2, sales=480, payments={"cash": 480, "points": 0})
    assert reconcile(declared=declared, computed=computed) == []


def test_every_figure_that_differs_is_listed_as_declared_less_computed():
    declared = ShiftTotals(
        order_count=3, sales=500, refunds=-10, tax=3, tips=2, rounding=1, payments={"wallet": 5, "cash": 480}
    )
    computed = ShiftTotals(order_count=2, sales=480, payments={"cash": 480, "card": 7})
    assert reconcile(declared=declared, computed=computed) == [
        Difference("order_count", 3, 2, 1),
        Difference("sales", 500, 480, 20),
        Difference("refunds", -10, 0, -10),
        Difference("tax", 3, 0, 3),
        Difference("tips", 2, 0, 2),
        Difference("rounding", 1, 0, 1),
        Difference("payments.card", 0, 7, -7),
        Difference("payments.wallet", 5, 0, 5),
    ]


@pytest.mark.parametrize(
    ("waiting", "missing", "held", "differences", "state"),
    [
        (1, 0, 0, 0, "closing"),
        (0, 1, 1, 1, "closing"),
        (0, 0, 1, 0, "discrepant"),
        (0, 0, 0, 1, "discrepant"),
        (0, 0, 0, 0, "reconciled"),
    ],
)
def test_a_closed_shift_settles_when_everything_has_arrived(waiting, missing, held, differences, state):
    settled = settled_state(waiting_batches=waiting, missing_numbers=missing, held=held, differences=differences)
    assert settled == state


def missing(first: int, last: int, used: list[int], limit: int = 100) -> list[tuple[int, int]]:
    return missing_ranges(declared_first=first, declared_last=last, used=used, limit=limit)


def test_a_gap_is_named_until_it_is_filled():
    assert missing(1001, 1005, [1001, 1002, 1005]) == [(1003, 1004)]
    assert missing(1001, 1005, [1005, 1003, 1001, 1002, 1003]) == [(1004, 1004)]
    assert missing(1001, 1005, [1001, 1002, 1003, 1004, 1005]) == []


def test_gaps_at_both_ends_are_named():
    assert missing(1001, 1010, [1004, 1005, 7, 2000]) == [(1001, 1003), (1006, 1010)]
    assert missing(1001, 1010, []) == [(1001, 1010)]


def test_an_empty_shift_misses_nothing():
    assert missing(1001, 1000, [1, 2]) == []


def test_a_terminal_that_declares_every_number_there_is_costs_nothing():
    assert missing(1, 2**53 - 1, [5]) == [(1, 4), (6, 2**53 - 1)]


def test_at_most_so_many_ranges_are_named():
    assert missing(1, 1000, list(range(2, 1000, 2)), limit=3) == [(1, 1), (3, 3), (5, 5)]
    assert missing(1, 3, [2], limit=1) == [(1, 1)]
    assert missing(1, 3, [], limit=0) == []


@given(st.integers(1, 30), st.integers(0, 30), st.lists(st.integers(0, 60)))
def test_the_ranges_are_exactly_the_numbers_that_are_missing(first, width, used):
    last = first + width - 1
    ranges = missing(first, last, used)
    named = [number for start, end in ranges for number in range(start, end + 1)]
    assert named == sorted(set(range(first, last + 1)) - set(used))
    assert all(end + 1 < start for (_, end), (start, _) in pairwise(ranges))


def test_a_shift_goes_from_open_to_approved():
    for present, wanted in [("open", "closing"), ("closing", "discrepant"), ("discrepant", "approved")]:
        check_shift_transition(present=ShiftState(present), wanted=ShiftState(wanted))


def test_late_arrivals_reconcile_again_even_what_was_approved():
    for settled in (ShiftState.RECONCILED, ShiftState.DISCREPANT, ShiftState.APPROVED):
        assert {ShiftState.RECONCILED, ShiftState.DISCREPANT} - {settled} <= SHIFT_TRANSITIONS[settled]


@pytest.mark.parametrize("wanted", ["reconciled", "discrepant", "approved", "open"])
def test_an_open_shift_can_only_be_closed(wanted):
    with pytest.raises(TransitionRefused, match="A shift that is open cannot become"):
        check_shift_transition(present=ShiftState.OPEN, wanted=ShiftState(wanted))


def test_no_shift_opens_again():
    assert all(ShiftState.OPEN not in following for following in SHIFT_TRANSITIONS.values())
    assert set(SHIFT_TRANSITIONS) == set(ShiftState)


@given(st.integers(-(10**40), 10**40), st.integers(-(10**10), 10**10).filter(bool))
def test_division_rounds_halves_away_from_zero(numerator, denominator):
    exact = Fraction(numerator, denominator)
    expected = int(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)
    assert divide_half_away(numerator=numerator, denominator=denominator) == expected


@pytest.mark.parametrize(("text", "rounded"), [("0.5", 1), ("-0.5", -1), ("2.5", 3), ("0.4999", 0), ("7", 7)])
def test_a_half_goes_away_from_zero(text, rounded):
    exact = Fraction(text)
    assert divide_half_away(numerator=exact.numerator, denominator=exact.denominator) == rounded
    assert divide_half_away(numerator=-exact.numerator, denominator=-exact.denominator) == rounded


@given(st.decimals(-(10**6), 10**6, places=4), st.decimals(-(10**6), 10**6, places=4))
def test_a_gross_amount_is_exact(quantity, price):
    exact = Fraction(quantity) * Fraction(price)
    expected = divide_half_away(numerator=exact.numerator, denominator=exact.denominator)
    assert gross_amount(quantity=Quantity(f"{quantity:f}"), unit_price=UnitPrice(f"{price:f}")) == expected


@given(st.integers(-(10**6), 10**6), st.integers(0, 300_000), st.integers(-3, 3))
def test_a_tax_is_plausible_within_one_of_its_rounded_rate(base, rate, off_by):
    tax = divide_half_away(numerator=base * rate, denominator=10**6)
    spelled = Rate(f"{Decimal(rate) / 10**6:f}")
    assert tax_is_plausible(tax=tax + off_by, base=base, rate=spelled) == (abs(off_by) <= 1)


def test_every_reason_has_words_for_people():
    for code, reason in REASONS.items():
        assert code == code.lower()
        assert " " not in code
        assert reason.title.endswith(".")
        assert reason.kind in {"flag", "hold", "conflict"}
