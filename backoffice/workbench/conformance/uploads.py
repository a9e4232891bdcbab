"""Uploads of batches: taken, refused, or left without an answer (protocol §5, §9)."""

import re
from dataclasses import replace
from uuid import UUID

from backoffice.domain.orders import CashMovement, Order, Unreadable
from backoffice.domain.wire.envelope import Envelope
from backoffice.domain.wire.members import read_movement, read_order
from backoffice.workbench.conformance.books import StoredBatch, StoredShift, receipt_of
from backoffice.workbench.conformance.checks import check_member
from backoffice.workbench.conformance.floor import Floor
from backoffice.workbench.conformance.history import SeenBatch
from backoffice.workbench.conformance.messages import body_of, envelope_of
from backoffice.workbench.conformance.mischief import Fault
from backoffice.workbench.conformance.traffic import LIMITS, Answer, Request, problem_answer
from backoffice.workbench.conformance.words import few

SLOW_S = 1.5
POLLS = 2
_PREFER_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?\d+", re.IGNORECASE)

Members = tuple[list[Order | Unreadable], list[CashMovement | Unreadable]]


class Uploads:
    """The addresses of batches and of their receipts."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._history = floor.history

    def put(self, request: Request, shift_id: UUID, batch_id: UUID) -> Answer:
        """`PUT /shifts/{shift_id}/batches/{batch_id}`."""
        body = body_of(self._floor.notes, request)
        envelope = envelope_of(request, body)
        members = _members(envelope)
        seen = self._history.batches.get(batch_id)
        fault: Fault | None = None
        if seen is None:
            if self._floor.may_restore(shift_id):
                self._floor.restore()
            seen, fault = self._first(request, SeenBatch(batch_id, shift_id, body), members)
        elif not self._history.repeat(seen, body=body, shift_id=shift_id):
            return problem_answer("identifier-reused")
        answer = self._suffer(seen, fault, request) or self._take(seen, members, fault)
        seen.is_answered = seen.is_answered or answer.is_success
        return answer

    def get(self, batch_id: UUID, *, every_result: bool) -> Answer:
        """`GET /batches/{batch_id}`: some receipts say `received` for a while."""
        batch = self._floor.books.batches.get(batch_id)
        if batch is None:
            return problem_answer("not-found")
        self._tell_more(batch)
        return Answer(200, receipt_of(batch, every_result=every_result))

    def _tell_more(self, batch: StoredBatch) -> None:
        """The terminal asks again what became of a batch."""
        batch.polls_left = max(0, batch.polls_left - 1)
        seen = self._history.batches[batch.batch_id]
        if seen.awaits_reading and not batch.polls_left:
            seen.awaits_reading = False
            self._floor.notes.kept("receipt-read")

    # -- the first time

    def _first(self, request: Request, seen: SeenBatch, members: Members) -> tuple[SeenBatch, Fault | None]:
        """Checks a new batch, and decides which fault it gets."""
        seen.orders = [order for order in members[0] if isinstance(order, Order)]
        seen.movements = [movement for movement in members[1] if isinstance(movement, CashMovement)]
        unreadable = {o.number for o in members[0] if isinstance(o, Unreadable) and o.number is not None}
        if unreadable:
            self._history.unreadable.setdefault(seen.shift_id, set()).update(unreadable)
        self._look_at_modes(seen)
        fault = self._draw(seen)
        self._check(request, seen, members)
        self._history.add(seen)
        return seen, fault

    def _look_at_modes(self, seen: SeenBatch) -> None:
        """What waits for others has had no connection; before the first fault, what comes alone has had one.

        The first order of several may say online: it found the connection gone, as its receipt was printed.
        """
        notes, new = self._floor.notes, [order for order in seen.orders if order.order_id not in self._history.orders]
        online = [order.number for order in new if order.mode == "online"]
        if len(seen.orders) > 1:
            what = f"orders {few(online)} came together, so they had waited, and say online"
            notes.note("mode", right=len(online) <= 1, what=what)
        elif new and not self._floor.mischief.has_struck:
            what = f"order {new[0].number} says offline, and nothing had failed since its shift was opened"
            notes.note("mode", right=bool(online), what=what)

    def _draw(self, seen: SeenBatch) -> Fault | None:
        floor = self._floor
        if seen.shift_id not in floor.books.shifts:
            return None
        fault = self._draw_by_orders(seen)
        is_culprit = any(order.order_id in floor.culprits for order in seen.orders)
        if fault in {None, "none"} and seen.movements and not is_culprit and not floor.credentials.is_revoked:
            return floor.mischief.draw("movement")
        return fault

    def _draw_by_orders(self, seen: SeenBatch) -> Fault | None:
        floor = self._floor
        if len(seen.orders) > 1:
            return floor.mischief.draw("cache", orders=len(seen.orders))
        if not seen.is_live or seen.orders[0].order_id in self._history.orders:
            return None
        if self._is_time_to_revoke():
            floor.credentials.revoke()
            return None
        return floor.mischief.draw("live")

    def _is_time_to_revoke(self) -> bool:
        floor = self._floor
        offline = any(s.order is not None and s.order.mode == "offline" for s in floor.books.orders.values())
        worked = offline and floor.credentials.is_changed and floor.mischief.left("live") == 0
        return worked and floor.credentials.activations == 1 and not floor.credentials.is_revoked

    def _check(self, request: Request, seen: SeenBatch, members: Members) -> None:
        opening = self._history.openings.get(seen.shift_id)
        if opening is not None:
            terms = StoredShift(seen.shift_id, opening.message).terms
            for member in (*members[0], *members[1]):
                check_member(self._floor.notes, member, shift=terms)
        if seen.is_live and _PREFER_WAIT.search(request.headers.get("prefer", "")):
            self._floor.notes.kept("live-wait")

    # -- faults

    def _suffer(self, seen: SeenBatch, fault: Fault | None, request: Request) -> Answer | None:
        """The answer to a batch that is not taken; None if it is to be taken."""
        floor = self._floor
        if floor.credentials.is_revoked:
            seen.was_unanswered = True
            return problem_answer("credential-invalid")
        if seen.shift_id not in floor.books.shifts:
            seen.was_unanswered = True
            seen.expected = "batch-retried" if seen.shift_id in self._history.openings else "none"
            return problem_answer("shift-unknown")
        culprits = {order.order_id for order in seen.orders} & floor.culprits
        if culprits and len(seen.orders) == 1:
            floor.culprits -= culprits
            return problem_answer("body-malformed")
        if fault in {"reused", "too-large", "malformed"}:
            return self._refuse(seen, fault)
        answer = self._no_answer(fault, request)
        if answer is not None:
            seen.expected, seen.was_unanswered = "batch-retried", True
        return answer

    def _refuse(self, seen: SeenBatch, fault: Fault | None) -> Answer:
        """A refusal after which the terminal must send something else."""
        if fault == "reused":
            seen.expected = "batch-renamed"
            return problem_answer("identifier-reused")
        if fault == "too-large":
            seen.expected = "split"
            return problem_answer("too-large", limits={**LIMITS, "max_batch_orders": len(seen.orders) // 2})
        seen.expected = "alone"
        self._floor.culprits.add(self._floor.rng.choice(seen.orders).order_id)
        return problem_answer("body-malformed")

    def _no_answer(self, fault: Fault | None, request: Request) -> Answer | None:
        """An answer after which the terminal must send the same again."""
        if fault in {"unavailable", "too-many"}:
            code = "unavailable" if fault == "unavailable" else "too-many-requests"
            return problem_answer(code, retry_after_s=self._floor.mischief.retry_after_s[fault])
        if fault == "outage":
            self._floor.outage.begin(request)
            return problem_answer("internal")
        if fault == "timeout":
            return problem_answer("body-timeout")
        if fault == "digest" and "content-digest" in request.headers:
            return problem_answer("digest-mismatch")
        return replace(problem_answer("internal"), manner="lost") if fault in {"dropped", "digest"} else None

    def _take(self, seen: SeenBatch, members: Members, fault: Fault | None) -> Answer:
        books = self._floor.books
        batch = books.batches.get(seen.batch_id)
        if batch is not None:
            self._tell_more(batch)
        batch = batch or books.post(
            batch_id=seen.batch_id,
            shift_id=seen.shift_id,
            orders=members[0],
            movements=members[1],
            now=self._floor.now(),
            polls_left=POLLS if fault == "deferred" else 0,
        )
        self._publish(seen)
        answer = Answer(202 if batch.polls_left else 200, receipt_of(batch, every_result=False))
        answer.headers["Location"] = f"/api/v1/batches/{seen.batch_id}"
        seen.awaits_reading = batch.polls_left > 0
        if fault in {"lost", "truncated"}:
            seen.expected, seen.was_unanswered = "batch-retried", True
            return replace(answer, manner="lost" if fault == "lost" else "truncated")
        return replace(answer, delay_s=SLOW_S) if fault == "slow" else answer

    def _publish(self, seen: SeenBatch) -> None:
        floor = self._floor
        self._history.came(order.number for order in seen.orders)
        floor.look_at_first()
        for order in seen.orders:
            if floor.books.orders[order.order_id].outcome == "posted":
                floor.feed.post(order, terminal=floor.terminal_id, now=floor.now().isoformat())


def _members(envelope: Envelope) -> Members:
    return [read_order(raw) for raw in envelope.orders], [read_movement(raw) for raw in envelope.movements]
