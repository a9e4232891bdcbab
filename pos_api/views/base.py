"""What all views of the terminals' API share."""

from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

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
        super().setup(request, *args, **kwargs)
        # Read here, before Django refuses a query of more than a thousand fields: unknown fields are ignored, however many
        # there are. Of fields with the same name the last counts.
        query = QueryDict(mutable=True)
        for name, value in parse_qsl(request.META.get("QUERY_STRING", ""), keep_blank_values=True):
            query[name] = value
        request.GET = query  # type: ignore[assignment]  # Django's is immutable; nobody changes this one

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After the credential, checks the identifiers in the address (404)."""
        super().initial(request, *args, **kwargs)
        if None in kwargs.values():
            raise Problem("not-found", "Identifiers are UUIDs in the canonical 36-character form.")

    def perform_authentication(self, request: Request) -> None:
        """Every log line about this request then names its terminal."""
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
