"""What every page of the console has: its Content-Security-Policy, and that what is changed is noted as its person's."""

from collections.abc import Callable
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from backoffice.remote import remote_address
from backoffice.trail.acting import Actor, acting

# Nothing from other hosts, nothing inline but styles. Unfold's Alpine evaluates its attributes ('unsafe-eval') and htmx and Alpine set styles ('unsafe-inline').
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


class PersonAtWork:
    """What a form changes is noted as the work of whoever sent it, from where."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST" or not request.path.startswith(_console()):
            return self.get_response(request)
        with acting(actor_of(request)):
            return self.get_response(request)


def actor_of(request: HttpRequest) -> Actor:
    """Whoever sent a request of the console."""
    person = "" if request.user.is_anonymous else request.user.get_username()
    return Actor(person=person, person_id=request.user.pk, address=remote_address(request.META), via="console")


@cache
def _console() -> str:
    return reverse("admin:index")
