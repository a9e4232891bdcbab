"""Everything that the terminal has sent, which no restore forgets, and what it is expected to do next."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Literal, TypeVar
from uuid import UUID

from msgspec.structs import replace

from backoffice.domain.identity import content_hash, movement_hash
from backoffice.domain.orders import CashMovement, Order
from backoffice.domain.wire.messages import CloseShift, OpenShift
from backoffice.workbench.conformance.notes import Notebook

Message = TypeVar("Message", OpenShift, CloseShift)
MOST_ASKED = 10_000
Expectation = Literal["batch-retried", "batch-renamed", "split", "alone", "none"]

_NOBODY = UUID(int=0)


@dataclass
class SeenBatch:
    """A batch as it first arrived. `expected` is what must happen to it; `was_unanswered` if it ever had no answer;

    `awaits_reading` while the last that the terminal was told is that it is not processed yet.
    """

    batch_id: UUID
    shift_id: UUID
    body: bytes
    orders: list[Order] = field(default_factory=list)
    movements: list[CashMovement] = field(default_factory=list)
    expected: Expectation = "none"
    was_unanswered: bool = False
    is_answered: bool = False
    awaits_reading: bool = False

    @property
    def is_live(self) -> bool:
        """Whether it is one order, made online."""
        return len(self.orders) == 1 and self.orders[0].mode == "online"


@dataclass
class SeenOrder:
    """An order as it first arrived, and the batch that it last came in."""

    order: Order
    content: bytes
    shift_id: UUID
    batch: SeenBatch
    came_as: UUID | None = None


@dataclass
class SeenMovement:
    """A cash movement as it first arrived, and the batch that it last came in."""

    movement: CashMovement
    batch: SeenBatch
    came_as: UUID | None = None


@dataclass
class FirstMessage(Generic[Message]):
    """An opening or close as it first arrived, and when; `is_awaited` until its answer has reached the terminal."""

    message: Message
    at: datetime
    is_awaited: bool = False


class History:
    """Watches identity: of batches, orders, movements and numbers (protocol §2.3, §5)."""

    def __init__(self, notes: Notebook) -> None:
        self._notes = notes
        self.batches: dict[UUID, SeenBatch] = {}
        self.orders: dict[UUID, SeenOrder] = {}
        self.numbers: dict[int, UUID] = {}
        self.openings: dict[UUID, FirstMessage[OpenShift]] = {}
        self.closes: dict[UUID, FirstMessage[CloseShift]] = {}
        self.taken_before_close: dict[UUID, set[UUID]] = {}
        self.asked: dict[int, str] = {}
        self.unreadable: dict[UUID, set[int]] = {}
        self._ever_asked: set[int] = set()
        self._sales: dict[bytes, UUID] = {}
        self.movements: dict[UUID, SeenMovement] = {}
        self._moved: dict[bytes, UUID] = {}

    # -- batches

    def repeat(self, batch: SeenBatch, *, body: bytes, shift_id: UUID) -> bool:
        """Whether a batch id that came again is the same batch. Notes whether sending it again was right."""
        same = (batch.body, batch.shift_id) == (body, shift_id)
        what = f"batch {batch.batch_id} came again with another body"
        if not self._notes.note("batch-unchanged", right=same, what=what):
            batch.expected = "none"
            return False
        if batch.expected == "batch-retried":
            self._notes.kept("batch-retried")
        elif batch.expected != "none":
            self._notes.broke(batch.expected, f"batch {batch.batch_id} came again as it was")
        batch.expected = "none"
        if batch.was_unanswered and batch.orders:
            self._notes.kept("order-id-kept")
        if batch.movements:
            self._notes.kept("movement-id-kept")
        return True

    def add(self, batch: SeenBatch) -> None:
        """Adds a new batch. Checks each of its orders, and the batches that they were in before."""
        self.batches[batch.batch_id] = batch
        before = {id(b): b for o in batch.orders if (b := self._last_batch(o)) is not None}
        for earlier in before.values():
            self._follow(earlier, batch)
        for order in batch.orders:
            self._look(order, batch)
        for movement in batch.movements:
            self._look_at_movement(movement, batch)

    def _last_batch(self, order: Order) -> SeenBatch | None:
        seen = self.orders.get(order.order_id)
        return None if seen is None else seen.batch

    def _follow(self, earlier: SeenBatch, batch: SeenBatch) -> None:
        """Notes whether it was right that orders of an earlier batch came in another one."""
        expected, earlier.expected = earlier.expected, "none"
        earlier.awaits_reading = False
        count = len(batch.orders)
        if expected == "batch-renamed":
            self._notes.kept(expected)
        elif expected == "split":
            what = f"of the {len(earlier.orders)} orders of a batch, {count} came in one again"
            self._notes.note(expected, right=count < len(earlier.orders), what=what)
        elif expected == "alone":
            self._notes.note(expected, right=count == 1, what=f"{count} orders came together")
        elif expected == "batch-retried" and not self._may_move(earlier, batch):
            what = f"batch {earlier.batch_id} had no answer, and its orders came in batch {batch.batch_id}"
            self._notes.broke(expected, what)

    def _may_move(self, earlier: SeenBatch, batch: SeenBatch) -> bool:
        """A live order may come back as offline, and an order asked for by number may come in any batch (§5, §6)."""
        if any(order.number in self._ever_asked for order in earlier.orders):
            return True
        modes = {order.mode for order in batch.orders if order.order_id == earlier.orders[0].order_id}
        return earlier.is_live and modes == {"offline"}

    # -- what was asked for

    def ask(self, ranges: Iterable[tuple[int, int]], *, rule: str) -> None:
        """Records that the terminal has been told that these numbers are missing."""
        for first, last in ranges:
            for number in range(first, min(last, first + MOST_ASKED) + 1):
                self.asked.setdefault(number, rule)
                self._ever_asked.add(number)

    def came(self, numbers: Iterable[int]) -> None:
        """Records that these numbers are in the books now."""
        for number in numbers:
            rule = self.asked.pop(number, None)
            if rule is not None:
                self._notes.kept(rule)

    # -- shifts

    @property
    def open_shift(self) -> UUID | None:
        """The shift that the terminal has opened and not closed, whatever the books say."""
        ended = {id_ for id_, opening in self.openings.items() if opening.message.closed_at is not None}
        return next((id_ for id_ in self.openings if id_ not in self.closes and id_ not in ended), None)

    # -- orders

    def _look(self, order: Order, batch: SeenBatch) -> None:
        content, sale = content_hash(order), content_hash(replace(order, order_id=_NOBODY, number=1))
        seen = self.orders.get(order.order_id)
        if seen is not None:
            what = f"order {order.order_id} (number {order.number}) came with another content"
            self._notes.note("order-unchanged", right=seen.content == content, what=what)
            if seen.batch.was_unanswered:
                self._notes.kept("order-id-kept")
            if (seen.order.mode, order.mode) == ("offline", "online"):
                self._notes.broke("mode", f"order {order.number} came as offline first, and then as online")
            seen.batch = batch
            return
        self.orders[order.order_id] = SeenOrder(order, content, batch.shift_id, batch)
        holder = self.numbers.setdefault(order.number, order.order_id)
        twin = self._sales.setdefault(sale, order.order_id)
        if twin != order.order_id and self.orders[twin].batch.was_unanswered:
            self.orders[twin].came_as = order.order_id
            self._sales[sale] = order.order_id
            self._notes.broke(
                "order-id-kept", f"{self._called(twin)} had no answer and came as {self._called(order.order_id)}"
            )
        elif self._notes.note(
            "number-once",
            right=holder == order.order_id,
            what=f"number {order.number} is on {holder} and on {order.order_id}",
        ):
            self._notes.kept("order-unchanged")

    def _look_at_movement(self, movement: CashMovement, batch: SeenBatch) -> None:
        movement_id = movement.movement_id
        seen = self.movements.get(movement_id)
        if seen is not None:
            same = movement_hash(seen.movement) == movement_hash(movement)
            what = f"cash movement {movement_id} came with another content"
            self._notes.note("order-unchanged", right=same, what=what)
            self._notes.kept("movement-id-kept")
            seen.batch = batch
            return
        self.movements[movement_id] = SeenMovement(movement, batch)
        content = movement_hash(replace(movement, movement_id=_NOBODY))
        twin = self._moved.setdefault(content, movement_id)
        # Of two alike in one batch, or of which the first was taken, nobody can tell whether both were meant.
        if (
            twin != movement_id
            and not self.movements[twin].batch.is_answered
            and self.movements[twin].batch is not batch
        ):
            self.movements[twin].came_as = self._moved[content] = movement_id
            self._notes.broke(
                "movement-id-kept", f"cash movement {twin} was not taken, and came as {movement_id} in another batch"
            )

    def _called(self, order_id: UUID) -> str:
        return f"order {order_id} (number {self.orders[order_id].order.number})"

    def of_shift(self, shift_id: UUID) -> list[Order]:
        """The orders of a shift by number, each once; the last one of a sale that changed its identifier."""
        found = [seen.order for seen in self.orders.values() if seen.shift_id == shift_id and seen.came_as is None]
        return sorted(found, key=lambda order: order.number)
