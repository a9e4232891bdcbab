"""The queue of what is held: by reason, the oldest first; what follows one, and who is at work on it."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _

from backoffice.books.models import HeldClaim
from backoffice.domain.reasons import REASONS
from backoffice.languages.texts import Words
from backoffice.review.admin.filters import FilterForm, choice_field, store_field
from backoffice.review.scope import rows_of
from backoffice.review.words import SHORT_REASONS
from backoffice.sales.models import HeldItem

# The filters of the list under which a row was opened, as Django hands them on.
FILTERS = "_changelist_filters"
COUNTED = 1000

REASON_NAMES: dict[str, Words] = {
    code: SHORT_REASONS.get(code, kind.title) for code, kind in REASONS.items() if kind.kind != "flag"
}


class HeldFilters(FilterForm):
    store = store_field()
    reason = choice_field(_("Reason"), _("All reasons"), REASON_NAMES)
    sort = choice_field(
        _("Kind"), _("All kinds"), {"held": _("Cannot be posted"), "conflict": _("Contradicts what came first")}
    )
    decided = choice_field(_("Decided"), _("Not yet"), {"yes": _("Decided")})


class ReasonCount(NamedTuple):
    """How many are held for a reason; `is_chosen` where the list shows these alone."""

    code: str
    name: str
    held: int
    is_chosen: bool


def narrowed(queryset: QuerySet[HeldItem], chosen: Mapping[str, Any]) -> QuerySet[HeldItem]:
    """Those that match the filters; nothing that is decided, unless it is asked for."""
    if chosen.get("store"):
        queryset = queryset.filter(store=chosen["store"])
    if chosen.get("sort"):
        queryset = queryset.filter(outcome=chosen["sort"])
    if chosen.get("reason"):
        queryset = queryset.filter(reasons__contains=[{"code": chosen["reason"]}])
    return queryset.filter(decision_id__isnull=chosen.get("decided") != "yes")


def count_reasons(queryset: QuerySet[HeldItem], chosen: Mapping[str, Any]) -> list[ReasonCount]:
    """How many of the oldest thousand are held for which reason, the commonest first. One statement.

    What is held for two reasons counts in both.
    """
    others = {name: value for name, value in chosen.items() if name != "reason"}
    listed = narrowed(queryset, others).order_by("id").values_list("reasons", flat=True)[:COUNTED]
    counts = Counter(code for reasons in listed for code in {reason["code"] for reason in reasons})
    return [
        ReasonCount(code, REASON_NAMES.get(code, code), count, code == chosen.get("reason"))
        for code, count in counts.most_common()
    ]


class HeldQueue:
    """What a person works through: what is held and matches the filters of the list from which they came."""

    def __init__(self, request: HttpRequest, filters: str) -> None:
        self.filters = filters
        chosen = HeldFilters(QueryDict(filters)).chosen
        self._rows = narrowed(rows_of(request, HeldItem), {**chosen, "decided": ""})
        self._person = request.user

    def after(self, item: HeldItem, *, now: datetime) -> HeldItem | None:
        """The next one that nobody else is at work on; behind the last comes the first. None where no other is left."""
        free = self._free(now).exclude(pk=item.pk).order_by("id")
        return free.filter(pk__gt=item.pk).first() or free.first()

    def before(self, item: HeldItem, *, now: datetime) -> HeldItem | None:
        """The one before it; before the first is none."""
        return self._free(now).filter(pk__lt=item.pk).order_by("-id").first()

    def _free(self, now: datetime) -> QuerySet[HeldItem]:
        others = HeldClaim.objects.filter(until__gt=now).exclude(person=self._person.pk)
        return self._rows.exclude(pk__in=others.values("held"))


def filters_of(request: HttpRequest) -> str:
    """The filters under which the row was opened: of an address, or of a form that was sent from it."""
    return request.POST.get("queue") or request.GET.get(FILTERS, "")
