"""Sends what a journal holds, until Back Office has all of it and says so.

Everything here may be interrupted at any point and started again: identifiers and bytes are saved before they are
sent, and repeating a request has no further effect (§2.3).
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import msgspec

from backoffice_terminal.api import Api, Heartbeat, HeartbeatAnswer, Limits, Receipt, ShiftView, TerminalView
from backoffice_terminal.closing import declaration
from backoffice_terminal.credential import Credential
from backoffice_terminal.ids import mint
from backoffice_terminal.journal import Journal
from backoffice_terminal.packing import batch_body, fits, groups
from backoffice_terminal.problems import (
    BodyMalformed,
    BodyTimeout,
    CredentialInvalid,
    IdentifierReused,
    NotFound,
    Problem,
    ShiftAlreadyOpen,
    ShiftUnknown,
    TooLarge,
)
from backoffice_terminal.retry import PATIENCE_S, WORTH_RETRYING, Retry
from backoffice_terminal.saved import SavedBatch, SavedShift
from backoffice_terminal.witness import keep_checkpoint

Answer = TypeVar("Answer")

# A new batch id cannot be known already, so a server that says so this often is not believed.
_RENAMES = 3
MAX_NUMBER = 2**53 - 1


class Uplink:
    """Delivers one journal through one Api. `now` gives the device's time, with an offset."""

    def __init__(
        self, journal: Journal, api: Api, credential: Credential, retry: Retry, *, now: Callable[[], datetime]
    ) -> None:
        self._journal = journal
        self._api = api
        self._credential = credential
        self._retry = retry
        self._now = now

    @property
    def limits(self) -> Limits:
        saved = self._journal.fact("limits")
        return Limits() if saved is None else msgspec.json.decode(saved, type=Limits)

    def greet(self) -> TerminalView:
        """Asks Back Office what it knows about this terminal, and saves the limits it gives."""
        view = self.guarded(self._api.terminal)
        self._journal.note("limits", msgspec.json.encode(view.limits).decode())
        return view

    def catch_up(self) -> TerminalView:
        """As `greet`. A journal that knows less than Back Office (a new disk) must not hand out numbers again (§10)."""
        view = self.greet()
        self._journal.skip_to("order_number", (view.last_number or 0) + 1)
        self._journal.skip_to("shift_number", (view.last_shift_number or 0) + 1)
        return view

    def look(self, shift_id: str) -> ShiftView:
        return self.guarded(lambda: self._api.shift(shift_id))

    # -- sending

    def deliver(self) -> None:
        """Sends all that is waiting, shift by shift: opening, batches, and the close once every batch has arrived.

        Raises LinkError or Busy when the retries are used up, CredentialInvalid when the terminal must be activated
        again, and ShiftAlreadyOpen or another Problem that people must look at. None of them loses anything.
        """
        for shift in self._journal.undelivered_shifts():
            if not shift.opened:
                self.open(shift)
            self.seal(shift)
            for batch in self._journal.batches(shift.shift_id, "sealed"):
                self.send(batch)
            if shift.closed_at is not None and not shift.declared:
                self._declare(shift)

    def open(self, shift: SavedShift) -> None:
        """Opens a shift. If a restore has reopened one that this terminal had closed, that one is closed first."""
        try:
            self.guarded(lambda: self._api.open_shift(shift.shift_id, shift.opening))
        except ShiftAlreadyOpen:
            for ended in self._journal.declared_shifts():
                self._ask(ended)
            self.guarded(lambda: self._api.open_shift(shift.shift_id, shift.opening))
        self._journal.mark_opened(shift.shift_id)

    def seal(self, shift: SavedShift) -> list[SavedBatch]:
        """Packs what is in no batch yet into batches within the limits; cash movements go with the first."""
        orders, movements = self._journal.unsealed(shift.shift_id)
        ids, moved = list(orders), list(movements)
        parts = [ids[part] for part in groups([len(body) for body in orders.values()], self.limits)]
        if moved and not parts:
            parts = [[]]
        return [self._seal(shift.shift_id, part, moved if index == 0 else []) for index, part in enumerate(parts)]

    def _seal(self, shift_id: str, orders: list[str], movements: list[str]) -> SavedBatch:
        return self._journal.seal(mint(), shift_id, sent_at=self._now().isoformat(), orders=orders, movements=movements)

    def send(
        self, batch: SavedBatch, *, wait_s: int = 0, attempts: int | None = None, patience_s: float = PATIENCE_S
    ) -> None:
        """Sends a batch, in pieces if need be. What cannot be sent at all is kept as `refused`, and shown.

        `wait_s` asks for the outcome; `attempts` and `patience_s` limit how long somebody may have to wait for it.
        """
        waiting, renames = [batch], _RENAMES
        while waiting:
            piece = waiting.pop(0)
            body = batch_body(piece.sent_at, *self._journal.members(piece))
            if len(piece.orders) > 1 and not fits(body, len(piece.orders), self.limits):
                waiting[:0] = self._split(piece, len(piece.orders) // 2)
                continue
            try:
                receipt = self._put(piece, body, wait_s, attempts, patience_s)
                self._journal.apply_receipt(piece, receipt)
            except (BodyMalformed, TooLarge, BodyTimeout) as problem:
                if isinstance(problem, BodyTimeout) and len(piece.orders) <= 1:
                    raise  # nothing smaller can be sent: the connection is to blame
                alone = isinstance(problem, BodyMalformed)
                waiting[:0] = self._split(piece, 1 if alone else len(piece.orders) // 2, problem)
            except IdentifierReused as problem:
                renames -= 1
                waiting[:0] = self._renamed(piece, problem) if renames else self._refuse(piece, problem)
            except CredentialInvalid:
                raise
            except Problem as problem:
                if isinstance(problem, WORTH_RETRYING):
                    raise
                self._refuse(piece, problem)

    def packed(self, shift: SavedShift) -> list[tuple[SavedBatch, bytes]]:
        """What Back Office has not acknowledged of a shift, refused batches too, as it would be sent: nothing is."""
        self.seal(shift)
        waiting = self._journal.batches(shift.shift_id, "sealed", "refused")
        ready = []
        while waiting:
            piece = waiting.pop(0)
            body = batch_body(piece.sent_at, *self._journal.members(piece))
            if len(piece.orders) > 1 and not fits(body, len(piece.orders), self.limits):
                waiting[:0] = self._split(piece, len(piece.orders) // 2)
            else:
                ready.append((piece, body))
        return ready

    def _put(self, batch: SavedBatch, body: bytes, wait_s: int, attempts: int | None, patience_s: float) -> Receipt:
        def put() -> Receipt:
            return self._api.put_batch(batch.shift_id, batch.batch_id, body, wait_s=wait_s)

        try:
            return self.guarded(put, attempts=attempts, patience_s=patience_s)
        except ShiftUnknown:
            self._open_again(self._journal.shift(batch.shift_id))
            return self.guarded(put, attempts=attempts, patience_s=patience_s)

    def _split(self, batch: SavedBatch, size: int, problem: Problem | None = None) -> list[SavedBatch]:
        """Splits the batch into pieces of `size` orders under new ids, or refuses it if it cannot be split."""
        members = len(batch.orders) + len(batch.movements)
        if members <= 1:
            return self._refuse(batch, problem) if problem else []
        parts = [batch.orders[at : at + size] for at in range(0, len(batch.orders), size)] if size else [batch.orders]
        pieces = [self._seal(batch.shift_id, part, []) for part in parts if part]
        pieces += [self._seal(batch.shift_id, [], [movement]) for movement in batch.movements]
        self._journal.mark_batch(batch.batch_id, "superseded")
        return pieces

    def _renamed(self, batch: SavedBatch, problem: Problem) -> list[SavedBatch]:
        again = self._seal(batch.shift_id, batch.orders, batch.movements)
        self._journal.mark_batch(batch.batch_id, "superseded", str(problem))
        return [again]

    def _refuse(self, batch: SavedBatch, problem: Problem) -> list[SavedBatch]:
        self._journal.mark_batch(batch.batch_id, "refused", str(problem))
        return []

    def _open_again(self, shift: SavedShift) -> None:
        """Back Office does not know this shift, or no longer. One that has ended must not clash with the open one."""
        if shift.closed_at is not None and shift.terms.closed_at is None:
            self._journal.replace_opening(
                shift.shift_id, msgspec.structs.replace(shift.terms, closed_at=shift.closed_at)
            )
            shift = self._journal.shift(shift.shift_id)
        self.open(shift)

    def _declare(self, shift: SavedShift) -> None:
        """Sends the close. It is made once all batches have been accepted, so that it lists what Back Office has."""
        if shift.declaration is None:
            self._journal.save_declaration(shift.shift_id, declaration(self._journal, shift))
            shift = self._journal.shift(shift.shift_id)
        body = shift.declaration or b""
        try:
            self.guarded(lambda: self._api.close_shift(shift.shift_id, body))
        except ShiftUnknown:
            self._open_again(shift)
            self.guarded(lambda: self._api.close_shift(shift.shift_id, body))
        except IdentifierReused as problem:
            # Another declaration stands. The shift is closed; head office corrects it (§6).
            self._journal.note(f"declaration-differs:{shift.shift_id}", str(problem))
        self._journal.mark_declared(shift.shift_id)

    # -- what became of it

    def settle(self) -> None:
        """Reads receipts, asks how far each unsettled shift has got, and sends again what Back Office says it lacks."""
        for batch in self._journal.batches_awaiting_outcome():
            self._read_receipt(batch)
        for shift in self._journal.unsettled_shifts():
            self._ask(shift)

    def _read_receipt(self, batch: SavedBatch) -> None:
        try:
            receipt = self.guarded(lambda: self._api.receipt(batch.batch_id))
        except NotFound:
            self._journal.mark_batch(batch.batch_id, "sealed")
            self.send(batch)
        else:
            self._journal.apply_receipt(batch, receipt)

    def _ask(self, shift: SavedShift) -> None:
        try:
            view = self.look(shift.shift_id)
        except NotFound:
            self._open_again(shift)
            self._begin_again(shift)
            return
        if shift.declared and view.state == "open":
            self._begin_again(shift)
            return
        self._journal.note_state(shift.shift_id, view.state, at=self._now().isoformat())
        # Back Office also lists as missing a batch that has arrived but still waits: its receipt says when it is done.
        processed = self._journal.batches(shift.shift_id, "processed")
        lost = [batch for batch in processed if batch.batch_id in view.missing_batches]
        for batch in lost:
            self.send(batch)
        if lost:
            return  # as far as is known yet, the missing numbers belong to these batches
        for first, last in view.missing_numbers:
            self._send_numbers(first, last)

    def beat(self, heartbeat: Heartbeat) -> HeartbeatAnswer:
        """Reports how the terminal is, and sends again what Back Office lacks and this journal still has.

        If a shift that was closed is open there, Back Office was restored to an earlier time. There is one attempt
        only, because the next heartbeat will follow soon.
        """
        answer = self.guarded(lambda: self._api.heartbeat(heartbeat), attempts=1)
        if answer.checkpoint is not None:
            keep_checkpoint(self._journal, answer.checkpoint)
        for shift in self._journal.declared_shifts():
            if shift.shift_id == answer.open_shift_id:
                self._begin_again(shift)
        for first, last in answer.missing_numbers:
            self._send_numbers(first, last)
        return answer

    def _send_numbers(self, first: int, last: int) -> None:
        """Sends again the orders in a range that Back Office once had; others are on their way anyway."""
        found = self._journal.delivered_orders(first, last)
        self._journal.unsettle(list(found))
        for shift_id, orders in found.items():
            self.send(self._seal(shift_id, orders, []))

    def send_lost(self) -> None:
        """Sends again the shifts whose orders are beyond the highest number that Back Office still knows (§10)."""
        last_number = self.catch_up().last_number or 0
        for shift_id in self._journal.delivered_orders(last_number + 1, MAX_NUMBER):
            self._begin_again(self._journal.shift(shift_id))

    def _begin_again(self, shift: SavedShift) -> None:
        """Back Office was restored to an earlier time: sends the whole shift again, under the same ids (§2.2)."""
        self._journal.forget_delivery(shift.shift_id)
        self.deliver()

    def still_settled(self, shift: SavedShift) -> bool:
        """Asks once more, because a restore or a late order may have changed what was settled a week ago."""
        self._ask(shift)
        return self._journal.shift(shift.shift_id).settled_at is not None

    def guarded(
        self, call: Callable[[], Answer], *, attempts: int | None = None, patience_s: float = PATIENCE_S
    ) -> Answer:
        """Makes a call, with retries. Once the credential is refused, sends nothing until it is activated again."""
        self._credential.require()
        try:
            answer = self._retry(call, attempts=attempts, patience_s=patience_s)
        except CredentialInvalid:
            if self._credential.reject():
                return self.guarded(call, attempts=attempts, patience_s=patience_s)
            raise
        self._credential.prove()
        return answer

    def change_token(self) -> None:
        """Asks for a new token, saves it, and uses it (§3). Wherever this is interrupted, a valid token is left."""
        if self._credential.is_unproven:
            self.greet()  # asking again would replace what may be the only valid one
        self._credential.propose(self.guarded(self._api.new_token))
        self.greet()
