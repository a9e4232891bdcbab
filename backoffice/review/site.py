"""The console as a site of Django's admin: unfold's, with only those addresses that the console offers."""

from functools import partial
from http import HTTPStatus
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.checks import CheckMessage, Error
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

from backoffice.review.live import answer_live
from backoffice.review.rights import may_see, reads_originals


class ConsoleSite(UnfoldAdminSite):  # type: ignore[misc]
    """Each page knows as `may` what its reader may see, and whether they may read what tills sent as it is stored."""

    def get_urls(self) -> list[URLPattern]:
        """Reports besides the pages of rows. No row has a page outside the console, so none is looked for."""
        from backoffice.books.reports.catalogue import REPORTS  # noqa: PLC0415 - the site is made before models are read
        from backoffice.review.cashier import cashier_page  # noqa: PLC0415
        from backoffice.review.drilling import figure_page  # noqa: PLC0415
        from backoffice.review.entrance.person import entrance_page  # noqa: PLC0415
        from backoffice.review.language import choose_language  # noqa: PLC0415
        from backoffice.review.reports import report_page  # noqa: PLC0415

        reports = [
            path(
                f"reports/{name}/",
                self.admin_view(partial(report_page, name=name)),
                name=f"report_{name.replace('-', '_')}",
            )
            for name in REPORTS
        ]
        figures = path("reports/figure/", self.admin_view(figure_page), name="report_orders")
        cashier = path("reports/cashier/", self.admin_view(cashier_page), name="report_cashier")
        entrance = path(
            "auth/user/<int:person_id>/entrance/", self.admin_view(entrance_page), name="auth_user_entrance"
        )
        own = [pattern for pattern in super().get_urls() if getattr(pattern, "name", None) != "view_on_site"]
        language = path("language/", self.admin_view(choose_language), name="language")
        return [*reports, figures, cashier, entrance, language, *own]

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Django's own login, but for what follows a right password (`ConsoleLogin`)."""
        from backoffice.review.entrance.views import ConsoleLogin  # noqa: PLC0415

        if request.method == "GET" and self.has_permission(request):
            return redirect("admin:index")
        context = self.each_context(request) | {"title": _("Log in"), "app_path": request.get_full_path()}
        context |= extra_context or {}
        if REDIRECT_FIELD_NAME not in request.GET and REDIRECT_FIELD_NAME not in request.POST:
            context[REDIRECT_FIELD_NAME] = reverse("admin:index")
        request.current_app = self.name
        view = ConsoleLogin.as_view(
            extra_context=context, authentication_form=self.login_form, template_name="admin/login.html"
        )
        return cast(HttpResponse, view(request))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Django's own; all other sessions of this person end."""
        from backoffice.review.entrance.sessions import go_on_alone  # noqa: PLC0415

        answer: HttpResponse = super().password_change(request, extra_context)
        if request.method == "POST" and answer.status_code == HTTPStatus.FOUND:
            go_on_alone(request)
        return answer

    def check(self, app_configs: Any) -> list[CheckMessage]:
        """Besides Django's own, that each kind of row is narrowed to the stores of its reader."""
        from backoffice.review.admin.base import ConsoleAdmin  # noqa: PLC0415 - as above

        loose = [
            Error(
                f"{page} does not say which way leads from its rows to their store.",
                hint="Give it a base of ConsoleAdmin, and a store_path (backoffice/review/reach.py).",
                obj=type(page),
                id="console.E001",
            )
            for page in self._registry.values()
            if not isinstance(page, ConsoleAdmin) or page.store_path is None
        ]
        return [*super().check(app_configs), *loose]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The dashboard; to the script that refreshes it, its part alone."""
        return answer_live(request, super().index(request, extra_context), part="console/dashboard_part.html")

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Unfold's, without the colours: they are in a file, so that no page has styles of its own (docs/signing-in.md)."""
        return {
            **super().each_context(request),
            "colors": None,
            "may": may_see(request),
            "reads_originals": reads_originals(request),
            "no_second_factor": not settings.SECOND_FACTOR,
        }

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The command palette. Nothing of it is kept: whoever loses a right finds nothing by it from then on."""
        from backoffice.review.palette import find  # noqa: PLC0415 - as above

        term = request.GET.get("s", "")
        if not term.strip():
            return HttpResponse()
        results = find(request, term)
        paginator = Paginator(results, max(len(results), 1))
        context = {"page_obj": paginator, "results": paginator.page(1), "page_counter": 0}
        return TemplateResponse(request, "console/palette.html", context, headers={"HX-Trigger": "search"})
