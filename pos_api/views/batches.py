"""Uploading a batch of a shift's orders, and its receipt (protocol §5)."""

import re
import time
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response
from structlog.contextvars import bind_contextvars, get_contextvars

from backoffice.domain.cards.masking import mask_cards
from backoffice.domain.states import BatchState
from backoffice.domain.wire.envelope import Envelope, decode_batch
from backoffice.failpoints import failpoint
from backoffice.ingestion.batch.accept import receive_batch
from backoffice.ingestion.batch.live import process_live, release_connection
from backoffice.ingestion.batch.post import Attempt, Processed
from backoffice.ingestion.batch.receipts import NoSuchBatch, compose_receipt, receipt
from backoffice.ingestion.bell import ring_soon
from backoffice.metrics import count_accepted
from pos_api.bodies import read_body
from pos_api.description.schema import BATCH, RECEIPT, describe
from pos_api.problems import Problem
from pos_api.views.base import TerminalView

log = structlog.get_logger(__name__)

PREFER_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,9})\"?", re.IGNORECASE)
LONGEST_WAIT_S = 10
# Up to so many orders the request that brought them processes them itself: a worker would only add its own latency.
INLINE_ORDERS = 50
POLL_EVERY_S = 0.05
# Others that wait hold a thread each; beyond so many the answer comes at once ("best effort").
waiters = BoundedSemaphore(8)


class BatchUpload(TerminalView):
    """A batch is stored first; everything after that may fail without losing anything."""

    @describe(
        "Send a batch of orders and cash movements",
        request=BATCH,
        responses={200: RECEIPT, 202: RECEIPT},
        problems=["shift-unknown", "identifier-reused"],
        headers=["Content-Digest", "Content-Encoding", "Prefer"],
    )
    def put(self, request: Request, shift_id: UUID, batch_id: UUID) -> Response:
        bind_contextvars(batch_id=str(batch_id))
        wait_s = _wait(request)
        body = read_body(request)
        envelope = decode_batch(body.text, max_orders=settings.MAX_BATCH_ORDERS)
        masked = mask_cards(body.text)
        if masked.findings:
            envelope = decode_batch(masked.body, max_orders=settings.MAX_BATCH_ORDERS)
        inline = wait_s > 0 and len(envelope.orders) + len(envelope.movements) <= INLINE_ORDERS
        received_at = self.now
        received = receive_batch(
            terminal=self.terminal,
            shift_id=shift_id,
            batch_id=batch_id,
            masked=masked,
            gzip=None if masked.findings else body.gzip,
            envelope=envelope,
            now=received_at,
            claim=inline,
        )
        # From here on the batch is durable: neither our processing nor the bell may fail the answer. If the receipt
        # cannot be read it is 503, and a repeat gets it.
        failpoint("receive-after-commit")
        if received.is_new:
            count_accepted(orders=len(envelope.orders))
        processed = self._process(batch_id, envelope) if inline and received.is_new else None
        if processed is not None:
            answer = compose_receipt(
                batch_id=batch_id,
                shift_id=shift_id,
                state=BatchState.PROCESSED.value,
                received_at=received_at,
                order_count=len(envelope.orders),
                processed=processed,
            )
        else:
            if received.is_new:
                log.info("batch received", orders=len(envelope.orders))
                ring_soon()
            answer = self._receipt(batch_id, wait_s)
        failpoint("receive-before-answer")
        return _answer(answer)

    def _process(self, batch_id: UUID, envelope: Envelope) -> Processed | None:
        try:
            return process_live(Attempt(batch_id, 1, envelope, get_contextvars().get("request_id")))
        except Exception:
            log.exception("live order left to a worker")
            return None

    def _receipt(self, batch_id: UUID, wait_s: int) -> dict[str, Any]:
        """As it is now or, where the terminal prefers to wait, once the batch is processed."""
        answer = receipt(batch_id=batch_id, terminal_id=self.terminal.pk)
        if not wait_s or answer["state"] != "received" or not waiters.acquire(blocking=False):
            return answer
        try:
            deadline = time.monotonic() + wait_s
            while answer["state"] == "received" and time.monotonic() < deadline:
                release_connection()
                time.sleep(POLL_EVERY_S)
                answer = receipt(batch_id=batch_id, terminal_id=self.terminal.pk)
        finally:
            waiters.release()
        return answer


class BatchDetail(TerminalView):
    """The receipt of a batch."""

    @describe("The receipt of a batch", responses={200: RECEIPT}, query=["results"])
    def get(self, request: Request, batch_id: UUID) -> Response:
        every_result = request.GET.get("results") == "all"
        try:
            answer = receipt(batch_id=batch_id, terminal_id=self.terminal.pk, every_result=every_result)
        except NoSuchBatch:
            raise Problem("not-found", "This terminal sent no such batch.") from None
        return Response(answer)


def _wait(request: Request) -> int:
    """Seconds that the terminal prefers to wait (RFC 7240), 10 at most; 0 where it does not say."""
    found = PREFER_WAIT.search(request.headers.get("Prefer", ""))
    return min(int(found[1]), LONGEST_WAIT_S) if found else 0


def _answer(answer: dict[str, Any]) -> Response:
    location = reverse("batch", kwargs={"batch_id": answer["batch_id"]})
    return Response(answer, status=200 if answer["state"] == "processed" else 202, headers={"Location": location})
