"""Amounts as people type them, and as the books have them."""

from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django import forms

from backoffice.domain.scalars import MAX_MINOR


def amount_field(currency: str, label: Any, *, required: bool = False, help_text: Any = "") -> forms.DecimalField:
    """An amount of this currency, as people write it."""
    digits = get_currency_precision(currency)
    return forms.DecimalField(
        label=f"{label} ({currency})",
        required=required,
        help_text=help_text,
        decimal_places=digits,
        max_value=Decimal(MAX_MINOR).scaleb(-digits),
        min_value=Decimal(-MAX_MINOR).scaleb(-digits),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )


def to_minor(amount: Decimal, currency: str) -> int:
    return int(amount.scaleb(get_currency_precision(currency)))


def to_major(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-get_currency_precision(currency))
