"""Uploading a batch of a shift's orders, and its receipt (protocol §5)."""

import re
from typing import Any
from uuid import UUID

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response
from structlog.contextvars import bind_contextvars

from backoffice.domain.states import BatchState
from backoffice.domain.wire.envelope import EnvelopeInvalid
from backoffice.failpoints import failpoint
from backoffice.ingestion.batch.accept import accept, repeated_upload_of_before
from backoffice.ingestion.batch.receipts import NoSuchBatch, find_receipt
from pos_api.bodies import SMALL_BODY, open_body
from pos_api.description.schema import BATCH, RECEIPT, describe
from pos_api.problems import Problem
from pos_api.views.base import TerminalView

PREFER_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,9})\"?", re.IGNORECASE)
LONGEST_WAIT_S = 10


class BatchUpload(TerminalView):
    """A batch is stored first; everything after that may fail without losing anything."""

    @describe(
        "Send a batch of orders and cash movements",
        request=BATCH,
        responses={200: RECEIPT, 202: RECEIPT},
        problems=["shift-unknown", "identifier-reused"],
        headers=["Content-Digest", "Content-Encoding", "Prefer"],
        query=["results"],
    )
    def put(self, request: Request, shift_id: UUID, batch_id: UUID) -> Response:
        bind_contextvars(batch_id=str(batch_id))
        wait_s = _wait_s(request)
        with open_body(request) as body:
            # A large body would be held as long as its request waits.
            wait_s = wait_s if len(body.text) <= SMALL_BODY else 0
            batch: dict[str, Any] = {"terminal": self.terminal, "shift_id": shift_id, "batch_id": batch_id}
            try:
                receipt = accept(
                    **batch,
                    body=body.text,
                    gzip=body.gzip,
                    wait_s=wait_s,
                    every_result=_wants_every_result(request),
                    now=self.now,
                )
            except EnvelopeInvalid:
                known = repeated_upload_of_before(**batch, body=body.text)
                if known is None:
                    raise
                receipt = known
        failpoint("receive-before-answer")
        location = reverse("batch", kwargs={"batch_id": batch_id})
        status = 200 if receipt.state == BatchState.PROCESSED.value else 202
        return Response(receipt, status=status, headers={"Location": location})


class BatchDetail(TerminalView):
    """The receipt of a batch."""

    @describe("The receipt of a batch", responses={200: RECEIPT}, query=["results"])
    def get(self, request: Request, batch_id: UUID) -> Response:
        try:
            receipt = find_receipt(
                batch_id=batch_id, terminal_id=self.terminal.pk, every_result=_wants_every_result(request)
            )
        except NoSuchBatch:
            raise Problem("not-found", "This terminal sent no such batch.") from None
        return Response(receipt)


def _wants_every_result(request: Request) -> bool:
    return request.GET.get("results") == "all"


def _wait_s(request: Request) -> int:
    """Seconds that the terminal prefers to wait (RFC 7240), 10 at most; 0 where it does not say."""
    found = PREFER_WAIT.search(request.headers.get("Prefer", ""))
    return min(int(found[1]), LONGEST_WAIT_S) if found else 0
