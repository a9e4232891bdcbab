"""The frame of a page of the console that belongs to no row."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse


def console_page(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200
) -> TemplateResponse:
    """A page with the console's menu and header around it, as wide as the window."""
    request.current_app = admin.site.name
    frame = {**admin.site.each_context(request), "is_fullwidth": "1"}
    return TemplateResponse(request, template, frame | context, status=status)
