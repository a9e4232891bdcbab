"""The console as a site of Django's admin: unfold's, with only those addresses that the console offers."""

from typing import Any

from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern
from unfold.sites import UnfoldAdminSite

from backoffice.review.rights import may_see


class ConsoleSite(UnfoldAdminSite):  # type: ignore[misc]
    """Each page knows as `may` what its reader may see."""

    def get_urls(self) -> list[URLPattern]:
        """No row has a page outside the console, so none is looked for."""
        return [pattern for pattern in super().get_urls() if getattr(pattern, "name", None) != "view_on_site"]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "may": may_see(request)}

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The search among the kinds of pages. Raises Http404 for a page of results that is not there."""
        try:
            return super().search(request, extra_context)  # type: ignore[no-any-return]
        except InvalidPage:
            raise Http404 from None
