"""Moments in words, as people read them in a store."""

from datetime import date, datetime
from zoneinfo import ZoneInfo


def day_in_words(day: date) -> str:
    """`22 Nov 2026`."""
    return f"{day.day} {day:%b %Y}"


def moment(value: datetime, zone: str) -> str:
    """`22 Nov 2026, 09:40 CET`: in the time zone, which is named."""
    local = value.astimezone(ZoneInfo(zone))
    return f"{day_in_words(local)}, {local:%H:%M} {_zone_name(local)}"


def _zone_name(local: datetime) -> str:
    name = f"{local:%Z}"
    return f"UTC{name}" if name[:1] in "+-" else name
