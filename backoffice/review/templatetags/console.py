"""Template tags of the console: the same writing of money, times and numbers on pages as in lists."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.utils.safestring import SafeString

from backoffice.fleet.models import Store
from backoffice.review import cells, formats, words

register = template.Library()


@register.filter
def money(minor: int | None, currency: str) -> SafeString:
    """Minor units in their currency."""
    return cells.amount(minor, currency)


@register.filter
def signed_money(minor: int, currency: str) -> str:
    """With its sign, also where it is positive: what is over or short."""
    return ("+" if minor > 0 else "") + formats.money(minor, currency)


@register.filter
def price(unit_price: Decimal, currency: str) -> str:
    """A price in its currency."""
    return formats.price(unit_price, currency)


@register.filter
def quantity(value: Decimal) -> str:
    """A quantity without idle zeros."""
    return formats.quantity(value)


@register.filter
def store_time(value: datetime | None, store: Store) -> SafeString:
    """A time in the store's time zone."""
    return cells.time(value, store)


@register.filter
def span(value: timedelta) -> str:
    """How long."""
    return formats.duration(value)


@register.filter
def ranges(value: list[tuple[int, int]]) -> str:
    """Ranges of numbers."""
    return formats.number_ranges(value)


@register.filter
def label(word: words.Label) -> SafeString:
    """A word in its colour."""
    return cells.label(word)


@register.filter
def page_url(row: Any) -> str:
    """The address of a row's page."""
    return cells.page_url(row)


@register.filter
def store_day(value: Any) -> str:
    """A business day: `22 Nov 2026`."""
    return f"{value.day} {value:%b %Y}"


@register.simple_tag
def order_number(number: int | None, mode: str) -> SafeString:
    """An order's number, with its asterisk where it was made offline."""
    return cells.number(number, offline=mode == "offline")


@register.filter
def word(value: str | None, kind: str) -> str:
    """What a value is called: `{{ order.type|word:"TYPES" }}`."""
    return words.named(getattr(words, kind), value)
