"""Batches: what arrived, and what became of it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.inbox.models import Batch
from backoffice.languages.formats import counted, duration, sendable
from backoffice.review import cells
from backoffice.review.admin.base import ReadingAdmin
from backoffice.review.admin.filters import FilterForm, choice_field, store_field, terminal_field
from backoffice.review.admin.stored import stored_page
from backoffice.review.originals import Place, StoredOriginal, read_originals
from backoffice.review.reach import my_reach
from backoffice.review.words import BATCH_STATES, OUTCOMES, outcomes_in_words, remark
from backoffice.sales.models import Order

ORDERS_SHOWN = 200
RESULTS_SHOWN = 200
ERROR_CHARACTERS = 200


class BatchFilters(FilterForm):
    store = store_field()
    terminal = terminal_field()
    state = choice_field(_("State"), _("All states"), {key: label.text for key, label in BATCH_STATES.items()})


@admin.register(Batch)
class BatchAdmin(ReadingAdmin):
    """Every upload, the newest first. Their bodies are not read."""

    store_path = "terminal__store"
    list_title = _("Uploads")
    list_intro = _("Each upload is a batch of orders from one shift. The newest first.")
    empty_text = _("No till has sent anything yet.")
    live_part = "console/rows.html"
    list_display = ("state_label", "received", "where", "contents", "became", "tries", "took")
    filter_form = BatchFilters
    page_key = ("received_at", "batch_id")
    page_template = "console/batch.html"
    noted_as = "batch"

    def get_queryset(self, request: Any) -> QuerySet[Batch]:
        return super().get_queryset(request).defer("body", "digest")

    def narrow(self, queryset: QuerySet[Batch], chosen: Mapping[str, Any]) -> QuerySet[Batch]:
        if chosen.get("store"):
            queryset = queryset.filter(terminal__in=list(chosen["store"].terminals.values_list("pk", flat=True)))
        if chosen.get("terminal"):
            queryset = queryset.filter(terminal=chosen["terminal"])
        if state := chosen.get("state"):
            queryset = queryset.filter(state=state)
            if state != "processed":
                queryset = queryset.exclude(state="processed")  # the condition of the partial index
        return queryset

    def complete(self, rows: list[Any]) -> None:
        prefetch_related_objects(rows, "terminal__store", "shift")
        now = timezone.now()
        for row in rows:
            row.span = (row.processed_at or now) - row.received_at

    @admin.display(description=_("State"))
    def state_label(self, row: Batch) -> SafeString:
        return cells.label(BATCH_STATES[row.state])

    @admin.display(description=_("Received"))
    def received(self, row: Batch) -> SafeString:
        return cells.when(row.received_at, row.terminal.store)

    @admin.display(description=_("Where"))
    def where(self, row: Batch) -> SafeString:
        return cells.lines(row.terminal.store.name, cells.till_and_shift(row))

    @admin.display(description=_("Contents"))
    def contents(self, row: Batch) -> str:
        return contents(row)

    @admin.display(description=_("What became of it"))
    def became(self, row: Batch) -> SafeString:
        moved = outcomes_in_words(row.movement_outcomes)
        outcomes = list(
            filter(
                None,
                [
                    outcomes_in_words(row.outcomes),
                    gettext("cash movements: {outcomes}").format(outcomes=moved) if moved else "",
                ],
            )
        )
        return cells.lines(*(outcomes or [cells.NONE]), _error(row))

    @admin.display(description=_("Tries"))
    def tries(self, row: Batch) -> int | SafeString:
        """None are counted of what was done at once."""
        return cells.NONE if row.processed_at and not row.attempts else row.attempts

    @admin.display(description=_("Until in the books"))
    def took(self, row: Any) -> str:
        """The time from receipt to the books, or how long it has waited so far."""
        return (
            duration(row.span) if row.processed_at else gettext("{duration} so far").format(duration=duration(row.span))
        )

    def get_urls(self) -> list[URLPattern]:
        stored = path(
            "<path:object_id>/stored/", self.admin_site.admin_view(self.stored_view), name="inbox_batch_stored"
        )
        return [stored, *super().get_urls()]

    def stored_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the till sent, for who may read it: a right that goes without that to see uploads."""
        batches = self.of_reach(Batch.objects.all(), my_reach(request))
        return stored_page(request, batches, unquote(object_id))

    def page(self, row: Any) -> dict[str, Any]:
        """What it carried, and what became of each part."""
        self.complete([row])
        orders = Order.objects.filter(
            shift_id=row.shift_id, business_date=row.shift.business_date, batch_id=row.batch_id
        ).order_by("position")
        others = [result for result in row.results if result["outcome"] != "posted"][:RESULTS_SHOWN]
        originals = read_originals(Place(row.pk, "order", result["index"]) for result in others)
        return {
            "title": gettext("Upload"),
            "state": BATCH_STATES[row.state],
            "contents": contents(row),
            "became": outcomes_in_words(row.outcomes),
            "movements_became": outcomes_in_words(row.movement_outcomes),
            "orders": list(orders[:ORDERS_SHOWN]),
            "orders_shown": ORDERS_SHOWN,
            "others": [
                _result(result, row, originals.get(Place(row.pk, "order", result["index"]))) for result in others
            ],
            "movements": [_result(result, row) for result in row.movement_results[:RESULTS_SHOWN]],
            "results_shown": RESULTS_SHOWN,
        }


def contents(batch: Batch) -> str:
    """`100 orders, 1 cash movement`."""
    parts = []
    if batch.order_count or not batch.movement_count:
        parts.append(counted(batch.order_count, "order"))
    if batch.movement_count:
        parts.append(counted(batch.movement_count, "cash movement"))
    return ", ".join(parts)


def _error(batch: Batch) -> str:
    if not batch.last_error:
        return ""
    return gettext("Last attempt: {error}").format(error=sendable(batch.last_error, limit=ERROR_CHARACTERS))


def _result(result: Mapping[str, Any], batch: Batch, original: StoredOriginal | None = None) -> dict[str, Any]:
    """One result of the receipt, for the page."""
    item_id = result.get("order_id") or result.get("movement_id")
    return {
        "number": result.get("number"),
        "mode": "offline" if original is not None and original.is_offline else "online",
        "item_id": UUID(item_id) if item_id else None,
        "place": result["index"] + 1,
        "outcome": str(OUTCOMES.get(result["outcome"], result["outcome"])).capitalize(),
        "remarks": [remark(reason, batch.shift.currency) for reason in result["reasons"]],
    }
