"""The bearer token says which terminal is speaking, and so for which store (protocol §3)."""

from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from backoffice.fleet.models import Terminal
from backoffice.ingestion.stores import authenticate

SCHEME = "bearer"


class Caller:
    """The terminal behind a request, as DRF's `request.user`."""

    is_authenticated = True

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal


class TerminalAuthentication(BaseAuthentication):
    """`Authorization: Bearer TOKEN`. Missing, unknown and revoked tokens get the same answer."""

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        known = scheme.lower() == SCHEME and token
        terminal = authenticate(token=token.strip(), now=timezone.now()) if known else None
        if terminal is None:
            raise AuthenticationFailed
        return Caller(terminal), None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class TerminalAuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the scheme in the OpenAPI document."""

    target_class = "pos_api.authentication.TerminalAuthentication"
    name = "terminal"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": SCHEME, "description": "The token that an activation returned."}
