"""Exact arithmetic on minor units. Rounding is half away from zero, everywhere (protocol §2.4).

Money is an `int` of minor units. Quantities, prices and rates are decimals whose scale is fixed by the protocol, so
they are computed as integers of their smallest unit: exact, and faster than `Decimal` or `Fraction`.
"""

from decimal import ROUND_HALF_UP, Decimal, localcontext

MAX_MINOR = 10**12
"""No amount of money is beyond ±this many minor units (protocol §2.4)."""

QUANTITY_SCALE = 10**4
PRICE_SCALE = 10**4
RATE_SCALE = 10**6
"""How many of its smallest units make one: at most 4, 4 and 6 decimals (protocol §2.4)."""

_PRICE_TIMES_QUANTITY = PRICE_SCALE * QUANTITY_SCALE


def divide_half_away(*, numerator: int, denominator: int) -> int:
    """`numerator ÷ denominator` to the nearest integer, a half away from zero. Raises `ZeroDivisionError`."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    quotient = (2 * abs(numerator) + denominator) // (2 * denominator)
    return quotient if numerator >= 0 else -quotient


def round_half_away(value: Decimal) -> int:
    """A finite `value` to the nearest integer, a half away from zero."""
    with localcontext() as context:
        context.prec = max(28, value.adjusted() + 2)
        return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def gross_amount(*, quantity_scaled: int, unit_price_scaled: int) -> int:
    """`round(quantity × unit_price)` in minor units, both given in ten-thousandths (protocol §5)."""
    return divide_half_away(numerator=quantity_scaled * unit_price_scaled, denominator=_PRICE_TIMES_QUANTITY)


def tax_is_plausible(*, tax: int, base: int, rate_scaled: int) -> bool:
    """Whether `tax` differs by at most one minor unit from its rate on its base (protocol §5).

    `base` is the line's amount less all taxes included in it, `rate_scaled` the rate in millionths. The rate on the
    base is rounded to the minor unit first, as money always is. Unrounded, a tax taken out of an inclusive price and
    rounded up for the receipt's sake would be flagged, since it makes its own base smaller.
    """
    return abs(tax - divide_half_away(numerator=base * rate_scaled, denominator=RATE_SCALE)) <= 1
