"""What the pages of the entrance need to look like the console. They have no menu: it would show what is not open yet."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from backoffice.review.entrance.rule import has_shown_factor, needs_factor

ENTRANCE = "console/sign-in/"


def entrance_frame(request: HttpRequest) -> dict[str, Any]:
    """A context processor: Unfold's settings on pages of the entrance, nothing elsewhere."""
    match = request.resolver_match
    if match is None or not match.route.startswith(ENTRANCE):
        return {}
    is_in = request.user.is_authenticated and (not needs_factor(request.user) or has_shown_factor(request))
    return {**admin.site.each_context(request), "is_in": is_in}
