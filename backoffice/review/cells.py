"""Cells of lists and pages: safe HTML that looks the same everywhere."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.fleet.models import Store
from backoffice.review.formats import money, written_moment
from backoffice.review.words import Label

NONE = format_html('<span class="c-none">{}</span>', "–")
ASTERISK_LEGEND = _("* made offline: the till kept the order and sent it later.")


def label(word: Label) -> SafeString:
    """A word in its colour."""
    return format_html('<span class="c-label c-{}">{}</span>', word.colour, word.text)


def amount(minor: int | None, currency: str) -> SafeString:
    """Minor units as money in their currency; a dash for None."""
    if minor is None:
        return NONE
    return format_html('<span class="c-money{}">{}</span>', " c-negative" if minor < 0 else "", money(minor, currency))


def difference(minor: int | None, currency: str) -> SafeString:
    """An amount that should be zero, in a warning colour if it is not; a dash if it is unknown."""
    if not minor:
        return amount(minor, currency)
    return format_html('<strong class="c-bad c-money">{}{}</strong>', "+" if minor > 0 else "", money(minor, currency))


def when(value: datetime | None, store: Store) -> SafeString:
    """A time in the store's zone, on two lines for narrow columns; a dash for None."""
    if value is None:
        return NONE
    day, _, clock = written_moment(value, store.timezone).partition(", ")
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), lines(day, clock))


def time(value: datetime | None, store: Store) -> SafeString:
    """A time in the store's zone; a dash for None."""
    if value is None:
        return NONE
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), written_moment(value, store.timezone))


def short_time(value: datetime, store: Store, *, now: datetime) -> SafeString:
    """A time in the store's zone: of today the hour alone, the whole of it where a pointer rests."""
    whole = written_moment(value, store.timezone)
    day, _, clock = whole.partition(", ")
    shown = clock if day == written_moment(now, store.timezone).partition(", ")[0] else whole
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), whole, shown)


def number(order_number: int | None, *, offline: bool) -> SafeString:
    """An order's number, with an asterisk if it was made offline; a dash for None."""
    if order_number is None:
        return NONE
    if not offline:
        return format_html('<span class="c-number">{}</span>', order_number)
    return format_html(
        '<span class="c-number">{}<abbr class="c-asterisk" title="{}">*</abbr></span>',
        order_number,
        gettext("made offline"),
    )


def page_link(row: Any, text: object) -> SafeString:
    """A link to a row's page. What a row is called may be a till's own words: they end with the link."""
    return format_html('<a class="c-link" href="{}"><bdi>{}</bdi></a>', page_url(row), text)


def page_url(row: Any) -> str:
    """The address of a row's page."""
    options = row._meta  # noqa: SLF001 - Django's documented interface
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])


def lines(*texts: object) -> SafeString:
    """The first text on a line of its own, the others in small type below it; empty ones are left out.

    Each is isolated: a right-to-left override in a name does not turn what stands beside it.
    """
    first, *others = texts
    small = format_html_join("", '<span class="c-sub"><bdi>{}</bdi></span>', ((text,) for text in others if text))
    return format_html('<span class="c-lines"><span><bdi>{}</bdi></span>{}</span>', first, small)


def sentences(texts: Iterable[object]) -> SafeString:
    """The first sentence as it is, the others below it in small type."""
    first, *others = texts
    more = format_html_join("", '<span class="c-sub">{}</span>', ((text,) for text in others))
    return format_html('<span class="c-lines c-told"><span>{}</span>{}</span>', first, more)
