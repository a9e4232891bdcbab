"""What every view of the terminals' API shares."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.views import APIView
from structlog.contextvars import bind_contextvars

from backoffice.fleet.models import Terminal
from pos_api.authentication import Caller
from pos_api.problems import Problem


class TerminalView(APIView):
    """A view that a terminal speaks to with its token."""

    def perform_authentication(self, request: Request) -> None:
        """Every line of the log about this request names its terminal."""
        super().perform_authentication(request)
        bind_contextvars(terminal=str(self.terminal.uuid))

    @property
    def terminal(self) -> Terminal:
        """The terminal that the credential speaks for."""
        caller: Caller = self.request.user  # type: ignore[assignment]
        return caller.terminal

    @property
    def now(self) -> datetime:
        """The server's clock."""
        return timezone.now()


def identifier(text: str) -> UUID:
    """An identifier in an address: a UUID in its canonical form, or there is nothing here (404)."""
    try:
        value = UUID(text)
    except ValueError:
        raise Problem("not-found", "Identifiers are UUIDs in the canonical 36-character form.") from None
    if str(value) != text.lower():
        raise Problem("not-found", "Identifiers are UUIDs in the canonical 36-character form.")
    return value
