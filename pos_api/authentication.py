"""The bearer token says which terminal is speaking, and so for which store (protocol §3)."""

from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from backoffice.fleet.activation import hash_token
from backoffice.fleet.models import Terminal
from backoffice.ingestion.stores import authenticate
from pos_api.known_tokens import known_tokens

SCHEME = "bearer"
UNKNOWN_TOKEN = "backoffice.unknown_token"  # no password, but a name that no header can have  # noqa: S105  # nosec B105
"""Set in the environ of a request whose token the gate has already looked up in vain, so that it is not looked up again."""


class Caller:
    """The terminal behind a request, as DRF's `request.user`."""

    is_authenticated = True

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal


class TerminalAuthentication(BaseAuthentication):
    """`Authorization: Bearer TOKEN`. Missing, unknown and revoked tokens get the same answer."""

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        token = bearer_token(request.META.get("HTTP_AUTHORIZATION", ""))
        if token is None or UNKNOWN_TOKEN in request.META:
            raise AuthenticationFailed
        terminal = authenticate(token=token, now=timezone.now())
        if terminal is None:
            known_tokens.forget(hash_token(token))
            raise AuthenticationFailed
        known_tokens.remember(hash_token(token))
        return Caller(terminal), None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def bearer_token(authorization: str) -> str | None:
    """The token in an Authorization header; None where there is none."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() or None if scheme.lower() == SCHEME else None


class TerminalAuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the scheme in the OpenAPI document."""

    target_class = "pos_api.authentication.TerminalAuthentication"
    name = "terminal"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": SCHEME, "description": "The token that an activation returned."}
