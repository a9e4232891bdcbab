"""Template tags of the console, so that pages write money, times and numbers as the lists do."""

from datetime import date
from typing import Any

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backoffice.languages import formats
from backoffice.languages.moments import written_day
from backoffice.languages.texts import in_their_language
from backoffice.review import cells, words

register = template.Library()

register.filter("money", cells.amount)
register.filter("signed_money", formats.signed_money)
register.filter("price", formats.price)
register.filter("quantity", formats.quantity)
register.filter("store_time", cells.time)
register.filter("whole", formats.whole)
register.filter("in_words", in_their_language)
register.filter("span", formats.duration)
register.filter("ranges", formats.number_ranges)
register.filter("label", cells.label)
register.filter("page_url", cells.page_url)
register.filter("till_and_shift", cells.till_and_shift)


@register.filter
def store_day(value: date) -> str:
    """A business day: `22 Nov 2026`."""
    return written_day(value)


@register.simple_tag
def order_number(number: int | None, mode: str) -> SafeString:
    """An order's number, with an asterisk if it was made offline."""
    return cells.number(number, offline=mode == "offline")


@register.simple_tag(takes_context=True)
def allowed_link(context: Context, row: Any, text: object) -> SafeString:
    """A link to a row's page; the text alone where the reader may not open it."""
    if context["may"][row._meta.model_name]:  # noqa: SLF001 - as above
        return cells.page_link(row, text)
    return format_html("<bdi>{}</bdi>", text)


@register.filter
def word(value: str | None, kind: str) -> str:
    """What a value is called: `{{ order.type|word:"TYPES" }}`."""
    return words.named(getattr(words, kind), value)
