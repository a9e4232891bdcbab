"""The API's description for whoever asks: drawn up once per process, since that takes longer than anything else here.

Nobody needs a credential to ask, so what it costs must not grow with how often that happens.
"""

from threading import Lock
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request


class DescriptionView(SpectacularAPIView):
    """`/api/schema/`, as YAML or JSON."""

    authentication_classes = ()
    permission_classes = ()
    content_negotiation_class = DefaultContentNegotiation

    _lock = Lock()  # drf-spectacular loads what it needs at first use, and two threads at once break that
    _drawn_up: dict[str, bytes | str] = {}

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The same bytes for everybody who asks for the same media type: nothing of the request is in them."""
        renderer = request.accepted_renderer
        with self._lock:
            if renderer.media_type not in self._drawn_up:
                described = self.generator_class().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
                self._drawn_up[renderer.media_type] = renderer.render(described, renderer_context={})
        return HttpResponse(self._drawn_up[renderer.media_type], content_type=renderer.media_type)
