"""The console as a site of Django's admin: unfold's, with only those addresses that the console offers."""

from functools import partial
from typing import Any

from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.sites import UnfoldAdminSite

from backoffice.review.rights import may_see


class ConsoleSite(UnfoldAdminSite):  # type: ignore[misc]
    """Each page knows as `may` what its reader may see."""

    def get_urls(self) -> list[URLPattern]:
        """Reports besides the pages of rows. No row has a page outside the console, so none is looked for."""
        from backoffice.books.reports.catalogue import REPORTS  # noqa: PLC0415 - the site is made before models are read
        from backoffice.review.drilling import figure_page  # noqa: PLC0415
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
        own = [pattern for pattern in super().get_urls() if getattr(pattern, "name", None) != "view_on_site"]
        return [*reports, figures, *own]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "may": may_see(request)}

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The search among the kinds of pages. Raises Http404 for a page of results that is not there."""
        try:
            return super().search(request, extra_context)  # type: ignore[no-any-return]
        except InvalidPage:
            raise Http404 from None
