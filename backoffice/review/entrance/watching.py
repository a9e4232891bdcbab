"""What follows from a factor that was added, used or removed; django-allauth says when."""

from typing import Any

import structlog
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
    authenticator_used,
)
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from backoffice.remote import remote_address
from backoffice.review.entrance.encryption import encrypt_anew
from backoffice.review.entrance.rule import BY_FACTOR, FACTORS, has_factor
from backoffice.review.entrance.sessions import end_sessions, start_clock
from backoffice.trail.acting import Actor
from backoffice.trail.events import CODE_USED, FACTOR_FAILED, record_event

log = structlog.get_logger(__name__)


@receiver(user_logged_in)
def _start(request: HttpRequest | None, **_: Any) -> None:
    if request is not None:
        start_clock(request)


@receiver(authenticator_added)
def _added(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type in FACTORS:  # who adds one has just shown it
        record_authentication(request, user, BY_FACTOR, id=authenticator.pk, type=authenticator.type)
        end_sessions(user, but=request.session.session_key)


@receiver(authenticator_removed)
@receiver(authenticator_reset)
def _changed(request: HttpRequest, user: User, **_: Any) -> None:
    end_sessions(user, but=request.session.session_key)
    if not has_factor(user):  # what was shown is no more, so that another is asked for at once
        records = request.session.get(AUTHENTICATION_METHODS_SESSION_KEY, [])
        left = [record for record in records if record["method"] != BY_FACTOR]
        request.session[AUTHENTICATION_METHODS_SESSION_KEY] = left


@receiver(authenticator_used)
def _used(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        _note(CODE_USED, user, request)
    if settings.SECRET_KEY_BEFORE:
        encrypt_anew(authenticator)


@receiver(authentication_failed)
def _failed(request: HttpRequest, user: User, **_: Any) -> None:
    log.warning("second factor failed", user=user.get_username(), address=remote_address(request.META))
    _note(FACTOR_FAILED, user, request)


def _note(what: str, user: User, request: HttpRequest) -> None:
    actor = Actor(user.get_username(), user.pk, remote_address(request.META), via="console")
    record_event(what, about="user", object_id=str(user.pk), object_name=user.get_username(), actor=actor)
