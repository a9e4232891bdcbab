"""Cells of lists and pages: safe HTML that looks the same everywhere, with what it says as plain texts for a file."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from django.urls import reverse
from django.utils.html import format_html, format_html_join, strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.fleet.models import Store
from backoffice.languages.formats import money, whole
from backoffice.languages.moments import written_day, written_moment
from backoffice.review.words import Label

ASTERISK_LEGEND = _("* made offline: the till kept the order and sent it later.")
_ENDS_A_LINE = re.compile("</(?:span|p|li)>")


class Exact(str):
    """What a program reads in a file: a number, a day, a moment. Nobody typed it, so it is never a formula."""

    __slots__ = ()


class Cell(SafeString):
    """Safe HTML, and `parts`: what it says line by line, as a file has it. An amount is two: the number, the currency."""

    parts: tuple[str, ...] = ()


def _cell(html: SafeString, *parts: str) -> Cell:
    made = Cell(html)
    made.parts = parts
    return made


def parts_of(value: object) -> tuple[str, ...]:
    """What any cell says, as plain texts."""
    if isinstance(value, Cell):
        return value.parts
    if isinstance(value, SafeString):
        told = (unescape(strip_tags(line)).strip() for line in _ENDS_A_LINE.sub("\n", value).split("\n"))
        return ("; ".join(filter(None, told)),)
    if isinstance(value, bool):
        return (gettext("yes") if value else gettext("no"),)
    return (Exact(value),) if isinstance(value, int | Decimal) else ("" if value is None else str(value),)


NONE = _cell(format_html('<span class="c-none">{}</span>', "–"), "")


def label(word: Label) -> SafeString:
    """A word in its colour."""
    return _cell(format_html('<span class="c-label c-{}">{}</span>', word.colour, word.text), str(word.text))


def count(value: int) -> SafeString:
    """A number of things."""
    return _cell(format_html("{}", whole(value)), Exact(value))


def business_day(value: date) -> SafeString:
    """A business day."""
    return _cell(format_html("{}", written_day(value)), Exact(value.isoformat()))


def span_of_days(first: date, last: date) -> SafeString:
    """From one business day to another, each on its line."""
    html = lines(written_day(first), gettext("to {day}").format(day=written_day(last)))
    return _cell(html, *(Exact(each.isoformat()) for each in (first, last)))


def amount(minor: int | None, currency: str) -> SafeString:
    """Minor units as money in their currency; a dash for None."""
    if minor is None:
        return _cell(NONE, "", "")
    sign = " c-negative" if minor < 0 else ""
    html = format_html('<span class="c-money{}">{}</span>', sign, money(minor, currency))
    return _cell(html, Exact(f"{Decimal(minor).scaleb(-get_currency_precision(currency)):f}"), currency)


def difference(minor: int | None, currency: str) -> SafeString:
    """An amount that should be zero, in a warning colour if it is not; a dash if it is unknown."""
    plain = amount(minor, currency)
    if not minor:
        return plain
    html = format_html('<strong class="c-bad c-money">{}{}</strong>', "+" if minor > 0 else "", money(minor, currency))
    return _cell(html, *parts_of(plain))


def when(value: datetime | None, store: Store) -> SafeString:
    """A time in the store's zone, on two lines for narrow columns; a dash for None."""
    if value is None:
        return NONE
    day, _, clock = written_moment(value, store.timezone).partition(", ")
    return instant(value, lines(day, clock), store.timezone)


def time(value: datetime | None, store: Store) -> SafeString:
    """A time in the store's zone; a dash for None."""
    if value is None:
        return NONE
    return instant(value, written_moment(value, store.timezone), store.timezone)


def short_time(value: datetime, store: Store, *, now: datetime) -> SafeString:
    """A time in the store's zone: of today the hour alone, the whole of it where a pointer rests."""
    everything = written_moment(value, store.timezone)
    day, _, clock = everything.partition(", ")
    shown = clock if day == written_moment(now, store.timezone).partition(", ")[0] else everything
    html = format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), everything, shown)
    return _cell(html, _in_file(value, store.timezone))


def utc_seconds(value: datetime) -> SafeString:
    """A time in UTC, with its seconds, on two lines."""
    return _cell(lines(f"{value:%Y-%m-%d}", f"{value:%H:%M:%S}"), _in_file(value, "UTC"))


def instant(value: datetime, words: object, zone: str) -> SafeString:
    """A time that stands on the page in these words; in a file, in the time zone."""
    return _cell(format_html('<time datetime="{}">{}</time>', value.isoformat(), words), _in_file(value, zone))


def _in_file(value: datetime, zone: str) -> Exact:
    """`2026-11-22T09:40:00+01:00`: ISO 8601."""
    return Exact(value.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds"))


def till_and_shift(row: Any) -> str:
    """Where something of a shift happened: `Till 1 · shift 7`."""
    return gettext("{terminal} · shift {number}").format(terminal=row.terminal.name, number=row.shift.number)


def number(order_number: int | None, *, offline: bool) -> SafeString:
    """An order's number, with an asterisk if it was made offline; a dash for None."""
    if order_number is None:
        return NONE
    if not offline:
        return _cell(format_html('<span class="c-number">{}</span>', order_number), Exact(order_number))
    made = gettext("made offline")
    html = '<span class="c-number">{}<abbr class="c-asterisk" title="{}">*</abbr></span>'
    return _cell(format_html(html, order_number, made), Exact(order_number), made)


def page_link(row: Any, text: object) -> SafeString:
    """A link to a row's page. What a row is called may be a till's own words: they end with the link."""
    return _cell(format_html('<a class="c-link" href="{}"><bdi>{}</bdi></a>', page_url(row), text), *parts_of(text))


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
    html = format_html('<span class="c-lines"><span><bdi>{}</bdi></span>{}</span>', first, small)
    return _cell(html, *(part for text in texts for part in parts_of(text)))


def sentences(texts: Iterable[object]) -> SafeString:
    """The first sentence as it is, the others below it in small type."""
    listed = list(texts)
    first, *others = listed
    more = format_html_join("", '<span class="c-sub">{}</span>', ((text,) for text in others))
    html = format_html('<span class="c-lines c-told"><span>{}</span>{}</span>', first, more)
    return _cell(html, *(part for text in listed for part in parts_of(text)))
