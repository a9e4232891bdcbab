"""What every page of the console has: its Content-Security-Policy, and that what is changed is noted as its person's."""

from collections.abc import Callable
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from backoffice.remote import remote_address
from backoffice.trail.acting import Actor, acting

# What a page of the console may run and load: files of ours, nothing from other hosts, and no script or style in the page
# itself. docs/signing-in.md says why each exception is there.
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; script-src-attr 'none'; "
    "style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A page for the printer is one document with its styles in it, and runs nothing at all.
PAPER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Content-Security-Policy": POLICY,
}


def on_paper(html: str) -> HttpResponse:
    """The answer that is a document for the printer."""
    return HttpResponse(html, headers={"Content-Security-Policy": PAPER_POLICY})


class ConsolePolicy:
    """Sets the policy, and what else browsers are told, on every answer under the console's address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if is_of_the_console(request):
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
            if response.headers.get("Content-Type", "").startswith("text/html"):
                response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class PersonAtWork:
    """What a form changes is noted as the work of whoever sent it, from where."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST" or not is_of_the_console(request):
            return self.get_response(request)
        with acting(actor_of(request)):
            return self.get_response(request)


def actor_of(request: HttpRequest) -> Actor:
    """Whoever sent a request of the console."""
    person = "" if request.user.is_anonymous else request.user.get_username()
    return Actor(person=person, person_id=request.user.pk, address=remote_address(request.META), via="console")


def is_of_the_console(request: HttpRequest) -> bool:
    """Whether a request is for a page of the console."""
    return request.path.startswith(_console())


@cache
def _console() -> str:
    return reverse("admin:index")
