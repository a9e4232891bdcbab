"""What django-allauth asks us: it keeps factors and sessions, and decides nothing else."""

from ipaddress import IPv4Address
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.remote import remote_address
from backoffice.review.entrance.encryption import decrypted, encrypted
from backoffice.review.entrance.rule import has_factor, has_proved_lately

NO_ADDRESS = str(IPv4Address(0))  # in the list of sessions, for one that cannot be read
# By django-allauth's names.
WAYS = {
    "reauthenticate": _("Use your password"),
    "mfa_reauthenticate": _("Use a code"),
    "mfa_reauthenticate:webauthn": _("Use a passkey"),
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up, nothing goes by mail, and whoever has a factor shows that when asked again."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": _("Too many wrong codes. Wait five minutes, then try again."),
        "incorrect_password": _("That is not your password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        address = remote_address(request.META).partition("/")[0]
        return NO_ADDRESS if address == "unknown" else address

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("admin:index")

    def get_login_stages(self) -> list[str]:
        return ["allauth.mfa.stages.AuthenticateStage"]

    def is_reauthentication_required(self, *, app: str, **_kwargs: Any) -> bool:
        return not has_proved_lately(self.request)

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """The ways to show who one is; the password only for who has no factor."""
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if has_factor(user):
            ways = [way for way in ways if way["id"] != "reauthenticate"]
        return [way | {"description": WAYS[way["id"]]} for way in ways]


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Factors: their secrets are kept encrypted, and apps show who they are of."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("That code is not right. Each code of an app counts once, and for a short time."),
    }

    def get_totp_label(self, user: User) -> str:
        return str(user.get_username())

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": "Back Office"}

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002 - allauth's
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return gettext("Passkey %(number)s") % {"number": number}

    def encrypt(self, text: str) -> str:
        return encrypted(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypted(encrypted_text)
