"""What every view of the terminals' API shares."""

from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.views import APIView
from structlog.contextvars import bind_contextvars

from backoffice.fleet.models import Terminal
from pos_api.authentication import Caller
from pos_api.problems import Problem


class TerminalView(APIView):
    """A view that a terminal speaks to with its token."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Reads what stands behind the `?`, of one name said twice the last, before Django would refuse it.

        Django takes a thousand fields at most. Here what is not known is ignored, however much it is: a head is small.
        """
        super().setup(request, *args, **kwargs)
        query = QueryDict(mutable=True)
        for name, value in parse_qsl(request.META.get("QUERY_STRING", ""), keep_blank_values=True):
            query[name] = value
        request.GET = query  # type: ignore[assignment]  # theirs cannot be changed, which nobody does

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
