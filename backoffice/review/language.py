"""The language in which the console speaks: the person's own where they chose one, else what their browser asks for.

The terminals' API, and all that runs outside the console, stay in English.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language_from_request, override

from backoffice.languages.models import keep_language, language_of
from backoffice.review.middleware import is_of_the_console

IN_SESSION = "language"
A_YEAR_S = 365 * 24 * 3600


class ConsoleLanguage:
    """A middleware: answers of the console are in the language of whoever asked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_of_the_console(request):
            return self.get_response(request)
        language = request.session.get(IN_SESSION) or get_language_from_request(request)
        with override(language):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


def choose_language(request: HttpRequest) -> HttpResponse:
    """Keeps the language that a person chose in their menu, and goes back to their page. Takes POST only."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    back = request.POST.get("next") or request.META.get("HTTP_REFERER", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = reverse("admin:index")
    answer = HttpResponseRedirect(back)
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES) and isinstance(request.user, User):
        keep_language(request.user, language)
        request.session[IN_SESSION] = language
        # So that the next login of this browser asks in the same language.
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=A_YEAR_S,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return answer


@receiver(user_logged_in)
def _speak_their_language(request: HttpRequest | None, user: User, **_: Any) -> None:
    """A session knows its person's language from the login on, so that no page has to ask the database for it."""
    if request is not None and (language := language_of(user)):
        request.session[IN_SESSION] = language
