"""Two versions of one order side by side, with each field as people read it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple, TypeGuard
from zoneinfo import ZoneInfo

from django.utils.translation import gettext, gettext_lazy

from backoffice.domain.scalars import MAX_MINOR
from backoffice.languages.formats import money, sendable
from backoffice.languages.texts import Words
from backoffice.review import words
from backoffice.review.words import place

_NAMES: dict[str, Mapping[str, Words]] = {
    "kind": words.KINDS | words.LINE_KINDS | words.MOVEMENTS,
    "status": words.STATUSES,
    "type": words.TYPES,
    "method": words.METHODS,
    "printed_to": words.PRINTED_TO,
    "mode": {"online": gettext_lazy("Online"), "offline": gettext_lazy("Offline")},
}
_TIMES = frozenset({"opened_at", "closed_at", "occurred_at"})
AMOUNTS = frozenset({"amount", "unit_price", "discount", "total", "tip", "rounding", "tendered", "change"})
ABSENT = "—"
# What is longer is a text that no order has; the original on the page shows more of it.
MOST_CHARACTERS = 500
# An order of 500 lines with ten taxes each has as many.
MOST_FIELDS = 20_000
_NAME_CHARACTERS = 64


class Field(NamedTuple):
    """One field of both versions as text; "—" if a version does not have it."""

    name: str
    first: str
    second: str

    @property
    def changed(self) -> bool:
        """Whether the versions differ here."""
        return self.first != self.second


def compare_versions(first: Any, second: Any, *, currency: str, zone: str) -> list[Field]:
    """The fields of either version, those of the first in its order; amounts in `currency`, times in `zone`."""
    one, two = dict(islice(_fields(first), MOST_FIELDS)), dict(islice(_fields(second), MOST_FIELDS))
    return [
        Field(
            sendable(place(pointer).capitalize(), limit=MOST_CHARACTERS) or gettext("All of it"),
            _text(pointer, one, currency=currency, zone=zone),
            _text(pointer, two, currency=currency, zone=zone),
        )
        for pointer in {**one, **two}
    ]


def differing_pointers(first: Any, second: Any) -> frozenset[str]:
    """The places, as JSON Pointers, where two versions say different things."""
    one, two = dict(islice(_fields(first), MOST_FIELDS)), dict(islice(_fields(second), MOST_FIELDS))
    return frozenset(pointer for pointer in {**one, **two} if one.get(pointer) != two.get(pointer))


def _fields(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, member in value.items():
            yield from _fields(member, f"{pointer}/{key[:_NAME_CHARACTERS].replace('/', '∕')}")
    elif isinstance(value, list) and value:
        for index, member in enumerate(value):
            yield from _fields(member, f"{pointer}/{index}")
    else:
        yield pointer, value


def _text(pointer: str, fields: dict[str, Any], *, currency: str, zone: str) -> str:
    value = fields.get(pointer)
    if value is None or value in ("", {}, []):
        return ABSENT
    name = pointer.rpartition("/")[2]
    if name in AMOUNTS and is_amount(value):
        return money(value, currency)
    if not isinstance(value, str):
        return str(value)
    text = text_of_time(value, zone) if name in _TIMES else str(_NAMES.get(name, {}).get(value, value))
    return sendable(text, limit=MOST_CHARACTERS)


def is_amount(value: Any) -> TypeGuard[int]:
    """Whether a JSON value is an amount: an integer within the protocol's bounds."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_MINOR


def text_of_time(text: str, zone: str) -> str:
    """A device's time to the second, in the store's zone; as it was sent if it cannot be read."""
    try:
        local = datetime.fromisoformat(text).astimezone(ZoneInfo(zone))
    except (ValueError, OverflowError):  # the latter at either end of the calendar
        return text
    return f"{local.day} {local:%b %Y, %H:%M:%S %Z}"
