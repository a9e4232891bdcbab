"""How long a session lasts, and how sessions end before that."""

import time
from collections.abc import Callable
from typing import cast

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from backoffice.review.middleware import is_of_the_console

SIGNED_IN, SEEN = "console.signed_in", "console.seen"
# A session is written when something is done in it, but not more often than this.
NOTED_EVERY_S = 60
# The first that is found; most claim to be several.
PROGRAMS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS = {
    "Windows": "Windows",
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Mac OS": "Mac",
    "CrOS": "Chromebook",
    "Linux": "Linux",
}


class SessionLimits:
    """Signs out whoever has done nothing for too long, or has been here for too long."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_of_the_console(request):
            return self.get_response(request)
        if request.user.is_authenticated:
            if why := _why_over(request):
                logout(request)
                messages.info(request, why)
            else:
                _note_seen(request)
        return _whole_page(request, self.get_response(request))


def start_clock(request: HttpRequest) -> None:
    """A session begins now."""
    request.session[SIGNED_IN] = request.session[SEEN] = time.time()


def sessions_of(person: User) -> list[UserSession]:
    """Where somebody is signed in, the oldest first; each with its `browser` in words."""
    found = sorted(UserSession.objects.purge_and_list(person), key=lambda session: session.created_at)
    for session in found:
        session.browser = browser_in_words(session.user_agent)
    return found


def browser_in_words(claimed: str) -> str:
    """`Firefox on Windows`, from what a browser says of itself (User-Agent)."""
    program = next((words for mark, words in PROGRAMS.items() if mark in claimed), "")
    system = next((words for mark, words in SYSTEMS.items() if mark in claimed), "")
    if program and system:
        return _("%(program)s on %(system)s") % {"program": program, "system": system}
    return program or system or _("A browser that does not say what it is")


def end_sessions(person: User, *, but: str | None = None) -> int:
    """Ends every session of somebody, except the one with the key `but`; returns how many."""
    ended = 0
    for session in UserSession.objects.filter(user=person).exclude(session_key=but or ""):
        session.end()
        ended += 1
    return ended


def go_on_alone(request: HttpRequest) -> None:
    """After a change of password: this session goes on, under the key it has just got, and all others end."""
    end_sessions(cast(User, request.user), but=request.session.session_key)
    UserSession.objects.create_from_request(request)


def _why_over(request: HttpRequest) -> str:
    now = time.time()
    signed_in, seen = request.session.get(SIGNED_IN, 0), request.session.get(SEEN, 0)
    if now - signed_in > settings.SESSION_HOURS * 3600:
        return _("You were signed out: a session ends after %(hours)s hours.") % {"hours": settings.SESSION_HOURS}
    if now - seen > settings.SESSION_IDLE_MINUTES * 60:
        return _("You were signed out, because nothing was done for %(minutes)s minutes.") % {
            "minutes": settings.SESSION_IDLE_MINUTES
        }
    return ""


def _note_seen(request: HttpRequest) -> None:
    # What a page fetches by itself, again and again, is nobody at work.
    by_itself = request.method == "GET" and (
        "HX-Request" in request.headers or request.headers.get("Sec-Fetch-Dest") == "empty"
    )
    if not by_itself and time.time() - request.session[SEEN] > NOTED_EVERY_S:
        request.session[SEEN] = time.time()


def _whole_page(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    # A part of a page that is fetched anew must not become the login: the whole page does.
    where = response.headers.get("Location", "")
    if "HX-Request" not in request.headers or not where.startswith((reverse("admin:login"), reverse("mfa_index"))):
        return response
    return HttpResponse(status=204, headers={"HX-Redirect": where})
