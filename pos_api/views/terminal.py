"""`GET /terminal`: who the terminal is, where it stands, and what it may send (protocol §4)."""

from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.domain.rules import ORDER_TYPES
from backoffice.domain.wire.messages import read_heartbeat
from backoffice.fleet.models import Store
from backoffice.ingestion.heartbeats import take_heartbeat
from backoffice.ingestion.shifts import open_shift_of
from backoffice.ingestion.stores import rotate_token
from backoffice.ledger.models import CashReason
from backoffice.sales.queries import last_number
from pos_api.bodies import read_message
from pos_api.description.schema import HEARTBEAT, HEARTBEAT_TAKEN, TERMINAL, TOKEN, describe
from pos_api.limits import limits_json
from pos_api.views.base import TerminalView


class TerminalDetail(TerminalView):
    """The terminal that the token speaks for."""

    @describe("The terminal, its store, open shift, settings and limits", responses={200: TERMINAL})
    def get(self, request: Request) -> Response:
        terminal = self.terminal
        shift = open_shift_of(terminal)
        return Response(
            {
                "terminal_id": str(terminal.uuid),
                "name": terminal.name,
                "last_number": last_number(terminal.pk),
                "store": store_json(terminal.store),
                "server_time": timezone.now(),
                "open_shift": None if shift is None else {"shift_id": str(shift.shift_id), "number": shift.number},
                "settings": _settings_json(terminal.store),
                "limits": limits_json(),
            }
        )


class TerminalHeartbeat(TerminalView):
    """What the terminal knows of itself."""

    @describe(
        "Tell how the terminal is",
        request=HEARTBEAT,
        responses={200: HEARTBEAT_TAKEN},
        problems=["envelope-invalid", "body-malformed"],
    )
    def put(self, request: Request) -> Response:
        message = read_heartbeat(read_message(request))
        return Response(take_heartbeat(terminal=self.terminal, message=message, now=self.now))


class TerminalToken(TerminalView):
    """Changing over to another token."""

    @describe("A further token; the present one works until it is first used", responses={201: TOKEN})
    def post(self, request: Request) -> Response:
        return Response({"token": rotate_token(terminal=self.terminal)}, status=201)


def store_json(store: Store) -> dict[str, Any]:
    """A store as terminals see it."""
    return {
        "id": str(store.uuid),
        "code": store.code,
        "name": store.name,
        "timezone": store.timezone,
        "currency": store.currency,
        "prices_include_tax": store.prices_include_tax,
    }


def _settings_json(store: Store) -> dict[str, Any]:
    reasons = CashReason.objects.filter(store=store).order_by("reason").values_list("reason", flat=True)
    return {
        "max_order_total": store.max_order_total,
        "min_refund_total": store.min_refund_total,
        "refund_days": store.refund_days,
        "order_types": sorted(store.order_types or ORDER_TYPES),
        "cash_reasons": list(reasons),
        "rounding_step": store.rounding_step,
    }
