"""The console's login: how often it may be tried, what a try costs, and what the log says of it.

Tries are counted in Redis, per name and per address. Passwords are checked one at a time in a process: the gate gives the
login a single thread (backoffice/gate/threads.py).
"""

import hashlib
import math
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import connection
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from backoffice.buckets import Buckets
from backoffice.metrics import logins_refused, tries_unmetered
from backoffice.remote import is_this_machine, remote_address
from backoffice.trail.acting import Actor
from backoffice.trail.events import LOGIN, LOGIN_FAILED, LOGOUT, record_event

log = structlog.get_logger(__name__)

# Ten tries at once for a name, then one in half a minute; a good login makes the bucket full again. Twice as many for an
# address, behind which there may be a whole office.
NAME_PER_S, NAME_BURST = 1 / 30, 10
ADDRESS_PER_S, ADDRESS_BURST = 1 / 3, 20
NOBODY = "(nobody's)"

buckets = Buckets(settings.REDIS_URL, prefix="backoffice:logins", unmetered=tries_unmetered)


class TooManyTries(Exception):
    """This name or address has tried too often. The password was not looked at."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"{wait_s} s")
        self.wait_s = wait_s


class LimitedLogin(ModelBackend):
    """Django's backend, with a limit of tries, and without a database connection while a password is hashed."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **_: Any
    ) -> User | None:
        """The user of that name and password. Raises `TooManyTries` without looking at them."""
        if username is None or password is None:
            return None
        _count_try(request, username)
        user = _find_user(username)
        if not connection.in_atomic_block:
            connection.close()
        if user is None:
            User().set_password(password)  # takes as long, so that nobody learns which names there are
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None


class LoginRefusals:
    """A middleware: a login that is refused for its number is a short page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Django's hook."""
        if not isinstance(exception, TooManyTries):
            return None
        text = gettext("Too many tries to log in. Try again in %(seconds)s s.") % {"seconds": exception.wait_s} + "\n"
        return HttpResponse(
            text, status=429, headers={"Retry-After": str(exception.wait_s)}, content_type="text/plain; charset=utf-8"
        )


def _count_try(request: HttpRequest | None, username: str) -> None:
    address = _address(request)
    wait_ms = 0
    if not is_this_machine(address):
        wait_ms = buckets.take(f"address:{address}", per_s=ADDRESS_PER_S, burst=ADDRESS_BURST)
    wait_ms = wait_ms or buckets.take(_name_key(username), per_s=NAME_PER_S, burst=NAME_BURST)
    if wait_ms:
        logins_refused.inc()
        log.warning("login refused: too many tries", user=_known_name(username), address=address)
        raise TooManyTries(math.ceil(wait_ms / 1000))


@receiver(user_logged_in)
def _log_login(request: HttpRequest | None, user: User, **_: Any) -> None:
    buckets.fill(_name_key(user.get_username()))
    log.info("login", user=user.get_username(), address=_address(request))
    _note(LOGIN, user, request)


@receiver(user_logged_out)
def _log_logout(request: HttpRequest | None, user: User | None, **_: Any) -> None:
    if user is not None:
        log.info("logout", user=user.get_username(), address=_address(request))
        _note(LOGOUT, user, request)


@receiver(user_login_failed)
def _log_failure(credentials: Mapping[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    user = _find_user(str(credentials.get("username")))
    log.warning("login failed", user=NOBODY if user is None else user.get_username(), address=_address(request))
    if user is not None:  # of other names the log alone knows: whoever guesses them must not fill a table
        _note(LOGIN_FAILED, user, request)


def _note(what: str, user: User, request: HttpRequest | None) -> None:
    actor = Actor(user.get_username(), user.pk, _address(request), via="console")
    record_event(what, about="user", object_id=str(user.pk), object_name=user.get_username(), actor=actor)


def _address(request: HttpRequest | None) -> str:
    return "unknown" if request is None else remote_address(request.META)


def _name_key(username: str) -> str:
    # As a hash: what people type where their name belongs may be their password.
    return "name:" + hashlib.sha256(username.encode("utf-8", "replace")).hexdigest()


def _known_name(username: str) -> str:
    """The name as the log may have it: that of a user. Anything else may be a password in the wrong field."""
    return NOBODY if _find_user(username) is None else username


def _find_user(username: str) -> User | None:
    if not username.isprintable():  # nobody is called that, and PostgreSQL does not take all of it
        return None
    return User.objects.filter(username=username).first()
