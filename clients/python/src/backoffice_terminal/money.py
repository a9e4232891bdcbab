"""Exact arithmetic in minor units. No float enters or leaves this module."""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

# ISO 4217 currencies whose minor unit is not a hundredth.
_EXPONENTS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX"), 0),
    **dict.fromkeys(("UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
MOST_CASH = 10**12
"""Minor units; no amount is larger (protocol §2.4)."""
_DECIMAL = re.compile(r"-?[0-9]+(?:\.([0-9]+))?", re.ASCII)


class TaxRate(NamedTuple):
    """A tax from the catalogue: `TaxRate("FR-5.5", "0.055")`.

    `kind` is `percent`, `compound` (also of the line's other taxes that are not compound) or `fixed`: `per_unit` minor
    units for each unit, whatever the rate.
    """

    code: str
    rate: str
    kind: str = "percent"
    per_unit: int | Fraction = 0


def exponent(currency: str) -> int:
    """How many decimals the currency's minor unit has: USD 2, JPY 0, KWD 3."""
    return _EXPONENTS.get(currency, 2)


def round_half_away(value: Fraction) -> int:
    """The nearest integer, halves away from zero – the only rounding the protocol knows (§2.4)."""
    magnitude = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return magnitude if value >= 0 else -magnitude


def exact(text: str, *, places: int) -> Fraction:
    """A plain decimal string as an exact number.

    Raises ValueError for anything but digits with at most `places` decimals, such as `1e3`, `1_000` or `½`.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None or len(match[1] or "") > places:
        raise ValueError(f"{text!r} is not a decimal with at most {places} decimals")
    return Fraction(text)


def to_minor(text: str, currency: str) -> int:
    """`"10.50"` in USD is 1050; in JPY it raises ValueError, because there is no half yen."""
    digits = exponent(currency)
    return int(exact(text, places=digits) * 10**digits)


def to_text(amount: int, currency: str) -> str:
    """1050 in USD is `10.50`, in JPY `1050`."""
    digits = exponent(currency)
    sign, magnitude = "-" if amount < 0 else "", abs(amount)
    if digits == 0:
        return f"{sign}{magnitude}"
    whole, part = divmod(magnitude, 10**digits)
    return f"{sign}{whole}.{part:0{digits}}"


def extended(quantity: str, unit_price: int | str) -> int:
    """`round(quantity x unit_price)` in minor units (§5, arithmetic)."""
    return round_half_away(exact(quantity, places=4) * exact(str(unit_price), places=4))


def taxes_of(amount: int, *, quantity: str, rates: Sequence[TaxRate], included: bool) -> list[int]:
    """The taxes of a line of `amount` minor units, one for each rate (§5, how a tax is computed).

    If prices include tax, the base is the amount less *all* taxes included in it. If tax is on top, it is the amount.
    """
    percent = sum((exact(tax.rate, places=6) for tax in rates if tax.kind == "percent"), Fraction(0))
    compound = sum((exact(tax.rate, places=6) for tax in rates if tax.kind == "compound"), Fraction(0))
    fixed = {index: _fixed(tax, quantity) for index, tax in enumerate(rates) if tax.kind == "fixed"}
    base = Fraction(amount)
    if included:
        base = (base / (1 + compound) - sum(fixed.values())) / (1 + percent)
    with_taxes = base * (1 + percent) + sum(fixed.values())
    return [
        fixed[index]
        if tax.kind == "fixed"
        else round_half_away(exact(tax.rate, places=6) * (with_taxes if tax.kind == "compound" else base))
        for index, tax in enumerate(rates)
    ]


def _fixed(tax: TaxRate, quantity: str) -> int:
    return round_half_away(tax.per_unit * exact(quantity, places=4))


def allocate(amount: int, weights: Sequence[int]) -> list[int]:
    """Divides `amount` in proportion to `weights` (none negative, not all zero), by largest remainder.

    The parts add up to `amount` exactly.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError("no weight may be negative, and not all may be zero")
    magnitude = abs(amount)
    parts = [magnitude * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(magnitude * weights[i] % total), i))
    for index in by_remainder[: magnitude - sum(parts)]:
        parts[index] += 1
    return parts if amount >= 0 else [-part for part in parts]


def round_to_step(amount: int, step: int) -> int:
    """The nearest multiple of `step` minor units, for countries without small coins: 1002 in steps of 5 is 1000."""
    return round_half_away(Fraction(amount, step)) * step


def check_cash(amount: int) -> None:
    """Called before saving: an amount that Back Office never accepts would be retried for ever, blocking the rest."""
    if not 0 <= amount <= MOST_CASH:
        raise ValueError(f"{amount} is not an amount of cash: a drawer holds 0 to {MOST_CASH} minor units")
