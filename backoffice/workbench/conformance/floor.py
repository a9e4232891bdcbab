"""The state that the parts of this Back Office share during one run."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from uuid import UUID

from backoffice.domain.states import ShiftState
from backoffice.workbench.conformance.books import Books, StoredShift
from backoffice.workbench.conformance.credentials import Credentials
from backoffice.workbench.conformance.feed import Feed
from backoffice.workbench.conformance.history import History
from backoffice.workbench.conformance.mischief import Mischief
from backoffice.workbench.conformance.notes import Notebook
from backoffice.workbench.conformance.pace import Outage, Pace


@dataclass
class Floor:
    """One terminal's run. `books` may be set back to an earlier point; everything else only grows."""

    seed: int
    clock: Callable[[], float]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    books: Books = field(default_factory=Books)
    culprits: set[UUID] = field(default_factory=set)
    first_settled: bool = False
    is_restored: bool = False
    heartbeats: int = 0
    heartbeats_since_restore: int = 0
    skew_s: float | None = None
    _before: Books | None = None

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)  # noqa: S311 - repeatable on purpose  # nosec B311
        self.notes = Notebook()
        self.pace = Pace(self.notes)
        self.outage = Outage()
        self.mischief = Mischief(self.rng)
        self.credentials = Credentials(self.rng, self.notes)
        self.history = History(self.notes)
        self.feed = Feed(self.rng, self.notes, now=self.now().isoformat())
        self.terminal_id = str(UUID(int=self.rng.getrandbits(128), version=4))
        self.store_id = str(UUID(int=self.rng.getrandbits(128), version=4))

    @property
    def asking(self) -> str:
        """The rule that the terminal exercises if it is asked for numbers now."""
        return "kept-seven-days" if self.is_restored else "missing-sent"

    # -- losing what was taken

    def lose_something(self, shift: StoredShift) -> None:
        """At the first close, loses a batch of one order, and remembers this point for the restore later."""
        if self._before is not None:
            return
        alone = [
            b
            for b in self.books.batches.values()
            if b.shift_id == shift.shift_id and b.orders == 1 and not b.movement_results
        ]
        if alone:
            self.books.lose(alone[0].batch_id)
        self._before = copy.deepcopy(self.books)

    def look_at_first(self) -> None:
        """Notes whether the shift that was closed first is settled."""
        if self._before is not None and not self.first_settled:
            closed = [shift for shift in self.books.shifts.values() if shift.close is not None]
            self.first_settled = self.books.state(closed[0]) is not ShiftState.CLOSING

    def may_restore(self, shift_id: UUID) -> bool:
        """Whether it is time to restore: the first shift is settled, and another one already has an order."""
        known = self._before is not None and shift_id in self._before.shifts
        has_order = any(batch.shift_id == shift_id for batch in self.books.batches.values())
        return self.first_settled and not self.is_restored and not known and has_order

    def restore(self) -> None:
        """Sets the books back to just after the first close."""
        if self._before is not None:
            present, self.books = self.books, copy.deepcopy(self._before)
            gone = present.batches.keys() - self.books.batches.keys()
            self.books.lost |= {batch_id: present.numbers_of(batch_id) for batch_id in gone}
            self.is_restored = True

    def everything_came(self) -> bool:
        """Whether every shift is closed and none of them waits for anything."""
        shifts = self.books.shifts.values()
        return all(s.close is not None and self.books.state(s) is not ShiftState.CLOSING for s in shifts)
