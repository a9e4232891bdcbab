"""Days and moments as the reader of a page writes them; in English where no language is active, as for commands."""

from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from django.conf import settings
from django.utils.translation import get_language, to_locale


def locale() -> Locale:
    """How figures and times are written where the reader's language is spoken; in English where none is active."""
    return _locale(get_language() or settings.LANGUAGE_CODE)


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(to_locale(language))


def written_day(day: date) -> str:
    """A business day: `22 Nov 2026`, `22 nov. 2026`."""
    return format_date(day, "d MMM y", locale=locale())


def written_moment(value: datetime, zone: str, *, seconds: bool = False) -> str:
    """`22 Nov 2026, 09:40 CET`: in the time zone, which is named."""
    local = value.astimezone(ZoneInfo(zone))
    clock = format_time(local, "HH:mm:ss" if seconds else "HH:mm", locale=locale())
    name = f"{local:%Z}"
    return f"{written_day(local)}, {clock} {f'UTC{name}' if name[:1] in '+-' else name}"
