"""Opening, reading and closing a shift (protocol §4, §6)."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.domain.wire.envelope import EnvelopeInvalid
from backoffice.domain.wire.messages import read_close_shift, read_open_shift
from backoffice.ingestion.report import shift_report
from backoffice.ingestion.shifts import close_shift, open_shift, repeated_close_of_before
from backoffice.sales.models import Shift
from pos_api.bodies import open_message
from pos_api.description.schema import CLOSE_SHIFT, OPEN_SHIFT, SHIFT, describe
from pos_api.problems import Problem
from pos_api.views.base import TerminalView


class ShiftDetail(TerminalView):
    """One shift of the terminal."""

    @describe(
        "Open a shift",
        request=OPEN_SHIFT,
        responses={200: SHIFT, 201: SHIFT},
        problems=["shift-already-open", "identifier-reused"],
    )
    def put(self, request: Request, shift_id: UUID) -> Response:
        with open_message(request) as body:
            message = read_open_shift(body)
        shift, is_new = open_shift(terminal=self.terminal, shift_id=shift_id, message=message, now=self.now)
        return Response(shift_report(shift), status=201 if is_new else 200)

    @describe("How a shift stands", responses={200: SHIFT})
    def get(self, request: Request, shift_id: UUID) -> Response:
        shift = Shift.objects.filter(shift_id=shift_id, terminal=self.terminal).first()
        if shift is None:
            raise Problem("not-found", "This terminal has no such shift.")
        return Response(shift_report(shift))


class ShiftClose(TerminalView):
    """The terminal's declaration at the end of a shift."""

    @describe(
        "Close a shift",
        request=CLOSE_SHIFT,
        responses={200: SHIFT, 202: SHIFT},
        problems=["shift-unknown", "identifier-reused"],
    )
    def put(self, request: Request, shift_id: UUID) -> Response:
        with open_message(request, small=False) as body:
            try:
                message = read_close_shift(body)
            except EnvelopeInvalid:
                known = repeated_close_of_before(terminal=self.terminal, shift_id=shift_id, body=body)
                if known is None:
                    raise
                return Response(shift_report(known))
        shift, was_open = close_shift(terminal=self.terminal, shift_id=shift_id, message=message, now=self.now)
        return Response(shift_report(shift), status=202 if was_open else 200)
