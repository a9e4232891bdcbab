"""Stores and their terminals: which till has not told us everything?"""

from collections.abc import Mapping
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Case, CharField, Count, QuerySet, Value, When, prefetch_related_objects
from django.db.models.functions import Concat
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.domain.decisions import Verb
from backoffice.fleet.models import Store, Terminal
from backoffice.ingestion.stores import issue_activation_code
from backoffice.languages.formats import duration
from backoffice.review import cells
from backoffice.review.admin.base import ConsoleAdmin, PageAdmin
from backoffice.review.admin.deciding.asking import may_decide
from backoffice.review.admin.deciding.files import content_view, file_view
from backoffice.review.admin.store_form import AMOUNTS, FIXED, STORE_FIELDSETS, StoreForm, TerminalForm
from backoffice.review.admin.terminal_filters import TerminalFilters, narrow_by_sign
from backoffice.review.caches import read_caches
from backoffice.review.entrance.rule import ask_again
from backoffice.review.first_hours import NewStoreForm, NewTerminalForm, qr_code, read_arrival, set_up_page
from backoffice.review.live import answer_live
from backoffice.review.reach import my_stores
from backoffice.review.standings import read_standings
from backoffice.review.sync import Signs, SyncState, read_signs, unsettled_state
from backoffice.review.sync_words import clock_in_words, reader_of, reported_words, sync_sentences
from backoffice.review.timeline import read_timeline, recent_shifts, strip_of

ORDER = list(SyncState)


@admin.register(Terminal)
class TerminalAdmin(PageAdmin):
    """Every terminal with its sync state."""

    store_path = "store"
    list_title = gettext_lazy("Terminals")
    list_intro = cast("str", gettext_lazy("Which till has not told us everything? The worst come first."))
    empty_text = gettext_lazy("There is no terminal yet")
    shows_first_steps = True
    live_part = "console/rows.html"
    list_display = ("state_label", "terminal", "told", "reported", "open_shift", "numbers", "undecided", "upload")
    filter_form = TerminalFilters
    page_key = ("rank",)
    newest_first = False
    page_template = "console/terminal.html"
    noted_as = "terminal"
    form = TerminalForm
    readonly_fields = ("of_store",)
    history_about = "terminal"

    def get_fields(self, request: HttpRequest, obj: Terminal | None = None) -> list[str]:
        return ["of_store", "name", *(["why"] if self.has_change_permission(request, obj) else [])]

    def narrow(self, queryset: QuerySet[Terminal], chosen: Mapping[str, Any]) -> QuerySet[Terminal]:
        """By the filters; the most urgent first, by a `rank` that sorts as text."""
        if chosen.get("store"):
            queryset = queryset.filter(store=chosen["store"])
        if chosen.get("version"):
            queryset = queryset.filter(heartbeat__app_version=chosen["version"])
        signs = read_signs(now=timezone.now())
        if chosen.get("sign"):
            queryset = narrow_by_sign(queryset, chosen["sign"], signs)
        urgency = Case(
            *(When(pk__in=ids, then=Value(str(place))) for place, ids in _ids_by_urgency(signs).items()),
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
        now = timezone.now()
        standings = read_standings(rows, signs=read_signs(now=now, only=[row.pk for row in rows]))
        for row in rows:
            row.standing = standings[row.pk]
            row.now = now

    @admin.display(description=gettext_lazy("State"))
    def state_label(self, row: Any) -> SafeString:
        return cells.label(row.standing.state.value)

    @admin.display(description=gettext_lazy("Terminal"))
    def terminal(self, row: Terminal) -> SafeString:
        return cells.lines(cells.page_link(row, row.name), row.store.name)

    @admin.display(description=gettext_lazy("Store"))
    def of_store(self, row: Terminal) -> str:
        """A text: Django would link a store, whoever may see it."""
        return str(row.store)

    @admin.display(description=gettext_lazy("What it has not told us"))
    def told(self, row: Any) -> SafeString:
        return cells.sentences(sync_sentences(row.standing, reader_of(row, row.may, now=row.now), in_brief=True))

    @admin.display(description=gettext_lazy("As last reported"))
    def reported(self, row: Any) -> SafeString:
        """What it said of itself, with the version of its program, and how long ago that was."""
        beat = row.standing.heartbeat
        if beat is None:
            return cells.NONE
        heard = _("%(span)s ago") % {"span": duration(row.now - beat.received_at)}
        version = f"{beat.app_version}, {heard}" if beat.app_version else heard
        return cells.lines(*reported_words(beat, reader_of(row, row.may, now=row.now)), version)

    @admin.display(description=gettext_lazy("Open shift"))
    def open_shift(self, row: Any) -> SafeString:
        if not row.standing.open_shifts:
            return cells.NONE
        return format_html_join(
            "",
            "{}",
            (
                (
                    cells.lines(
                        _("Shift %(number)s") % {"number": shift.number},
                        _("for %(span)s") % {"span": duration(row.now - shift.opened_at)},
                    ),
                )
                for shift in row.standing.open_shifts
            ),
        )

    @admin.display(description=gettext_lazy("Last order"))
    def numbers(self, row: Any) -> SafeString:
        """The highest number that arrived; the last that a close declared, where that is another."""
        heard = row.standing.heard
        received = cells.number(heard.last_number, offline=False)
        if heard.last_declared in {None, heard.last_number}:
            return received
        return cells.lines(received, _("%(number)s declared") % {"number": heard.last_declared})

    @admin.display(description=gettext_lazy("Held"))
    def undecided(self, row: Any) -> SafeString:
        """What waits for a decision, and how much of it was sent twice with different content."""
        signs = row.standing.signs
        if not signs.undecided:
            return cells.NONE
        count = cells.number(signs.undecided, offline=False)
        if row.may["helditem"]:
            address = f"{reverse('admin:sales_helditem_changelist')}?store={row.store_id}"
            count = format_html('<a class="c-link" href="{}">{}</a>', address, count)
        conflicts = ngettext("%(count)s conflict", "%(count)s conflicts", signs.conflicts) % {"count": signs.conflicts}
        return cells.lines(count, conflicts if signs.conflicts else "")

    @admin.display(description=gettext_lazy("Last upload"))
    def upload(self, row: Any) -> SafeString:
        """When it came, and how long the last one took until it was in the books."""
        heard = row.standing.heard
        if heard.last_upload is None:
            return cells.NONE
        took = "" if heard.took is None else _("took %(span)s to the books") % {"span": duration(heard.took)}
        return cells.lines(cells.short_time(heard.last_upload, row.store, now=row.now), took)

    def page(self, row: Any) -> dict[str, Any]:
        """Its standing, the strip of its shifts, and the timeline of shifts, uploads and gaps."""
        self.complete([row])
        reader = reader_of(row, row.may, now=row.now)
        beat = row.standing.heartbeat
        shifts = recent_shifts(row.pk)
        return {
            "title": f"{row.name}, {row.store.name}",
            "standing": row.standing,
            "sentences": sync_sentences(row.standing, reader),
            "beat": beat,
            "beat_words": [] if beat is None else reported_words(beat, reader),
            "beat_clock": None if beat is None else clock_in_words(beat),
            "now": row.now,
            "took": row.standing.heard.took,
            "unlisted_shifts": row.standing.signs.open - len(row.standing.open_shifts),
            "strip": strip_of(shifts),
            "timeline": read_timeline(shifts, row.standing.gaps, reader),
            "caches": read_caches(row),
        }

    def beside(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return {"may_import": may_decide(request.user, Verb.IMPORT_CACHE)}

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("new/", wrap(self.new_view), name="fleet_terminal_new"),
            path("cache/", wrap(file_view), name="fleet_terminal_cache"),
            path("cache/<uuid:key>/", wrap(content_view), name="fleet_terminal_cache_file"),
            path("<path:object_id>/name/", wrap(self.name_view), name="fleet_terminal_name"),
            path("<path:object_id>/activation-code/", wrap(self.code_view), name="fleet_terminal_code"),
            path("<path:object_id>/arrival/", wrap(self.arrival_view), name="fleet_terminal_arrival"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        may_add = {
            "may_add_terminal": request.user.has_perm("fleet.add_terminal"),
            "may_import": may_decide(request.user, Verb.IMPORT_CACHE),
            "first_store": my_stores(request).first,  # asked where there is no terminal
        }
        return super().changelist_view(request, may_add | (extra_context or {}))

    def name_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Django's own form, with the name as its only field."""
        return self.changeform_view(request, object_id)  # type: ignore[no-any-return]

    def response_change(self, request: HttpRequest, obj: Terminal) -> HttpResponse:
        return self.response_post_save_change(request, obj)  # type: ignore[no-any-return]

    def new_view(self, request: HttpRequest) -> HttpResponse:
        """Asks for a terminal's store and name; creates it, and shows its first code."""
        if not request.user.has_perm("fleet.add_terminal"):
            raise PermissionDenied
        ask_again(request)  # before anything is filled in
        form = NewTerminalForm(request.POST or None, initial={"store": request.GET.get("store")})
        form.fields["store"].queryset = my_stores(request)  # type: ignore[attr-defined]
        if request.method != "POST" or not form.is_valid():
            return set_up_page(self, request, form, _("A new terminal"), _("Create it and show its code"))
        store, name = form.cleaned_data["store"], form.cleaned_data["name"]
        code = issue_activation_code(store_code=store.code, terminal_name=name, now=timezone.now())
        terminal = Terminal.objects.select_related("store").get(store=store, name=name)
        self.log_addition(request, terminal, "Created, with an activation code.")
        return self._show_code(request, terminal, code)

    def code_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Issues a code and shows it once, since only its hash is kept. Takes POST only."""
        terminal = self.get_object(request, unquote(object_id))
        if terminal is None:
            raise Http404
        if not self.has_change_permission(request, terminal):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        ask_again(request)
        code = issue_activation_code(store_code=terminal.store.code, terminal_name=terminal.name, now=timezone.now())
        self.log_change(request, terminal, "Issued an activation code.")
        return self._show_code(request, terminal, code)

    def _show_code(self, request: HttpRequest, terminal: Terminal, code: str) -> HttpResponse:
        address = reverse("admin:fleet_terminal_arrival", args=[terminal.pk])
        return self._arrival_page(request, terminal, code=code, qr_code=qr_code(code), live_address=address)

    def arrival_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Whether a terminal has used its newest code, and spoken since; follows by itself."""
        terminal = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, terminal):
            raise PermissionDenied
        if terminal is None:
            raise Http404
        return self._arrival_page(request, terminal)

    def _arrival_page(self, request: HttpRequest, terminal: Terminal, **extra: Any) -> HttpResponse:
        """Two pages that differ in the code: it is shown once."""
        request.current_app = self.admin_site.name
        arrival = read_arrival(terminal, now=timezone.now())
        title = _("%(terminal)s, %(store)s") % {"terminal": terminal.name, "store": terminal.store.name}
        context = {**self.admin_site.each_context(request), **self.way_up(), "title": title, "row": terminal}
        context |= {"arrival": arrival, "zone": terminal.store.timezone, **extra}
        page = TemplateResponse(request, "console/activation_code.html", context)
        return answer_live(request, page, part="console/arrival.html", is_final=arrival.is_there)


def _ids_by_urgency(signs: Mapping[int, Signs]) -> dict[int, list[int]]:
    """The ids of terminals with something unsettled, by urgency."""
    found: dict[int, list[int]] = {}
    for terminal_id, mine in signs.items():
        if (state := unsettled_state(mine)) is not None:
            found.setdefault(ORDER.index(state), []).append(terminal_id)
    return found


@admin.register(Store)
class StoreAdmin(ConsoleAdmin):
    """The stores and their settings. What the books depend on cannot be changed."""

    store_path = "pk"
    list_title = gettext_lazy("Stores")
    list_intro = cast("str", gettext_lazy("Prices, limits and time zones."))
    empty_text = gettext_lazy("There is no store yet")
    shows_first_steps = True
    list_display = ("name", "code", "terminals", "currency", "zone", "prices")
    form = StoreForm
    fieldsets = STORE_FIELDSETS
    history_about = "store"
    readonly_fields = FIXED
    page_key = ("code",)
    newest_first = False

    def get_fieldsets(self, request: HttpRequest, obj: Store | None = None) -> Any:
        """To somebody who may only look, amounts are shown as people write them, not in the minor units that they are."""
        if self.has_change_permission(request, obj):
            return [*self.fieldsets, (_("Why it is changed"), {"fields": ("why",)})]
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

    @admin.display(description=gettext_lazy("Terminals"))
    def terminals(self, row: Any) -> int:
        return int(row.terminal_count)

    @admin.display(description=gettext_lazy("Time zone"))
    def zone(self, row: Store) -> str:
        return row.timezone.replace("_", " ")

    @admin.display(description=gettext_lazy("Prices"))
    def prices(self, row: Store) -> str:
        return _("include tax") if row.prices_include_tax else _("without tax")

    def get_urls(self) -> list[URLPattern]:
        new = path("new/", self.admin_site.admin_view(self.new_view), name="fleet_store_new")
        return [new, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        may_add = {"may_add_store": request.user.has_perm("fleet.add_store")}
        return super().changelist_view(request, may_add | (extra_context or {}))

    def new_view(self, request: HttpRequest) -> HttpResponse:
        """Asks what a new store is, and creates it; the next step is its first terminal."""
        if not request.user.has_perm("fleet.add_store"):
            raise PermissionDenied
        form = NewStoreForm(request.POST or None)
        if request.method != "POST" or not form.is_valid() or (store := form.create()) is None:
            return set_up_page(self, request, form, _("A new store"), _("Create the store"))
        self.log_addition(request, store, "Created.")
        messages.success(request, _("%(store)s can sell now. Its first terminal is next.") % {"store": store})
        if not request.user.has_perm("fleet.add_terminal"):
            return HttpResponseRedirect(reverse("admin:index"))
        return HttpResponseRedirect(f"{reverse('admin:fleet_terminal_new')}?store={store.pk}")

    def response_change(self, request: HttpRequest, obj: Store) -> HttpResponse:
        self.message_user(request, _("%(store)s was saved.") % {"store": obj}, messages.SUCCESS)
        return self.response_post_save_change(request, obj)  # type: ignore[no-any-return]
