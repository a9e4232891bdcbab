"""The API's description, generated once per process because nothing else here takes as long.

Asking for it needs no credential, so asking often must cost nothing.
"""

from collections.abc import Iterable
from threading import Lock
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

# Not OPTIONS: DRF would describe the view itself, which a page is no form for.
READ_ONLY = ["get", "head"]


class DescriptionPage(SpectacularSwaggerView):
    """`/api/docs/`: the same for people."""

    http_method_names = READ_ONLY
    authentication_classes = ()
    permission_classes = ()
    url_name = "schema"


class FormatOrAccept(DefaultContentNegotiation):
    """`?format=json` or `?format=yaml`, for tools that cannot set a header; otherwise as usual, by `Accept`."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        by_name = {"json": "application/json", "yaml": "application/yaml"}.get(request.query_params.get("format", ""))
        for renderer in renderers:
            if renderer.media_type == by_name:
                return renderer, renderer.media_type
        chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
        return chosen


class DescriptionView(SpectacularAPIView):
    """`/api/schema/`, as YAML or JSON."""

    http_method_names = READ_ONLY
    authentication_classes = ()
    permission_classes = ()
    content_negotiation_class = FormatOrAccept

    _lock = Lock()  # drf-spectacular imports at first use what it needs, which two threads at once break
    _rendered: dict[str, bytes | str] = {}

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The same bytes for everybody who asks for the same media type: they depend on nothing else in the request."""
        renderer = request.accepted_renderer
        with self._lock:
            if renderer.media_type not in self._rendered:
                described = self.generator_class().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
                self._rendered[renderer.media_type] = renderer.render(described, renderer_context={})
        return HttpResponse(self._rendered[renderer.media_type], content_type=renderer.media_type)
