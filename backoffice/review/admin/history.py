"""The audit trail in words: what changed, from what to what, who did it, when and why."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from backoffice.fleet.models import Store
from backoffice.review.admin.store_form import AMOUNTS
from backoffice.review.formats import money
from backoffice.trail.models import TrailEntry

MOST_SHOWN = 30
DEEDS: Mapping[str, str] = {
    "added": "Added",
    "changed": "Changed",
    "removed": "Removed",
    "given": "Given",
    "taken": "Taken away",
    "code-made": "Activation code made",
    "activated": "Activated",
    "token-revoked": "Token revoked",
    "login": "Logged in",
    "login-failed": "Tried to log in, in vain",
    "logout": "Logged out",
    "downloaded": "Downloaded",
    "exported": "Exported",
    "detached": "Detached",
}
NOTHING = "nothing"


class FieldChange(NamedTuple):
    """One column in words; `before` or `after` is empty where there was none."""

    name: str
    before: str
    after: str


class HistoryLine(NamedTuple):
    """One row of the trail, ready to be shown."""

    entry: TrailEntry
    deed: str
    thing: str
    changes: list[FieldChange]
    person: str
    where: str
    at: datetime


def history_of(about: str, object_id: object) -> list[HistoryLine]:
    """The newest lines about one thing, the newest first. Two statements at most."""
    entries = TrailEntry.objects.filter(about=about, object_id=str(object_id)).order_by("-id")
    return in_words(entries[:MOST_SHOWN])


def in_words(entries: Iterable[TrailEntry]) -> list[HistoryLine]:
    """Rows of the trail as people read them; amounts are in the currency of their store. One statement at most."""
    listed = list(entries)
    stores = {entry.store_id for entry in listed if entry.about == "store" and entry.store_id}
    currencies = dict(Store.objects.filter(pk__in=stores).values_list("pk", "currency"))
    return [_line(entry, currencies.get(entry.store_id or 0)) for entry in listed]


def _line(entry: TrailEntry, currency: str | None) -> HistoryLine:
    before, after = entry.before or {}, entry.after or {}
    changes = [
        FieldChange(_title(entry, name), *(_value(side, name, entry, currency) for side in (before, after)))
        for name in dict.fromkeys([*before, *after])
    ]
    where = ", ".join(part for part in (entry.address, entry.via) if part)
    deed = DEEDS.get(entry.what, entry.what.capitalize())
    person = entry.person or "The service"
    return HistoryLine(entry, deed, f"{entry.about} {entry.object_name}", changes, person, where, entry.at)


def _title(entry: TrailEntry, name: str) -> str:
    if entry.about == "store" and name in AMOUNTS:
        return AMOUNTS[name].title
    return name.removesuffix("_id").replace("_", " ").capitalize()


def _value(side: Mapping[str, Any], name: str, entry: TrailEntry, currency: str | None) -> str:
    if name not in side:
        return ""
    value = side[name]
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or NOTHING
    if isinstance(value, int) and entry.about == "store" and name in AMOUNTS and currency:
        return money(value, currency)
    return str(value)
