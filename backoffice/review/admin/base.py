"""What the console's lists and pages share: they are paged by key, and nothing is ever added or deleted in them."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    QueryDict,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from backoffice.books.people import EVERYWHERE, Reach
from backoffice.languages.texts import Words
from backoffice.review.admin.filters import FilterForm
from backoffice.review.admin.history import history_of
from backoffice.review.cells import page_url
from backoffice.review.list_files import csv_answer, rows_of_list
from backoffice.review.live import answer_live
from backoffice.review.noting import answer_note, notes_card
from backoffice.review.pages import console_page
from backoffice.review.paging import KeysetChangeList, RowsInParts
from backoffice.review.reach import OF_HEAD_OFFICE, OF_THE_COMPANY, choices, my_reach, own_choices
from backoffice.review.rights import may_see
from backoffice.review.saved_views import RIGHT as SHARING
from backoffice.review.saved_views import ViewForm, own_query, remove_view, save_view, view_tools
from backoffice.trail.acting import because

# How the name of the address ends at which a list is a file.
FILE = "_csv"


class ConsoleAdmin(ModelAdmin):  # type: ignore[misc]
    """A list of one table. Rows are neither added nor deleted here: sales may refer to them."""

    list_title: Words = ""
    list_intro: Words = ""
    list_legend: Words = ""
    empty_text: Words = _("Nothing yet.")
    shows_first_steps = False
    page_key: tuple[str, ...] = ("id",)
    newest_first = True
    filter_form: type[FilterForm] = FilterForm
    # The way from a row to its store, such as `terminal__store`, or `OF_THE_COMPANY`. Every page declares its own.
    store_path: str | None = None
    # The kind of thing that a row is in the audit trail; empty where nothing of it is noted.
    history_about = ""

    # The template of the rows, of a list that refreshes itself; empty: it does not.
    live_part = ""

    change_list_template = "console/list.html"
    change_form_template = "console/form.html"
    list_per_page = 50
    # Of a list as a file, so many rows are read and completed at a time.
    rows_at_once = 250
    # And it has at most so many, of a list whose rows cost more than others'.
    most_rows: int | None = None
    list_fullwidth = True
    show_full_result_count = False
    sortable_by = ()
    actions: Sequence[str] | None = None
    paginator = Paginator

    @property
    def own_parameters(self) -> set[str]:
        """The query parameters of the console's own filters."""
        return set(self.filter_form.base_fields)

    def complete(self, rows: list[Any]) -> None:
        """Adds what the cells show to the rows of one page, in a fixed number of statements."""

    def narrow(self, queryset: QuerySet[Any], chosen: Mapping[str, Any]) -> QuerySet[Any]:
        """The rows that match the filters; `chosen` is the cleaned data of `filter_form`.

        The rows are of the reader's stores already. Of a reader who is bound, the ids of these are in `chosen` as
        `own_stores`, for lists that find the rows of a store in a way of their own.
        """
        return queryset

    def of_reach(self, queryset: QuerySet[Any], reach: Reach) -> QuerySet[Any]:
        """Those of the rows that are of the reader's stores. Whatever shows rows of this kind narrows them by this."""
        if self.store_path is None or (self.store_path == OF_HEAD_OFFICE and reach != EVERYWHERE):
            return queryset.none()
        if self.store_path in {OF_HEAD_OFFICE, OF_THE_COMPANY}:
            return queryset
        return reach.of(queryset, self.store_path)

    def every_row(self, request: HttpRequest) -> QuerySet[Any]:
        """Every row of the reader's stores, whatever the filters say."""
        return self.of_reach(super().get_queryset(request), my_reach(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Every row of the reader's stores; on the list, those that match the filters."""
        queryset = self.every_row(request)
        if not _address_is_of(request, "_changelist", FILE):
            return queryset
        chosen = self.bound_filters(request).chosen
        own_stores = my_reach(request).store_ids
        own = {} if own_stores is None else {"own_stores": sorted(own_stores)}
        return self.narrow(queryset, chosen | own)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row of an address; None if there is none, as for what no key can be."""
        return None if "\0" in object_id else super().get_object(request, object_id, from_field)

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Django would lead to the dashboard, and say which row is not there."""
        raise Http404

    def chooses_few(self, request: HttpRequest) -> bool:
        """Whether the filters choose so few rows, found by an index, that all are sorted for each page.

        Only for lists whose `page_key` is numbers.
        """
        return False

    def bound_filters(self, request: HttpRequest) -> FilterForm:
        return own_choices(request, self.filter_form(request.GET))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A choice among the rows that the reader may see."""
        kwargs.setdefault("queryset", choices(request, db_field.remote_field.model.objects.all()))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """As above, of several."""
        kwargs.setdefault("queryset", choices(request, db_field.remote_field.model.objects.all()))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        form = self.bound_filters(request)
        context: dict[str, Any] = {
            "title": self.list_title,
            "filters": form,
            "intro": self.list_intro,
            "legend": self.list_legend,
        }
        context |= {
            "show_steps": self.shows_first_steps,
            "empty_text": self.empty_text,
            "is_narrowed": form.is_narrowed or "q" in request.GET,
        }
        if self.has_view_or_change_permission(request):
            context |= view_tools(request, self)
        page: TemplateResponse = super().changelist_view(request, context | (extra_context or {}))
        return answer_live(request, page, part=self.live_part) if self.live_part else page

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("csv/", wrap(self.csv_view), name=self.address_name(FILE)),
            path("views/", wrap(self.views_view), name=self.address_name("_views")),
            *super().get_urls(),
        ]

    def address_name(self, ending: str) -> str:
        """What an address of this list is called: `sales_order_changelist` for `_changelist`."""
        return f"{self.opts.app_label}_{self.opts.model_name}{ending}"

    def views_view(self, request: HttpRequest) -> HttpResponse:
        """Saves the filters that were sent under a name, or removes a saved view. Takes POST only. Raises PermissionDenied."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        address = reverse(f"admin:{self.address_name('_changelist')}")
        if key := request.POST.get("remove"):
            remove_view(request, self, key)
            return HttpResponseRedirect(address)
        form = ViewForm(request.POST, may_share=request.user.has_perm(SHARING))
        if wrong := save_view(request, self, form):
            messages.error(request, str(wrong))
        return HttpResponseRedirect(f"{address}?{own_query(self, QueryDict(request.POST.get('query', '')))}")

    def csv_view(self, request: HttpRequest) -> HttpResponse:
        """The list as a file, with the filters and the search of its address. Raises PermissionDenied."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        rows = rows_of_list(self, self.get_changelist_instance(request))
        store = self.bound_filters(request).chosen.get("store")
        kind, store_id = str(self.opts.model_name), None if store is None else store.pk
        return csv_answer(request, rows, kind=kind, title=self.list_title, store_id=store_id, most_rows=self.most_rows)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return RowsInParts if _address_is_of(request, FILE) else KeysetChangeList

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> TemplateResponse:
        """A form whose header links back to the list."""
        context |= {
            "title": str(kwargs.get("obj") or context.get("title") or ""),
            "subtitle": None,
            "show_save_and_continue": False,
        }
        context |= self.history(request, kwargs.get("obj"))
        return super().render_change_form(request, self.way_up() | context, *args, **kwargs)  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Saves a row, for the reason that its form asks for."""
        because(form.cleaned_data.get("why") or "")
        super().save_model(request, obj, form, change)

    def history(self, request: HttpRequest, row: Model | None) -> dict[str, Any]:
        """What was changed of a row, for its page; nothing to who may not see the audit trail."""
        if row is None or not self.history_about or not may_see(request)["trailentry"]:
            return {}
        return {
            "history": history_of(self.history_about, row.pk, my_reach(request)),
            "history_about": self.history_about,
            "history_id": row.pk,
        }

    def way_up(self) -> dict[str, Words]:
        """The link in the header of a page, back to the list."""
        options = self.opts
        return {
            "up_url": reverse(f"admin:{options.app_label}_{options.model_name}_changelist"),
            "up_title": self.list_title,
        }

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class PageAdmin(ConsoleAdmin):
    """A list, and for each row a page instead of a form: `page_template` with the context that `page` returns."""

    page_template = ""
    # What a row is to its notes (`books.models.NOTED`), and the name of its key there; empty: it has none.
    noted_as = ""
    note_key = "pk"
    # The template of what of a page refreshes itself; empty: nothing does.
    live_page_part = ""

    def page(self, row: Any) -> dict[str, Any]:
        """The context of a row's page, including its `title`. Of rows of other stores it shows what `row.reach` holds."""
        raise NotImplementedError

    def beside(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page shows to this reader alone, such as what they may decide."""
        return {}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of one row. Raises Http404."""
        return self.show(request, object_id, template=self.page_template, **(extra_context or {}))

    def show(self, request: HttpRequest, object_id: str, *, template: str, **extra: Any) -> HttpResponse:
        """A page about one row. Raises Http404, or PermissionDenied if the user may not see it."""
        row = self.get_object(request, unquote(object_id))
        if row is not None:
            row.may = may_see(request)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        row.reach = my_reach(request)
        context = {"opts": self.opts, "row": row, "may_change": self.has_change_permission(request, row)}
        context |= self.way_up() | self.history(request, row)
        context |= self.page(row) | self.beside(request, row) | self.notes(request, row)
        page = console_page(request, template, context | extra)
        if not self.live_page_part or template != self.page_template:
            return page
        return answer_live(request, page, part=self.live_page_part, is_final=self.is_final(row))

    def notes(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What people wrote about a row, for its page."""
        if not self.noted_as:
            return {}
        address = reverse(f"admin:{self.address_name('_note')}", args=[row.pk])
        subject = getattr(row, self.note_key)
        return notes_card(request, self.noted_as, subject, store=self._store_of(row), address=address)

    def note_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Keeps a note on a row, or takes one back. Takes POST only. Raises Http404, PermissionDenied."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        subject = getattr(row, self.note_key)
        return answer_note(request, self.noted_as, subject, store=self._store_of(row), back=page_url(row))

    def _store_of(self, row: Any) -> Any:
        return attrgetter(str(self.store_path).replace("__", "."))(row)

    def get_urls(self) -> list[URLPattern]:
        if not self.noted_as:
            return super().get_urls()
        view = self.admin_site.admin_view(self.note_view)
        return [path("<path:object_id>/note/", view, name=self.address_name("_note")), *super().get_urls()]

    def is_final(self, row: Any) -> bool:
        """Whether a row's page changes no more, and so has nothing to refresh."""
        return False


class ReadingAdmin(PageAdmin):
    """A list and pages that nobody can edit."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _address_is_of(request: HttpRequest, *endings: str) -> bool:
    """Whether the name of the address that is asked for ends so."""
    match = request.resolver_match
    return match is not None and (match.url_name or "").endswith(endings)
