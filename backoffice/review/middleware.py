"""The console's Content-Security-Policy: nothing from other hosts, nothing inline but styles."""

from collections.abc import Callable
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

# Unfold's Alpine evaluates its attributes ('unsafe-eval') and htmx and Alpine set styles ('unsafe-inline').
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class ConsolePolicy:
    """Sets the policy on every answer under the console's address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith(_console()):
            response.headers["Content-Security-Policy"] = POLICY
        return response


@cache
def _console() -> str:
    return reverse("admin:index")
