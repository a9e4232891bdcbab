"""Held orders: what is not in the books until someone decides, as a list, as a queue, and one by one."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet, prefetch_related_objects
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from backoffice.books.claims import standing_claim, standing_claims
from backoffice.domain.decisions import Verb
from backoffice.languages.formats import duration
from backoffice.review import cells
from backoffice.review.admin.base import ReadingAdmin
from backoffice.review.admin.deciding.asking import buttons_of, may_decide
from backoffice.review.admin.deciding.many import many_view
from backoffice.review.admin.deciding.queue import HeldFilters, HeldQueue, count_reasons, filters_of, narrowed
from backoffice.review.admin.deciding.views import queue_url
from backoffice.review.admin.deciding.working import claim_view, release_view
from backoffice.review.comparing import compare_versions, differing_pointers
from backoffice.review.conflicts import FirstVersion, find_first_version
from backoffice.review.decisions import read_decision
from backoffice.review.effects import choices_of, figures_of
from backoffice.review.originals import READABLE_SIZE, Place, StoredOriginal, mark_modes, place_of, read_originals
from backoffice.review.papers import sent_paper
from backoffice.review.stakes import stake_of
from backoffice.review.words import Remark, remark
from backoffice.sales.models import HeldItem

FIELDS_SHOWN = 500
TITLES = {
    ("order", "is"): gettext_noop("Order %(number)s is held"),
    ("order", "was"): gettext_noop("Order %(number)s was held"),
    ("movement", "is"): gettext_noop("Cash movement %(number)s is held"),
    ("movement", "was"): gettext_noop("Cash movement %(number)s was held"),
}
UNNUMBERED_TITLES = {
    ("order", "is"): gettext_noop("Order without a number is held"),
    ("order", "was"): gettext_noop("Order without a number was held"),
    ("movement", "is"): gettext_noop("Cash movement without a number is held"),
    ("movement", "was"): gettext_noop("Cash movement without a number was held"),
}


@admin.register(HeldItem)
class HeldAdmin(ReadingAdmin):
    """Every held order and cash movement, the oldest first; each page is one of the queue from which it was opened."""

    store_path = "store"
    list_title = _("Held orders")
    list_intro = _("Kept, but not in the books until someone decides. The oldest come first.")
    list_legend = cells.ASTERISK_LEGEND
    empty_text = _("Nothing is held: every order that arrived is in the books.")
    list_display = ("order", "why", "where", "received", "waiting", "worker", "amount")
    filter_form = HeldFilters
    rows_at_once = 50  # each may have an original of a megabyte
    most_rows = 1_000  # for each of which its upload may be unpacked
    page_key = ("id",)
    newest_first = False
    page_template = "console/held.html"
    noted_as = "held"
    change_list_template = "console/held_list.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("many/", wrap(many_view), name="sales_helditem_many"),
            path("<path:key>/claim/", wrap(claim_view), name="sales_helditem_claim"),
            path("<path:key>/release/", wrap(release_view), name="sales_helditem_release"),
            *super().get_urls(),
        ]

    def narrow(self, queryset: QuerySet[HeldItem], chosen: Mapping[str, Any]) -> QuerySet[HeldItem]:
        return narrowed(queryset, chosen)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, and above it how many are held for which reason."""
        form = self.bound_filters(request)
        chosen = form.chosen
        context: dict[str, Any] = {"reasons": [], "all_url": _reason_url(request, ""), "chosen": chosen.get("reason")}
        if self.has_view_permission(request) and chosen.get("decided") != "yes":
            reasons = count_reasons(self.every_row(request), chosen)
            context["reasons"] = [(each, _reason_url(request, each.code)) for each in reasons]
            context["work_on"] = self.get_preserved_filters(request)
            context["may_decide"] = may_decide(request.user, Verb.POST)
        return super().changelist_view(request, context | (extra_context or {}))

    def complete(self, rows: list[Any]) -> None:
        """Stores, terminals, shifts, who is at work on them, and the originals, for amounts and asterisks."""
        prefetch_related_objects(rows, "store", "terminal", "shift")
        mark_modes(rows, max_size=READABLE_SIZE)
        now = timezone.now()
        claims = standing_claims([row.pk for row in rows], now=now)
        for row in rows:
            row.stake = stake_of(row, row.original)
            row.waited = now - row.received_at
            row.claim = claims.get(row.pk)

    @admin.display(description=_("Order"))
    def order(self, row: Any) -> SafeString | str:
        if row.what == "movement":
            return gettext("Cash movement")
        if row.number is None:
            return gettext("No number")
        return cells.number(row.number, offline=row.mode == "offline")

    @admin.display(description=_("Why it is held"))
    def why(self, row: Any) -> SafeString:
        return cells.lines(*(remark.sentence for remark in _remarks(row)))

    @admin.display(description=_("Where"))
    def where(self, row: HeldItem) -> SafeString:
        return cells.lines(row.store.name, cells.till_and_shift(row))

    @admin.display(description=_("Received"))
    def received(self, row: HeldItem) -> SafeString:
        return cells.when(row.received_at, row.store)

    @admin.display(description=_("Waiting"))
    def waiting(self, row: Any) -> str:
        return duration(row.waited)

    @admin.display(description=_("At work on it"))
    def worker(self, row: Any) -> SafeString:
        """Who took it, and how long ago."""
        if row.claim is None:
            return cells.NONE
        for_how_long = gettext("for %(time)s") % {"time": duration(timezone.now() - row.claim.since)}
        return cells.lines(row.claim.person, for_how_long)

    @admin.display(description=_("At stake"))
    def amount(self, row: Any) -> SafeString:
        return cells.amount(row.stake, row.shift.currency)

    def page(self, row: Any) -> dict[str, Any]:
        """The reasons, the receipt, and beside it the version that it contradicts."""
        prefetch_related_objects([row], "store", "terminal", "shift")
        first_version = find_first_version(row, row.reach)
        originals = read_originals([place_of(row), *([first_version.place] if first_version else [])])
        original = originals.get(place_of(row))
        first = originals.get(first_version.place) if first_version else None
        star = "*" if original is not None and original.is_offline else ""
        return {
            "title": _title(row, star),
            "decision": read_decision(row.decision_id),
            "claim": standing_claim(row, now=timezone.now()) if row.decision_id is None else None,
            "remarks": _remarks(row),
            "place": place_of(row),
            "mode": "offline" if star else "online",
            "made": gettext("made offline") if star else "",
            "stake": stake_of(row, original),
            "waited": timezone.now() - row.received_at,
            "legend": cells.ASTERISK_LEGEND,
            **_papers(row, original, first),
            **_comparison(row, original, first_version, originals),
            **_effects(row, original, first_version),
        }

    def beside(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the reader may decide, and what comes before and after in the queue."""
        now, queue = timezone.now(), HeldQueue(request, filters_of(request))
        if row.decision_id is not None or not may_decide(request.user, Verb.POST):
            return {"buttons": [], "queue": queue.filters}
        following, before = queue.after(row, now=now), queue.before(row, now=now)
        return {
            "buttons": buttons_of(row, person=request.user),
            "queue": queue.filters,
            "claims": True,
            "next_url": "" if following is None else queue_url(following, queue.filters),
            "previous_url": "" if before is None else queue_url(before, queue.filters),
        }


def _reason_url(request: HttpRequest, code: str) -> str:
    """The list of what is held for this reason, under the other filters that are set."""
    kept = {name: value for name, value in request.GET.items() if name in {"store", "sort"} and value}
    return "?" + urlencode({**kept, **({"reason": code} if code else {})})


def _title(row: HeldItem, star: str) -> str:
    what, stands = row.what, "is" if row.decision_id is None else "was"
    if row.number is None:
        return gettext(UNNUMBERED_TITLES[what, stands])
    return gettext(TITLES[what, stands]) % {"number": f"{row.number}{star}"}


def _papers(row: HeldItem, original: StoredOriginal | None, first: StoredOriginal | None) -> dict[str, Any]:
    """The receipts of this version and of the first, each with what differs from the other marked."""
    this, other = (None if each is None else each.value for each in (original, first))
    how = {"what": row.what, "currency": row.shift.currency, "zone": row.store.timezone}
    differing = differing_pointers(other, this) if first is not None else frozenset()
    return {
        "paper": sent_paper(this, differing=differing, **how),
        "first_paper": None if first is None else sent_paper(other, differing=differing, **how),
    }


def _comparison(
    row: HeldItem,
    original: StoredOriginal | None,
    first_version: FirstVersion | None,
    originals: dict[Place, StoredOriginal],
) -> dict[str, Any]:
    """Both versions field by field; empty if the first cannot be found."""
    first = originals.get(first_version.place) if first_version else None
    if original is None or first is None or first_version is None:
        return {}
    fields = compare_versions(first.value, original.value, currency=row.shift.currency, zone=row.store.timezone)
    changed = [field for field in fields if field.changed]
    same = [field for field in fields if not field.changed]
    return {
        "first_version": first_version,
        "first": first,
        "changed": changed[:FIELDS_SHOWN],
        "same": same[:FIELDS_SHOWN],
        "unshown": len(changed[FIELDS_SHOWN:]) + len(same[FIELDS_SHOWN:]),
    }


def _effects(row: HeldItem, original: StoredOriginal | None, first: FirstVersion | None) -> dict[str, Any]:
    """What each choice does, while there is one."""
    if row.decision_id is not None:
        return {}
    figures = figures_of(row, original)
    return {"choices": choices_of(row, first, is_readable=bool(figures)), "effects": figures}


def _remarks(row: HeldItem) -> list[Remark]:
    return [remark(reason, row.shift.currency) for reason in row.reasons]
