"""What this Back Office has stored. It can lose a part of it, and be restored to an earlier point."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from backoffice.domain.accounts import CASH_REASON_ACCOUNTS, PAYMENT_ACCOUNTS
from backoffice.domain.identity import Incoming, KnownItem, content_hash, identify, movement_hash, unreadable_id
from backoffice.domain.limits import MAX_CODE
from backoffice.domain.numbers import missing_ranges, without
from backoffice.domain.openings import TerminalBefore, opening_flags
from backoffice.domain.orders import CashMovement, Order, Unreadable
from backoffice.domain.reasons import Reason, reasons_json
from backoffice.domain.rules import Circumstances, StoreSettings, flags, holds, movement_flags, movement_holds
from backoffice.domain.rules import Shift as Terms
from backoffice.domain.states import ShiftState
from backoffice.domain.totals import (
    Difference,
    ShiftTotals,
    cash_differences,
    compute_totals,
    expected_cash,
    reconcile,
    settled_state,
)
from backoffice.domain.wire.messages import CloseShift, OpenShift

TERMINAL = 1
SETTINGS = StoreSettings()
NO_OUTCOMES = dict.fromkeys(("posted", "duplicate", "conflict", "held"), 0)


@dataclass
class StoredShift:
    """A shift, with its declaration once there is one. `flags` are those of its opening."""

    shift_id: UUID
    opening: OpenShift
    close: CloseShift | None = None
    flags: tuple[Reason, ...] = ()
    z_number: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it keeps another shift from being opened."""
        return self.close is None and self.opening.closed_at is None

    @property
    def terms(self) -> Terms:
        """What the rules need to know about it."""
        return Terms(
            shift_id=self.shift_id,
            terminal_id=TERMINAL,
            currency="EUR",
            prices_include_tax=self.opening.prices_include_tax is not False,
            opened_at=self.opening.opened_at,
            closed_at=None if self.close is None else self.close.closed_at,
            first_number=self.opening.first_number,
            business_date=self.opening.opened_at.date(),
        )


@dataclass
class StoredBatch:
    """A batch and its receipt, which says `received` for `polls_left` more polls."""

    batch_id: UUID
    shift_id: UUID
    received_at: datetime
    orders: int
    results: list[dict[str, Any]]
    movement_results: list[dict[str, Any]]
    polls_left: int = 0


@dataclass
class StoredOrder:
    """An order as it was first received; `order` is None if it could not be read."""

    batch_id: UUID
    shift_id: UUID
    number: int | None
    content: bytes
    outcome: str
    order: Order | None


@dataclass
class Books:
    """Shifts, batches, orders, movements and used numbers of the one terminal."""

    shifts: dict[UUID, StoredShift] = field(default_factory=dict)
    batches: dict[UUID, StoredBatch] = field(default_factory=dict)
    orders: dict[UUID, StoredOrder] = field(default_factory=dict)
    numbers: dict[int, UUID] = field(default_factory=dict)
    movements: dict[UUID, tuple[UUID, CashMovement]] = field(default_factory=dict)
    lost: dict[UUID, frozenset[int]] = field(default_factory=dict)
    unread: dict[UUID, frozenset[int]] = field(default_factory=dict)

    @property
    def open_shift(self) -> StoredShift | None:
        """The shift that is open, if any."""
        return next((shift for shift in self.shifts.values() if shift.is_open), None)

    @property
    def last_number(self) -> int | None:
        """The highest number used."""
        return max(self.numbers, default=None)

    @property
    def last_shift_number(self) -> int | None:
        """The highest number of a shift."""
        return max((shift.opening.number for shift in self.shifts.values()), default=None)

    @property
    def named(self) -> set[int]:
        """The numbers that are not missing: used by an order, or named by one that cannot be read."""
        return set(self.numbers).union(*self.unread.values())

    def open(self, shift_id: UUID, message: OpenShift) -> StoredShift:
        """Stores a shift that is not there, with the flags of its opening."""
        left = [shift.close.float_left for shift in self.shifts.values() if shift.close is not None]
        before = TerminalBefore(
            number_used=any(shift.opening.number == message.number for shift in self.shifts.values()),
            first_number_used=message.first_number in self.numbers,
        )
        found = opening_flags(message, before=before, float_left=left[-1] if left else None, is_corrected=False)
        shift = self.shifts[shift_id] = StoredShift(shift_id, message, flags=found)
        return shift

    def post(
        self,
        *,
        batch_id: UUID,
        shift_id: UUID,
        orders: list[Order | Unreadable],
        movements: list[CashMovement | Unreadable],
        now: datetime,
        polls_left: int,
    ) -> StoredBatch:
        """Stores a batch, and decides the outcome of each member as the service does."""
        incoming = [_incoming(order) for order in orders]
        known = {
            member.item_id: KnownItem(TERMINAL, {stored.content: stored.shift_id})
            for member in incoming
            if (stored := self.orders.get(member.item_id)) is not None
        }
        decisions = identify(
            incoming=incoming, known=known, numbers=self.numbers, terminal_id=TERMINAL, shift_id=shift_id
        )
        results = []
        for index, (member, decision, order) in enumerate(zip(incoming, decisions, orders, strict=True)):
            if decision.takes_number and member.number is not None:
                self.numbers[member.number] = member.item_id
            outcome: str = decision.version
            reasons = decision.reasons
            if decision.version == "new":
                outcome, reasons = self._judge(order, self.shifts[shift_id].terms)
            if decision.version != "duplicate" and member.item_id not in self.orders:
                self.orders[member.item_id] = StoredOrder(
                    batch_id, shift_id, member.number, member.content_hash, outcome, _readable(order)
                )
            results.append(_result(index, outcome, reasons, **_names_of(order)))
        batch = StoredBatch(batch_id, shift_id, now, len(orders), results, [], polls_left)
        self.unread[batch_id] = frozenset(
            order.number for order in orders if isinstance(order, Unreadable) and order.number is not None
        )
        batch.movement_results = [self._move(i, m, shift_id) for i, m in enumerate(movements)]
        self.batches[batch_id] = batch
        return batch

    def _judge(self, order: Order | Unreadable, terms: Terms) -> tuple[str, tuple[Reason, ...]]:
        if isinstance(order, Unreadable):
            return "held", order.reasons
        held = holds(order, shift=terms, methods=PAYMENT_ACCOUNTS)
        if held:
            return "held", held
        return "posted", flags(order, shift=terms, settings=SETTINGS, circumstances=Circumstances())

    def _move(self, index: int, movement: CashMovement | Unreadable, shift_id: UUID) -> dict[str, Any]:
        if isinstance(movement, Unreadable):
            return _result(
                index, "held", movement.reasons, movement_id=str(movement.item_id) if movement.item_id else None
            )
        who = {"movement_id": str(movement.movement_id)}
        known = self.movements.get(movement.movement_id)
        if known is not None:
            same = movement_hash(known[1]) == movement_hash(movement)
            return _result(index, "duplicate" if same else "conflict", (), **who)
        if held := movement_holds(movement):
            return _result(index, "held", held, **who)
        self.movements[movement.movement_id] = (shift_id, movement)
        found = movement_flags(
            movement, shift=self.shifts[shift_id].terms, reasons=CASH_REASON_ACCOUNTS, circumstances=Circumstances()
        )
        return _result(index, "posted", found, **who)

    def lose(self, batch_id: UUID) -> None:
        """Forgets a batch and its orders, as if it had never arrived."""
        del self.batches[batch_id]
        self.unread.pop(batch_id, None)
        self.lost[batch_id] = self.numbers_of(batch_id)
        for order_id in [id_ for id_, order in self.orders.items() if order.batch_id == batch_id]:
            number = self.orders.pop(order_id).number
            if number is not None:
                self.numbers.pop(number, None)

    def numbers_of(self, batch_id: UUID) -> frozenset[int]:
        """The numbers that the orders of a batch have used."""
        return frozenset(n for n, id_ in self.numbers.items() if self.orders[id_].batch_id == batch_id)

    def missing_numbers(self, shift: StoredShift) -> list[tuple[int, int]]:
        """For a closed shift, of the numbers it declared; for an open one, the gaps below the highest number used."""
        first, used, carried = shift.opening.first_number, self.named, self._carried_into(shift) - self.named
        if shift.close is None:
            last = max((number for number in used if number >= first), default=first - 1)
            return missing_ranges(declared_first=first, declared_last=last, used=used)
        missing = missing_ranges(
            declared_first=shift.close.first_number, declared_last=shift.close.last_number, used=used
        )
        return without([*missing, *((number, number) for number in sorted(carried))], shift.close.carried_over)

    def _carried_into(self, shift: StoredShift) -> set[int]:
        """The numbers that the close before this shift left open: its own close brings them, or carries them on."""
        shifts = list(self.shifts.values())
        at = shifts.index(shift)
        before = shifts[at - 1].close if at else None
        return set() if before is None else set(before.carried_over)

    def missing_batches(self, shift: StoredShift) -> list[UUID]:
        """The declared batches that have not arrived. A lost one counts as arrived if its orders came in another batch."""
        declared = [] if shift.close is None else shift.close.batches
        replaced = {batch_id for batch_id, numbers in self.lost.items() if numbers <= self.numbers.keys()}
        return [batch_id for batch_id in declared if batch_id not in self.batches and batch_id not in replaced]

    def state(self, shift: StoredShift) -> ShiftState:
        """The state of a shift."""
        if shift.close is None:
            return ShiftState.OPEN
        waiting, missing = len(self.missing_batches(shift)), len(self.missing_numbers(shift))
        differences = self._differences(shift, compute_totals(self._posted(shift)))
        held = len(self._stored(shift)) - len(self._posted(shift))
        return settled_state(waiting_batches=waiting, missing_numbers=missing, held=held, differences=len(differences))

    def report(self, shift: StoredShift) -> dict[str, Any]:
        """The answer of `GET /shifts/{shift_id}` (protocol §6)."""
        opening, close, computed = shift.opening, shift.close, compute_totals(self._posted(shift))
        expected, state = self._expected_cash(shift, computed), self.state(shift)
        counted = None if close is None else close.cash_counted
        if shift.z_number is None and state not in {ShiftState.OPEN, ShiftState.CLOSING}:
            shift.z_number = 1 + sum(other.z_number is not None for other in self.shifts.values())
        return {
            "shift_id": str(shift.shift_id),
            "number": opening.number,
            "state": state,
            "business_date": opening.opened_at.date().isoformat(),
            "opened_at": opening.opened_at.isoformat(),
            "cashier": opening.cashier[:MAX_CODE],
            "opening_float": opening.opening_float,
            "first_number": opening.first_number,
            "flags": reasons_json(shift.flags),
            "missing_batches": [str(batch_id) for batch_id in self.missing_batches(shift)],
            "missing_numbers": [] if close is None else self.missing_numbers(shift),
            "declared": msgspec.to_builtins(close),
            "computed": msgspec.to_builtins(computed),
            "differences": msgspec.to_builtins(self._differences(shift, computed)),
            "cash": {
                "expected": expected,
                "counted": counted,
                "over_short": None if counted is None else counted - expected,
            },
            "held": len(self._stored(shift)) - len(self._posted(shift)),
            "late": 0,
            "explained_numbers": [],
            "z_number": shift.z_number,
        }

    def _differences(self, shift: StoredShift, computed: ShiftTotals) -> list[Difference]:
        close = shift.close
        if close is None:
            return []
        expected = self._expected_cash(shift, computed)
        found = reconcile(declared=close.declared_totals(), computed=computed)
        return found + cash_differences(counted=close.cash_counted, expected=expected, max_over_short=None)

    def _expected_cash(self, shift: StoredShift, computed: ShiftTotals) -> int:
        moved = [movement for shift_id, movement in self.movements.values() if shift_id == shift.shift_id]
        return expected_cash(
            opening_float=shift.opening.opening_float,
            cash_payments=computed.payments.get("cash", 0),
            cash_in=sum(m.amount for m in moved if m.kind == "cash_in"),
            cash_out=sum(m.amount for m in moved if m.kind == "cash_out"),
        )

    def _stored(self, shift: StoredShift) -> list[StoredOrder]:
        return [stored for stored in self.orders.values() if stored.shift_id == shift.shift_id]

    def _posted(self, shift: StoredShift) -> list[Order]:
        return [s.order for s in self._stored(shift) if s.outcome == "posted" and s.order is not None]


def receipt_of(batch: StoredBatch, *, every_result: bool) -> dict[str, Any]:
    """The receipt as of now (protocol §5)."""
    waits = batch.polls_left > 0
    time = batch.received_at.isoformat()
    return {
        "batch_id": str(batch.batch_id),
        "shift_id": str(batch.shift_id),
        "state": "received" if waits else "processed",
        "received_at": time,
        "processed_at": None if waits else time,
        "orders": batch.orders,
        **_outcomes([] if waits else batch.results, every_result=every_result),
        "movements": _outcomes([] if waits else batch.movement_results, every_result=every_result),
    }


def _outcomes(results: list[dict[str, Any]], *, every_result: bool) -> dict[str, Any]:
    counts = dict(NO_OUTCOMES)
    for result in results:
        counts[result["outcome"]] += 1
    listed = [r for r in results if every_result or r["outcome"] != "posted" or r["reasons"]]
    return {"outcomes": counts, "results": listed}


def _result(index: int, outcome: str, reasons: tuple[Reason, ...], **who: Any) -> dict[str, Any]:
    return {"index": index, **who, "outcome": outcome, "reasons": reasons_json(reasons), "decision": None}


def _incoming(order: Order | Unreadable) -> Incoming:
    if isinstance(order, Order):
        return Incoming(order.order_id, order.number, content_hash(order))
    order_id = order.item_id or unreadable_id(terminal_id=TERMINAL, content_hash=order.content_hash)
    return Incoming(order_id, None, order.content_hash)


def _names_of(order: Order | Unreadable) -> dict[str, Any]:
    """Identifier and number as receipts carry them, null where they cannot be read."""
    order_id = order.order_id if isinstance(order, Order) else order.item_id
    return {"order_id": str(order_id) if order_id else None, "number": order.number}


def _readable(order: Order | Unreadable) -> Order | None:
    return order if isinstance(order, Order) else None
