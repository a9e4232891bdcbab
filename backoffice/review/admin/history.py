"""The audit trail in words: what changed, from what to what, who did it, when and why."""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from backoffice.books.people import EVERYWHERE, Reach
from backoffice.fleet.models import Store
from backoffice.languages.formats import money
from backoffice.languages.moments import written_moment
from backoffice.languages.texts import Words, in_their_language
from backoffice.review.admin.store_form import AMOUNTS
from backoffice.review.entrance.rule import FACTOR_NAMES
from backoffice.trail.models import TrailEntry

MOST_SHOWN = 30
FOR_PROGRAMS = frozenset({"id", "uuid", "fingerprint", "arguments", "before", "request_id"})
MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:?[0-9]{2})", re.ASCII
)
DEEDS: Mapping[str, Words] = {
    "added": _("Added"),
    "changed": _("Changed"),
    "removed": _("Removed"),
    "given": pgettext_lazy("a right", "Given"),
    "taken": pgettext_lazy("a right", "Taken away"),
    "bound": _("Bound to stores"),
    "unbound": _("Every store given"),
    "code-made": _("Activation code made"),
    "activated": _("Activated"),
    "token-revoked": _("Token revoked"),
    "login": _("Logged in"),
    "login-failed": _("Tried to log in, in vain"),
    "logout": _("Logged out"),
    "factor-added": _("Second factor added"),
    "factor-removed": _("Second factor removed"),
    "factor-failed": _("Wrong code for the second factor"),
    "recovery-code-used": _("Recovery code used"),
    "signed-out": _("Signed out everywhere"),
    "read": _("Read as it is stored"),
    "downloaded": _("Downloaded"),
    "exported": _("Exported"),
    "detached": _("Detached"),
}
NOTHING = _("nothing")
# What the trail calls the things that it is about.
KINDS: Mapping[str, Words] = {
    "store": _("Store"),
    "terminal": _("Terminal"),
    "user": _("User"),
    "group": _("Group"),
    "reason code": _("Reason code"),
    "account": _("Account"),
    "payment account": _("Payment account"),
    "cash reason": _("Cash reason"),
    "batch": _("Batch"),
    "decision": _("Decision"),
    "answer": _("Answer"),
    "cache file": _("Cache file"),
    "export": _("Export"),
    "export profile": _("Export profile"),
    "export map": _("Export map"),
    "export run": _("Export run"),
    "export revision": _("Export revision"),
    "month": _("Month"),
    "alert rule": _("Alert rule"),
    "quiet hours": _("Quiet hours"),
    "mail recipient": _("Mail recipient"),
    "webhook endpoint": _("Webhook endpoint"),
    "webhook secret": _("Webhook secret"),
    "list": _("List"),
    "saved view": _("Saved view"),
}

# Columns that people meet in it. Others are shown as they are called in the tables.
COLUMNS = (
    _("Name"),
    _("Code"),
    _("Time zone"),
    _("Currency"),
    _("Prices include tax"),
    _("Refund days"),
    _("Order types"),
    _("Rounding mode"),
    _("Retention years"),
    _("Approves by itself"),
    _("Flags need a person"),
    _("Username"),
    _("First name"),
    _("Last name"),
    _("Email"),
    _("Is active"),
    _("Is shared"),
    _("Query"),
    _("Is staff"),
    _("Is superuser"),
    _("Verb"),
    _("Subject"),
    _("Reason"),
    _("Note"),
    _("Amount"),
    _("Answer"),
    _("Group"),
    _("User"),
    _("Permission"),
    _("Store"),
    _("Account"),
    _("Method"),
    _("Title"),
    _("Needs note"),
    _("Needs second person"),
    _("Format"),
    _("Number"),
    _("Reference"),
    _("Business date"),
    _("Rows"),
    _("Filters"),
)


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


def history_of(about: str, object_id: object, reach: Reach) -> list[HistoryLine]:
    """The newest lines about one thing, the newest first, without those of stores beyond reach. Two statements at most."""
    entries = TrailEntry.objects.filter(about=about, object_id=str(object_id)).order_by("-id")
    if reach != EVERYWHERE:
        entries = entries.filter(store_id__isnull=True) | reach.of(entries, "store_id")
    return in_words(entries[:MOST_SHOWN])


def in_words(entries: Iterable[TrailEntry], *, is_whole: bool = False) -> list[HistoryLine]:
    """Rows of the trail as people read them; amounts are in the currency of their store. One statement at most.

    Without `is_whole` what says nothing to people is left out: an entry's own page has it.
    """
    listed = list(entries)
    stores = {entry.store_id for entry in listed if entry.about == "store" and entry.store_id}
    currencies = dict(Store.objects.filter(pk__in=stores).values_list("pk", "currency"))
    left_out = frozenset() if is_whole else FOR_PROGRAMS
    return [_line(entry, currencies.get(entry.store_id or 0), left_out) for entry in listed]


def _line(entry: TrailEntry, currency: str | None, left_out: Collection[str]) -> HistoryLine:
    before, after = entry.before or {}, entry.after or {}
    changes = [
        FieldChange(_title(entry, name), *(_value(side, name, entry, currency) for side in (before, after)))
        for name in dict.fromkeys([*before, *after])
        if name not in left_out
    ]
    where = ", ".join(part for part in (entry.address, entry.via) if part)
    kind = str(KINDS.get(entry.about, entry.about))
    deed = str(DEEDS.get(entry.what, entry.what.capitalize()))
    person = entry.person or gettext("The service")
    return HistoryLine(
        entry, deed, f"{kind[:1].lower()}{kind[1:]} {entry.object_name}", changes, person, where, entry.at
    )


def _title(entry: TrailEntry, name: str) -> str:
    if entry.about == "store" and name in AMOUNTS:
        return str(AMOUNTS[name].title)
    return in_their_language(name.removesuffix("_id").replace("_", " ").capitalize())


def _value(side: Mapping[str, Any], name: str, entry: TrailEntry, currency: str | None) -> str:
    if name not in side:
        return ""
    value = side[name]
    if value is None or value == "":
        return str(NOTHING)
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or str(NOTHING)
    if isinstance(value, int) and entry.about == "store" and name in AMOUNTS and currency:
        return money(value, currency)
    is_factor = entry.about == "user" and name == "type"
    return _text(FACTOR_NAMES.get(value, value) if is_factor else value)


def _text(value: Any) -> str:
    is_moment = isinstance(value, str) and MOMENT.fullmatch(value)
    return written_moment(datetime.fromisoformat(value), "UTC") if is_moment else str(value)
