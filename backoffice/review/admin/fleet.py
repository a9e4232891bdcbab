"""Stores and their terminals: which till has not told us everything?"""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Case, CharField, Count, QuerySet, Value, When, prefetch_related_objects
from django.db.models.functions import Concat
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from backoffice.fleet.models import Store, Terminal
from backoffice.ingestion.stores import issue_activation_code
from backoffice.review import cells
from backoffice.review.admin.base import ConsoleAdmin, PageAdmin
from backoffice.review.admin.filters import FilterForm, choice_field, store_field
from backoffice.review.admin.store_form import AMOUNTS, StoreForm, TerminalForm
from backoffice.review.caches import read_caches
from backoffice.review.formats import counted, duration, number_ranges
from backoffice.review.sync import SyncState, read_signs, read_standings, signs_in_words, unsettled_state
from backoffice.review.timeline import read_timeline

ORDER = list(SyncState)
RANGES_LISTED = 20


class TerminalFilters(FilterForm):
    store = store_field()
    state = choice_field("State", "All states", {state.name: state.value.text for state in SyncState})


@admin.register(Terminal)
class TerminalAdmin(PageAdmin):
    """Every terminal with its sync state."""

    list_title = "Terminals"
    list_intro = "Which till has not told us everything? The ones that need attention come first."
    empty_text = "There is no terminal yet"
    shows_first_steps = True
    list_display = (
        "state_label",
        "terminal",
        "store_name",
        "open_shift",
        "last_number",
        "missing",
        "held",
        "upload",
        "done",
    )
    filter_form = TerminalFilters
    page_key = ("rank",)
    newest_first = False
    page_template = "console/terminal.html"
    form = TerminalForm
    readonly_fields = ("of_store",)
    history_about = "terminal"

    def get_fields(self, request: HttpRequest, obj: Terminal | None = None) -> list[str]:
        return ["of_store", "name", *(["why"] if self.has_change_permission(request, obj) else [])]

    def narrow(self, queryset: QuerySet[Terminal], chosen: Mapping[str, Any]) -> QuerySet[Terminal]:
        """By store and state; the most urgent first, by a `rank` that sorts as text."""
        if chosen.get("store"):
            queryset = queryset.filter(store=chosen["store"])
        urgency = Case(
            *(When(pk__in=ids, then=Value(str(place))) for place, ids in _ids_by_urgency().items()),
            When(activated_at__isnull=True, then=Value(str(ORDER.index(SyncState.NEW)))),
            default=Value(str(ORDER.index(SyncState.IN_SYNC))),
        )
        queryset = queryset.annotate(urgency=urgency).annotate(
            rank=Concat("urgency", Value(" "), "store__code", Value(" "), "name", output_field=CharField())
        )
        if chosen.get("state"):
            queryset = queryset.filter(urgency=str(ORDER.index(SyncState[chosen["state"]])))
        return queryset

    def complete(self, rows: list[Any]) -> None:
        prefetch_related_objects(rows, "store")
        standings = read_standings(rows, signs=read_signs())
        now = timezone.now()
        for row in rows:
            row.standing = standings[row.pk]
            row.now = now

    @admin.display(description="State")
    def state_label(self, row: Any) -> SafeString:
        return cells.label(row.standing.state.value)

    @admin.display(description="Terminal")
    def terminal(self, row: Terminal) -> SafeString:
        return cells.page_link(row, row.name)

    @admin.display(description="Store")
    def store_name(self, row: Terminal) -> SafeString:
        return cells.lines(row.store.name, row.store.code)

    @admin.display(description="Store")
    def of_store(self, row: Terminal) -> str:
        """A text: Django would link a store, whoever may see it."""
        return str(row.store)

    @admin.display(description="Open shift")
    def open_shift(self, row: Any) -> SafeString:
        if not row.standing.open_shifts:
            return cells.NONE
        return format_html_join(
            "",
            "{}",
            (
                (cells.lines(f"Shift {shift.number}", f"for {duration(row.now - shift.opened_at)}"),)
                for shift in row.standing.open_shifts
            ),
        )

    @admin.display(description="Last order")
    def last_number(self, row: Any) -> SafeString:
        return cells.number(row.standing.last_number, offline=False)

    @admin.display(description="Missing orders")
    def missing(self, row: Any) -> SafeString:
        """Numbers that were declared and have not arrived."""
        if not row.standing.missing:
            return cells.NONE
        return format_html(
            '<strong class="c-warn">{}</strong>', number_ranges(row.standing.missing, limit=RANGES_LISTED)
        )

    @admin.display(description="Held")
    def held(self, row: Any) -> SafeString:
        if not row.standing.signs.held:
            return cells.NONE
        if not row.may["helditem"]:
            return cells.number(row.standing.signs.held, offline=False)
        return format_html(
            '<a class="c-link" href="{}?store={}">{}</a>',
            reverse("admin:sales_helditem_changelist"),
            row.store_id,
            row.standing.signs.held,
        )

    @admin.display(description="Last upload")
    def upload(self, row: Any) -> SafeString:
        waiting = row.standing.signs.waiting
        return cells.lines(
            cells.when(row.standing.last_upload, row.store), f"{counted(waiting, 'upload')} waiting" if waiting else ""
        )

    @admin.display(description="Last in the books")
    def done(self, row: Any) -> SafeString:
        return cells.when(row.standing.last_processed, row.store)

    def page(self, row: Any) -> dict[str, Any]:
        """Its standing, and the timeline of its shifts and batches."""
        self.complete([row])
        return {
            "title": f"{row.name}, {row.store.name}",
            "standing": row.standing,
            "standing_words": signs_in_words(row.standing.signs),
            "now": row.now,
            "unlisted_shifts": row.standing.signs.open - len(row.standing.open_shifts),
            "timeline": read_timeline(row.pk),
            "caches": read_caches(row),
        }

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/name/", wrap(self.name_view), name="fleet_terminal_name"),
            path("<path:object_id>/activation-code/", wrap(self.code_view), name="fleet_terminal_code"),
            *super().get_urls(),
        ]

    def name_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Django's own form, with the name as its only field."""
        return self.changeform_view(request, object_id)  # type: ignore[no-any-return]

    def response_change(self, request: HttpRequest, obj: Terminal) -> HttpResponse:
        return self.response_post_save_change(request, obj)  # type: ignore[no-any-return]

    def code_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Issues a code and shows it once, since only its hash is kept. Takes POST only."""
        terminal = self.get_object(request, unquote(object_id))
        if terminal is None:
            raise Http404
        if not self.has_change_permission(request, terminal):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        code = issue_activation_code(store_code=terminal.store.code, terminal_name=terminal.name, now=timezone.now())
        self.log_change(request, terminal, "Issued an activation code.")
        return self.show(request, object_id, template="console/activation_code.html", code=code)


def _ids_by_urgency() -> dict[int, list[int]]:
    """The ids of terminals with something unsettled, by urgency."""
    found: dict[int, list[int]] = {}
    for terminal_id, signs in read_signs().items():
        if (state := unsettled_state(signs)) is not None:
            found.setdefault(ORDER.index(state), []).append(terminal_id)
    return found


@admin.register(Store)
class StoreAdmin(ConsoleAdmin):
    """The stores and their settings. What the books depend on cannot be changed."""

    list_title = "Stores"
    list_intro = "Prices, limits and time zones. A new store is created with: manage.py create_store"
    empty_text = "There is no store yet"
    shows_first_steps = True
    list_display = ("name", "code", "terminals", "currency", "zone", "prices")
    form = StoreForm
    fieldsets = (
        (None, {"fields": ("name", "code", "currency", "timezone", "prices_include_tax")}),
        (
            "What is remarked on",
            {
                "fields": (
                    "max_order_total",
                    "min_refund_total",
                    "refund_days",
                    "order_types",
                    "rounding_step",
                    "rounding_mode",
                ),
                "description": "Orders outside these limits are still posted, with a remark. An empty limit is not checked.",
            },
        ),
        (
            "What a drawer may differ by",
            {
                "fields": ("max_over_short",),
                "description": "What is over or short is always posted. Beyond this a person has to look at the shift.",
            },
        ),
        ("What takes two people", {"fields": ("second_person_above",)}),
        ("How long books are kept", {"fields": ("retention_years",)}),
        ("What takes nobody", {"fields": ("approves_by_itself", "flags_need_a_person")}),
    )
    history_about = "store"
    readonly_fields = ("code", "currency", "timezone")
    page_key = ("code",)
    newest_first = False

    def get_fieldsets(self, request: HttpRequest, obj: Store | None = None) -> Any:
        """To somebody who may only look, amounts are shown as people write them, not in the minor units that they are."""
        if self.has_change_permission(request, obj):
            return [*self.fieldsets, ("Why it is changed", {"fields": ("why",)})]
        return [
            (title, options | {"fields": [f"{name}_shown" if name in AMOUNTS else name for name in options["fields"]]})
            for title, options in self.fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Store | None = None) -> list[str]:
        return [*self.readonly_fields, *(f"{name}_shown" for name in AMOUNTS)]

    @admin.display(description=AMOUNTS["max_order_total"].title)
    def max_order_total_shown(self, row: Store) -> SafeString:
        return cells.amount(row.max_order_total, row.currency)

    @admin.display(description=AMOUNTS["min_refund_total"].title)
    def min_refund_total_shown(self, row: Store) -> SafeString:
        return cells.amount(row.min_refund_total, row.currency)

    @admin.display(description=AMOUNTS["rounding_step"].title)
    def rounding_step_shown(self, row: Store) -> SafeString:
        return cells.amount(row.rounding_step, row.currency)

    @admin.display(description=AMOUNTS["max_over_short"].title)
    def max_over_short_shown(self, row: Store) -> SafeString:
        return cells.amount(row.max_over_short, row.currency)

    @admin.display(description=AMOUNTS["second_person_above"].title)
    def second_person_above_shown(self, row: Store) -> SafeString:
        return cells.amount(row.second_person_above, row.currency)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Store]:
        stores: QuerySet[Store] = super().get_queryset(request)
        return stores.annotate(terminal_count=Count("terminals"))

    @admin.display(description="Terminals")
    def terminals(self, row: Any) -> int:
        return int(row.terminal_count)

    @admin.display(description="Time zone")
    def zone(self, row: Store) -> str:
        return row.timezone.replace("_", " ")

    @admin.display(description="Prices")
    def prices(self, row: Store) -> str:
        return "include tax" if row.prices_include_tax else "without tax"

    def response_change(self, request: HttpRequest, obj: Store) -> HttpResponse:
        self.message_user(request, f"{obj} was saved.", messages.SUCCESS)
        return self.response_post_save_change(request, obj)  # type: ignore[no-any-return]
