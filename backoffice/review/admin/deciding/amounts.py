"""Amounts as people type them, and as the books have them."""

from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django import forms

from backoffice.domain.scalars import MAX_MINOR, UnitPrice


def amount_field(
    currency: str, label: Any, *, required: bool = False, help_text: Any = "", finer: int = 0
) -> forms.DecimalField:
    """An amount of this currency, as people write it: with a point, or as their language does. `finer` are more decimals."""
    digits = get_currency_precision(currency)
    return forms.DecimalField(
        label=f"{label} ({currency})",
        required=required,
        help_text=help_text,
        localize=True,
        decimal_places=digits + finer,
        max_value=Decimal(MAX_MINOR).scaleb(-digits),
        min_value=Decimal(-MAX_MINOR).scaleb(-digits),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


def price_field(currency: str, label: Any) -> forms.DecimalField:
    """The price of one piece, which may be finer than its currency (fuel)."""
    return amount_field(currency, label, required=True, finer=UnitPrice.decimals)


def to_minor(amount: Decimal, currency: str) -> int:
    return int(amount.scaleb(get_currency_precision(currency)))


def to_major(minor: int | Decimal, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-get_currency_precision(currency))


def to_price(amount: Decimal, currency: str) -> int | str:
    """A price in minor units as the wire has it: an integer, or a text where it has decimals."""
    minor = amount.scaleb(get_currency_precision(currency))
    return int(minor) if minor == minor.to_integral_value() else plain(minor)


def plain(number: Decimal) -> str:
    """A decimal as the wire spells it: `2`, `0.35`."""
    return f"{number.normalize():f}"
