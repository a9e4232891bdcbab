from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice_terminal import TaxRate, money


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4))
def test_it_rounds_halves_away_from_zero_as_decimal_does(value: Decimal) -> None:
    assert money.round_half_away(Fraction(value)) == int(value.quantize(Decimal(1), ROUND_HALF_UP))


@pytest.mark.parametrize(("value", "rounded"), [("0.5", 1), ("-0.5", -1), ("2.5", 3), ("-2.5", -3), ("0.4999", 0)])
def test_halves_on_both_sides_of_zero(value: str, rounded: int) -> None:
    assert money.round_half_away(Fraction(value)) == rounded


def test_fuel_is_sold_at_a_fraction_of_a_minor_unit() -> None:
    assert money.extended("41.37", "159.9") == 6615


def test_a_tax_inside_the_price_is_the_one_of_the_worked_example() -> None:
    assert money.taxes_of(240, quantity="2", rates=[TaxRate("FR-5.5", "0.055")], included=True) == [13]


def test_a_tax_on_top_is_the_one_of_the_worked_example() -> None:
    assert money.taxes_of(5497, quantity="3", rates=[TaxRate("NY", "0.08875")], included=False) == [488]


def test_a_tax_of_a_fixed_tax_is_the_one_of_the_worked_example() -> None:
    rates = [TaxRate("BOTTLE", "0", "fixed", per_unit=29), TaxRate("BE-21", "0.21", "compound")]
    assert money.taxes_of(5702, quantity="1", rates=rates, included=False) == [29, 1204]
    assert money.taxes_of(5702 + 29 + 1204, quantity="1", rates=rates, included=True) == [29, 1204]


def test_a_tax_of_a_tax_is_the_one_of_the_worked_example() -> None:
    rates = [TaxRate("A", "0.1"), TaxRate("B", "0.05", "compound")]
    assert money.taxes_of(1000, quantity="1", rates=rates, included=False) == [100, 55]
    assert money.taxes_of(1155, quantity="1", rates=rates, included=True) == [100, 55]


@given(
    st.integers(-(10**6), 10**6), st.lists(st.sampled_from(["0.05", "0.055", "0.09975", "0.2"]), min_size=1, max_size=3)
)
def test_included_taxes_agree_with_their_rates_on_what_is_left_of_the_line(amount: int, rates: list[str]) -> None:
    taxes = money.taxes_of(amount, quantity="1", rates=[TaxRate("T", rate) for rate in rates], included=True)
    base = amount - sum(taxes)
    for tax, rate in zip(taxes, rates, strict=True):
        assert abs(tax - Fraction(rate) * base) <= 1


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**6), min_size=1).filter(any))
def test_allocated_parts_add_up_and_none_is_off_by_a_whole_unit(amount: int, weights: list[int]) -> None:
    parts = money.allocate(amount, weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(amount * weight, sum(weights))) < 1


@pytest.mark.parametrize("text", ["1e3", "1_000", "\u0661", "", ".5", "5.", "+1", " 1", "1.23456", "NaN"])
def test_it_refuses_what_is_not_a_plain_decimal(text: str) -> None:
    with pytest.raises(ValueError, match="not a decimal"):
        money.exact(text, places=4)


@pytest.mark.parametrize(
    ("text", "currency", "minor"), [("10.50", "USD", 1050), ("1050", "JPY", 1050), ("-0.005", "KWD", -5)]
)
def test_amounts_follow_the_currency_both_ways(text: str, currency: str, minor: int) -> None:
    assert money.to_minor(text, currency) == minor
    assert money.to_text(minor, currency) == text


def test_there_is_no_half_yen() -> None:
    with pytest.raises(ValueError, match="decimal"):
        money.to_minor("10.5", "JPY")


def test_swiss_coins() -> None:
    assert [money.round_to_step(amount, 5) for amount in (1002, 1003, -1002)] == [1000, 1005, -1000]
