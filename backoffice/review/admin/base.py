"""What the console's lists and pages share: they are paged by key, and nothing is ever added or deleted in them."""

from collections.abc import Mapping
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin

from backoffice.review.admin.filters import FilterForm
from backoffice.review.admin.history import history_of
from backoffice.review.paging import KeysetChangeList
from backoffice.review.rights import may_see
from backoffice.trail.acting import because


class ConsoleAdmin(ModelAdmin):  # type: ignore[misc]
    """A list of one table. Rows are neither added nor deleted here: sales may refer to them."""

    list_title = ""
    list_intro = ""
    list_legend = ""
    empty_text = "Nothing yet."
    shows_first_steps = False
    page_key: tuple[str, ...] = ("id",)
    newest_first = True
    filter_form: type[FilterForm] = FilterForm
    # The kind of thing that a row is in the audit trail; empty where nothing of it is noted.
    history_about = ""

    change_list_template = "console/list.html"
    change_form_template = "console/form.html"
    list_per_page = 50
    list_fullwidth = True
    show_full_result_count = False
    sortable_by = ()
    actions = None
    paginator = Paginator

    @property
    def own_parameters(self) -> set[str]:
        """The query parameters of the console's own filters."""
        return set(self.filter_form.base_fields)

    def complete(self, rows: list[Any]) -> None:
        """Adds what the cells show to the rows of one page, in a fixed number of statements."""

    def narrow(self, queryset: QuerySet[Any], chosen: Mapping[str, Any]) -> QuerySet[Any]:
        """The rows that match the filters; `chosen` is the cleaned data of `filter_form`."""
        return queryset

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Every row; on the list, those that match the filters."""
        queryset: QuerySet[Any] = super().get_queryset(request)
        match = request.resolver_match
        if match is None or not (match.url_name or "").endswith("_changelist"):
            return queryset
        form = self.bound_filters(request)
        return self.narrow(queryset, form.cleaned_data if form.is_valid() else {})

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row of an address; None if there is none, as for what no key can be."""
        return None if "\0" in object_id else super().get_object(request, object_id, from_field)

    def bound_filters(self, request: HttpRequest) -> FilterForm:
        return self.filter_form(request.GET)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        form = self.bound_filters(request)
        context = {"title": self.list_title, "filters": form, "intro": self.list_intro, "legend": self.list_legend}
        context |= {
            "show_steps": self.shows_first_steps,
            "empty_text": self.empty_text,
            "is_narrowed": form.is_narrowed or "q" in request.GET,
        }
        return super().changelist_view(request, context | (extra_context or {}))  # type: ignore[no-any-return]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> TemplateResponse:
        """A form whose header links back to the list."""
        context |= {"title": str(kwargs.get("obj") or ""), "subtitle": None, "show_save_and_continue": False}
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
            "history": history_of(self.history_about, row.pk),
            "history_about": self.history_about,
            "history_id": row.pk,
        }

    def way_up(self) -> dict[str, str]:
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

    def page(self, row: Any) -> dict[str, Any]:
        """The context of a row's page, including its `title`."""
        raise NotImplementedError

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of one row. Raises Http404."""
        return self.show(request, object_id, template=self.page_template, **(extra_context or {}))

    def show(self, request: HttpRequest, object_id: str, *, template: str, **extra: Any) -> HttpResponse:
        """A page about one row. Raises Http404, or PermissionDenied if the user may not see it."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        request.current_app = self.admin_site.name
        context = {**self.admin_site.each_context(request), "opts": self.opts, "row": row, "is_fullwidth": "1"}
        context["may_change"] = self.has_change_permission(request, row)
        context |= self.way_up() | self.history(request, row)
        return TemplateResponse(request, template, context | self.page(row) | extra)


class ReadingAdmin(PageAdmin):
    """A list and pages that nobody can edit."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
