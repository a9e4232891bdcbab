"""What the list of terminals can be narrowed to: a store, a state, one sign, and the version of the till's program."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import cast

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from backoffice.fleet.models import Heartbeat, Terminal
from backoffice.review.admin.filters import FilterForm, choice_field, store_field
from backoffice.review.sync import Signs, SyncState
from backoffice.review.sync_words import CLOCK_IS_WRONG

_ = cast("Callable[[str], str]", gettext_lazy)  # read when it is shown

LONG_OPEN = timedelta(hours=24)
_SKEW_MS = int(CLOCK_IS_WRONG.total_seconds() * 1000)

# What is read from the signs of all terminals, and what their newest heartbeats say.
OF_SIGNS: dict[str, Callable[[Signs, datetime], bool]] = {
    "missing": lambda signs, _now: signs.closing > 0,
    "failed": lambda signs, _now: signs.failed > 0,
    "conflict": lambda signs, _now: signs.conflicts > 0,
    "held": lambda signs, _now: signs.held > 0,
    "differs": lambda signs, _now: signs.discrepant > 0,
    "uploads": lambda signs, _now: signs.waiting > 0,
    "open": lambda signs, _now: signs.open > 0,
    "long": lambda signs, now: signs.open_since is not None and now - signs.open_since > LONG_OPEN,
}
OF_HEARTBEATS: dict[str, Q] = {
    "cached": Q(heartbeat__cached_orders__gt=0),
    "offline": Q(heartbeat__offline_mode=True),
    "clock": Q(heartbeat__clock_skew_ms__gt=_SKEW_MS) | Q(heartbeat__clock_skew_ms__lt=-_SKEW_MS),
    "unheard": Q(heartbeat__isnull=True, activated_at__isnull=False),
}
TITLES = {
    "missing": _("Something missing after a close"),
    "failed": _("Uploads that could not be processed"),
    "conflict": _("Orders in conflict"),
    "held": _("Orders held"),
    "differs": _("Shifts that do not add up"),
    "uploads": _("Uploads waiting"),
    "cached": _("Orders in its cache"),
    "offline": _("Offline mode"),
    "open": _("A shift open"),
    "long": _("A shift open for over a day"),
    "clock": _("A wrong clock"),
    "unheard": _("No heartbeat yet"),
}


def versions() -> Iterator[tuple[str, str]]:
    """The versions that terminals last reported."""
    yield "", _("All versions")
    known = Heartbeat.objects.exclude(app_version="").order_by("app_version").values_list("app_version", flat=True)
    for version in known.distinct():
        yield version, version


class TerminalFilters(FilterForm):
    """Nothing chosen is every terminal."""

    store = store_field()
    state = choice_field(
        gettext_lazy("State"), gettext_lazy("All states"), {state.name: state.value.text for state in SyncState}
    )
    sign = choice_field(_("With"), _("Anything"), TITLES)
    version = forms.ChoiceField(label=_("App version"), choices=versions)


def narrow_by_sign(queryset: QuerySet[Terminal], sign: str, signs: Mapping[int, Signs]) -> QuerySet[Terminal]:
    """The terminals with this sign."""
    if sign in OF_HEARTBEATS:
        return queryset.filter(OF_HEARTBEATS[sign])
    now = timezone.now()
    return queryset.filter(pk__in=[key for key, found in signs.items() if OF_SIGNS[sign](found, now)])
