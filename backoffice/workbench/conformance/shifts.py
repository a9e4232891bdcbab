"""Shifts: opening, reading and closing them (protocol §4, §6)."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec

from backoffice.domain.wire.messages import CloseShift, OpenShift, read_close_shift, read_open_shift
from backoffice.workbench.conformance.books import StoredShift
from backoffice.workbench.conformance.floor import Floor
from backoffice.workbench.conformance.history import FirstMessage
from backoffice.workbench.conformance.messages import message_of
from backoffice.workbench.conformance.traffic import Answer, Request, problem_answer

CURRENCY = "EUR"


class Shifts:
    """The addresses of a shift and of its close."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._history = floor.history

    def get(self, shift_id: UUID) -> Answer:
        """`GET /shifts/{shift_id}`."""
        shift = self._floor.books.shifts.get(shift_id)
        return problem_answer("not-found") if shift is None else self._told(shift, 200)

    def put(self, request: Request, shift_id: UUID) -> Answer:
        """`PUT /shifts/{shift_id}`."""
        message = message_of(self._floor.notes, request, read_open_shift, otherwise="framing")
        if message.currency not in (None, CURRENCY):
            place = {
                "pointer": "/currency",
                "code": "currency-not-of-store",
                "detail": f"This store sells in {CURRENCY}.",
            }
            return problem_answer("envelope-invalid", place["detail"], errors=[place])
        known = self._history.openings.get(shift_id)
        if known is None:
            return self._open(shift_id, message)
        unchanged = _without_end(known.message) == _without_end(message)
        if not self._repeated(known, same=unchanged, what=f"shift {shift_id} came with another opening"):
            return problem_answer("identifier-reused")
        books = self._floor.books
        if shift_id in books.shifts:
            return self._told(books.shifts[shift_id], 200)
        self._floor.notes.kept("shift-reopened")
        return self._store(shift_id, message)

    def _open(self, shift_id: UUID, message: OpenShift) -> Answer:
        """Opens a shift that was never seen before."""
        floor, history = self._floor, self._history
        if message.closed_at is None and history.open_shift is not None:
            floor.notes.broke("one-open-shift", f"shift {message.number} was opened before the previous one was closed")
            return problem_answer("shift-already-open", shift_id=str(history.open_shift))
        if history.openings:
            floor.notes.kept("one-open-shift")
        highest = max(history.numbers, default=None)
        what = f"shift {message.number} begins with {message.first_number}, the highest number was {highest}"
        right = highest is None or message.first_number == highest + 1
        floor.notes.note("first-number", right=right, what=what)
        first = history.openings[shift_id] = FirstMessage(message, floor.now())
        answer = self._store(shift_id, message)
        return self._lose(answer, first) if floor.mischief.draw("open") == "lost" else answer

    def _store(self, shift_id: UUID, message: OpenShift) -> Answer:
        return self._told(self._floor.books.open(shift_id, message), 201)

    def close(self, request: Request, shift_id: UUID) -> Answer:
        """`PUT /shifts/{shift_id}/close`."""
        message = message_of(self._floor.notes, request, read_close_shift, otherwise="framing", small=False)
        shift, known = self._floor.books.shifts.get(shift_id), self._history.closes.get(shift_id)
        opened = shift_id in self._history.openings
        self._floor.notes.note("close-after-open", right=opened, what=f"shift {shift_id} was never opened")
        if shift is None:
            return problem_answer("shift-unknown")
        if known is None:
            return self._close(shift, message)
        if not self._repeated(known, same=known.message == message, what=f"shift {shift_id} came with another close"):
            return problem_answer(
                "identifier-reused",
                "The shift was already closed with different content, which stands.",
                declared=_standing(known.message),
            )
        if shift.close is not None:
            return self._told(shift, 200)
        shift.close = message
        return self._told(shift, 202)

    def _close(self, shift: StoredShift, message: CloseShift) -> Answer:
        """Takes a declaration that was never seen before."""
        history = self._history
        first = history.closes[shift.shift_id] = FirstMessage(message, self._floor.now())
        taken = {b.batch_id for b in history.batches.values() if b.shift_id == shift.shift_id and b.is_answered}
        history.taken_before_close[shift.shift_id] = taken
        shift.close = message
        self._floor.lose_something(shift)
        answer = self._told(shift, 202)
        return self._lose(answer, first) if self._floor.mischief.draw("close") == "lost" else answer

    # -- what both share

    def _repeated(self, known: FirstMessage[OpenShift] | FirstMessage[CloseShift], *, same: bool, what: str) -> bool:
        if known.is_awaited or not same:
            self._floor.notes.note("shift-retried", right=same, what=what)
        known.is_awaited = known.is_awaited and not same
        return same

    def _lose(self, answer: Answer, first: FirstMessage[OpenShift] | FirstMessage[CloseShift]) -> Answer:
        first.is_awaited = True
        return replace(answer, manner="lost")

    def _told(self, shift: StoredShift, status: int) -> Answer:
        """The shift as it is now. For a closed one this names what is missing, and so asks for it."""
        self._floor.look_at_first()
        if shift.close is not None:
            self._history.ask(self._floor.books.missing_numbers(shift), rule=self._floor.asking)
        return Answer(status, self._floor.books.report(shift))


def _standing(close: CloseShift) -> dict[str, Any]:
    """The declaration that stands, its batches counted and not listed."""
    declared: dict[str, Any] = msgspec.to_builtins(close)
    return {**declared, "batch_count": len(declared.pop("batches"))}


def _without_end(message: OpenShift) -> OpenShift:
    """The opening without its end, which it may add when it is sent again after the shift has ended."""
    return msgspec.structs.replace(message, closed_at=None)
