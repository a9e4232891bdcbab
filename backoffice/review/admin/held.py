"""Held orders: what is not in the books until someone decides."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, prefetch_related_objects
from django.utils import timezone
from django.utils.safestring import SafeString

from backoffice.books.claims import standing_claim
from backoffice.review import cells
from backoffice.review.admin.base import ReadingAdmin
from backoffice.review.admin.filters import FilterForm, choice_field, store_field
from backoffice.review.comparing import compare_versions, is_amount
from backoffice.review.conflicts import FirstVersion, find_first_version
from backoffice.review.decisions import read_decision
from backoffice.review.formats import duration
from backoffice.review.originals import READABLE_SIZE, Place, StoredOriginal, mark_modes, place_of, read_originals
from backoffice.review.words import Remark, remark
from backoffice.sales.models import HeldItem

FIELDS_SHOWN = 500


class HeldFilters(FilterForm):
    store = store_field()
    sort = choice_field(
        "Reason", "All reasons", {"held": "Cannot be posted", "conflict": "Contradicts what came first"}
    )
    decided = choice_field("Decided", "Not yet", {"yes": "Decided"})


@admin.register(HeldItem)
class HeldAdmin(ReadingAdmin):
    """Every held order and cash movement, the oldest first."""

    list_title = "Held orders"
    list_intro = "Kept, but not in the books until someone decides. The oldest come first."
    list_legend = cells.ASTERISK_LEGEND
    empty_text = "Nothing is held: every order that arrived is in the books."
    list_display = ("order", "why", "where", "received", "waiting", "amount")
    filter_form = HeldFilters
    page_key = ("id",)
    newest_first = False
    page_template = "console/held.html"

    def narrow(self, queryset: QuerySet[HeldItem], chosen: Mapping[str, Any]) -> QuerySet[HeldItem]:
        if chosen.get("store"):
            queryset = queryset.filter(store=chosen["store"])
        if chosen.get("sort"):
            queryset = queryset.filter(outcome=chosen["sort"])
        return queryset.filter(decision_id__isnull=chosen.get("decided") != "yes")

    def complete(self, rows: list[Any]) -> None:
        """Stores, terminals, shifts, and the originals, for amounts and asterisks."""
        prefetch_related_objects(rows, "store", "terminal", "shift")
        mark_modes(rows, max_size=READABLE_SIZE)
        now = timezone.now()
        for row in rows:
            row.stake = _stake(row, row.original)
            row.waited = now - row.received_at

    @admin.display(description="Order")
    def order(self, row: Any) -> SafeString | str:
        if row.what == "movement":
            return "Cash movement"
        if row.number is None:
            return "No number"
        return cells.number(row.number, offline=row.mode == "offline")

    @admin.display(description="Why it is held")
    def why(self, row: Any) -> SafeString:
        return cells.lines(*(remark.sentence for remark in _remarks(row)))

    @admin.display(description="Where")
    def where(self, row: HeldItem) -> SafeString:
        return cells.lines(row.store.name, f"{row.terminal.name} · shift {row.shift.number}")

    @admin.display(description="Received")
    def received(self, row: HeldItem) -> SafeString:
        return cells.when(row.received_at, row.store)

    @admin.display(description="Waiting")
    def waiting(self, row: Any) -> str:
        return duration(row.waited)

    @admin.display(description="At stake")
    def amount(self, row: Any) -> SafeString:
        return cells.amount(row.stake, row.shift.currency)

    def page(self, row: Any) -> dict[str, Any]:
        """The reasons, the original, and beside it the version that it contradicts."""
        prefetch_related_objects([row], "store", "terminal", "shift")
        first_version = find_first_version(row)
        originals = read_originals([place_of(row), *([first_version.place] if first_version else [])])
        original = originals.get(place_of(row))
        name = "Cash movement" if row.what == "movement" else "Order"
        star = "*" if original is not None and original.is_offline else ""
        decision = read_decision(row.decision_id)
        stands = "is held" if row.decision_id is None else "was held"
        return {
            "title": f"{name} {row.number}{star} {stands}"
            if row.number is not None
            else f"{name} without a number {stands}",
            "decision": decision,
            "claim": standing_claim(row, now=timezone.now()) if row.decision_id is None else None,
            "remarks": _remarks(row),
            "original": original,
            "mode": "offline" if star else "online",
            "made": "made offline" if star else "",
            "stake": _stake(row, original),
            "waited": timezone.now() - row.received_at,
            "legend": cells.ASTERISK_LEGEND,
            **_comparison(row, original, first_version, originals),
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


def _remarks(row: HeldItem) -> list[Remark]:
    return [remark(reason, row.shift.currency) for reason in row.reasons]


def _stake(row: HeldItem, original: StoredOriginal | None) -> int | None:
    """The order's total or the movement's amount, in minor units; None if it cannot be read."""
    if row.total is not None:
        return row.total
    value = original.value if original is not None else None
    amount = value.get("amount" if row.what == "movement" else "total") if isinstance(value, dict) else None
    return amount if is_amount(amount) else None
