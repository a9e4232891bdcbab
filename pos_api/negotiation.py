"""Terminals are answered in JSON, whatever they say they accept: a sale is not refused over a header."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from backoffice.domain.scalars import write_scalar


class AlwaysJson(BaseContentNegotiation):
    """Picks the first renderer without asking the request."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class JsonRenderer(BaseRenderer):
    """Encodes msgspec structs, and the dicts and lists that they may stand in; scalars as terminals spell them."""

    media_type = "application/json"
    format = "json"
    charset = None  # JSON is UTF-8 by definition, and the media type has no such parameter (RFC 8259, §11)

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return msgspec.json.encode(data, enc_hook=write_scalar)
