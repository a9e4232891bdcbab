"""Who must show a second factor, and what has been shown in a session."""

import time
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

# What a second factor is; recovery codes stand in for one, and nobody has them alone.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
BY_FACTOR = "mfa"
FACTOR_NAMES = {
    "totp": _("app with codes"),
    "webauthn": _("passkey"),
    "recovery_codes": _("recovery codes"),
}


def needs_factor(person: User | AnonymousUser) -> bool:
    """Whether somebody must show a second factor: who may do anything but read.

    It goes by rights, whatever gave them. A right that is new counts as more than reading.
    """
    if not settings.SECOND_FACTOR or not person.is_active:
        return False
    if person.is_superuser:
        return True
    return any(not right.partition(".")[2].startswith("view_") for right in person.get_all_permissions())


def has_factor(person: User | AnonymousUser) -> bool:
    """Whether somebody has a second factor to show. One statement."""
    return bool(is_mfa_enabled(person, FACTORS))


def has_shown_factor(request: HttpRequest) -> bool:
    """Whether one was shown in this very session; that its person has one says nothing of who sits there."""
    return any(record["method"] == BY_FACTOR for record in _records(request))


def has_proved_lately(request: HttpRequest) -> bool:
    """Whether somebody has just shown again who they are: by a factor who has one, by the password who has none."""
    records = _records(request)
    if has_factor(request.user):
        records = [record for record in records if record["method"] == BY_FACTOR]
    return bool(records) and time.time() - records[-1]["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def ask_again(request: HttpRequest) -> None:
    """Before what matters most. Raises ReauthenticationRequired unless somebody has just shown who they are.

    The answer is then a page that asks for it. What was sent by POST is kept and goes on from there.
    """
    if not has_proved_lately(request):
        raise ReauthenticationRequired


def _records(request: HttpRequest) -> list[dict[str, Any]]:
    person = request.user
    return get_authentication_records(request, person) if person.is_authenticated else []
