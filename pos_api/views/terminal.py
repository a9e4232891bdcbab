"""The terminal itself: where it stands, its heartbeat, and its token (protocol §3, §4)."""

from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.books.evidence.newest import newest_checkpoint
from backoffice.domain.wire.answers import OpenShiftAnswer, TerminalAnswer, TokenAnswer
from backoffice.domain.wire.messages import read_heartbeat
from backoffice.ingestion.heartbeats import record_heartbeat
from backoffice.ingestion.shifts import open_shift_of
from backoffice.ingestion.stores import rotate_token, settings_answer, store_answer
from backoffice.sales.queries import last_number, last_shift_number
from pos_api.bodies import open_message
from pos_api.description.schema import HEARTBEAT, HEARTBEAT_TAKEN, TERMINAL, TOKEN, describe
from pos_api.limits import current_limits
from pos_api.views.base import TerminalView


class TerminalDetail(TerminalView):
    """The terminal that the token speaks for."""

    @describe("The terminal, its store, open shift, settings and limits", responses={200: TERMINAL})
    def get(self, request: Request) -> Response:
        terminal, shift = self.terminal, open_shift_of(self.terminal)
        answer = TerminalAnswer(
            terminal_id=terminal.uuid,
            name=terminal.name,
            last_number=last_number(terminal.pk),
            last_shift_number=last_shift_number(terminal.pk),
            store=store_answer(terminal.store),
            server_time=self.now,
            open_shift=None if shift is None else OpenShiftAnswer(shift.shift_id, shift.number),
            settings=settings_answer(terminal.store),
            limits=current_limits(),
        )
        return Response(answer)


class TerminalHeartbeat(TerminalView):
    """What the terminal reports about itself."""

    @describe("Report how the terminal is", request=HEARTBEAT, responses={200: HEARTBEAT_TAKEN})
    def put(self, request: Request) -> Response:
        with open_message(request) as body:
            message = read_heartbeat(body)
        taken = record_heartbeat(terminal=self.terminal, message=message, checkpoint=newest_checkpoint(), now=self.now)
        return Response(taken)


class TerminalToken(TerminalView):
    """Exchanging the token for a new one."""

    @describe("A new token; the present one works until the new one is first used", responses={201: TOKEN})
    def post(self, request: Request) -> Response:
        return Response(TokenAnswer(rotate_token(terminal=self.terminal)), status=201)
