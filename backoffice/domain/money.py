"""Exact arithmetic on minor units. Rounding is half away from zero, everywhere (protocol §2.4).

Money is an `int` of minor units. Quantities, prices and rates are decimals whose scale is fixed by the protocol, so
they are computed as integers of their smallest unit: exact, and faster than `Decimal` or `Fraction`.
"""

from backoffice.domain.scalars import Quantity, Rate, UnitPrice

_QUANTITY_TIMES_PRICE: int = 10 ** (Quantity.decimals + UnitPrice.decimals)
ONE = Quantity("1")
_TWO_PIECES: int = 2 * 10**Quantity.decimals
_RATE_SCALE: int = 10**Rate.decimals


def divide_half_away(*, numerator: int, denominator: int) -> int:
    """`numerator ÷ denominator` to the nearest integer, a half away from zero. Raises `ZeroDivisionError`."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    quotient = (2 * abs(numerator) + denominator) // (2 * denominator)
    return quotient if numerator >= 0 else -quotient


def gross_amount(*, quantity: Quantity, unit_price: UnitPrice) -> int:
    """`round(quantity * unit_price)` in minor units (protocol §5)."""
    whole, rest = divmod(quantity.scaled * unit_price.scaled, _QUANTITY_TIMES_PRICE)
    if not rest:
        return whole
    return divide_half_away(numerator=quantity.scaled * unit_price.scaled, denominator=_QUANTITY_TIMES_PRICE)


def tax_is_plausible(*, tax: int, base: int, rate: Rate, quantity: Quantity = ONE) -> bool:
    """Whether `tax` differs from its rate on its base by no more than rounding explains (protocol §5).

    That is one minor unit, and half of one for each whole piece of `quantity`, since some tills round a piece at a time.
    `base` is the line's amount less all taxes included in it, in minor units. The rate on the base is rounded to the
    minor unit first, as money always is. Unrounded, a tax taken out of an inclusive price and rounded up for the
    receipt's sake would be flagged, since it makes its own base smaller.
    """
    exact = base * rate.scaled
    if -_RATE_SCALE <= tax * _RATE_SCALE - exact <= _RATE_SCALE:
        return True  # Within one of the unrounded tax, hence of the rounded one.
    tolerance = 1 + abs(quantity.scaled) // _TWO_PIECES
    return abs(tax - divide_half_away(numerator=exact, denominator=_RATE_SCALE)) <= tolerance
