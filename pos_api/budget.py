"""How many bytes of bodies a process holds at once. What does not fit is sent away before it is read or decoded."""

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class BudgetSpent(Exception):
    """So many bytes do not fit beside those that are held now; a moment later they may."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} bytes more do not fit")
        self.count = count


class ByteBudget:
    """Counts the bytes that are held. Nothing waits: there is room, or `BudgetSpent`. Any thread may use it.

    Of `total` bytes `kept` are for small bodies, of at most `small` bytes each: whoever fills the rest with large ones
    stops nobody who sends a live order or a heartbeat. No owner holds more than `share`, so that one who sends large
    bodies without end stops no other's.
    """

    def __init__(self, total: int, *, kept: int = 0, small: int = 0, share: int | None = None) -> None:
        if not 0 <= kept <= total:
            raise ValueError(f"{kept} of {total} bytes cannot be kept")
        self.total = total
        self.kept = kept
        self.small = small
        self.share = total if share is None else share
        self._small_ones = self._large_ones = 0
        self._held_by: Counter[Hashable] = Counter()
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """The bytes that are held now."""
        return self._small_ones + self._large_ones

    def acquire(self, count: int, *, owner: Hashable = None) -> None:
        """Takes `count` bytes, which `release` gives back. Raises `BudgetSpent`, and takes none, where they do not fit.

        What nobody owns (None) is in nobody's share.
        """
        with self._lock:
            if not self._fits(count) or (owner is not None and self._held_by[owner] + count > self.share):
                raise BudgetSpent(count)
            self._add(count, owner=owner, is_small=count <= self.small)

    def release(self, count: int, *, owner: Hashable = None) -> None:
        """Gives back `count` bytes that were acquired for this `owner`."""
        with self._lock:
            self._add(-count, owner=owner, is_small=count <= self.small)
            if not self._held_by[owner]:
                del self._held_by[owner]  # owners come and go: what holds nothing is forgotten

    @contextmanager
    def hold(self, count: int, *, owner: Hashable = None) -> Iterator[None]:
        """Holds `count` bytes while the block runs. Raises `BudgetSpent` instead of running it where they do not fit."""
        self.acquire(count, owner=owner)
        try:
            yield
        finally:
            self.release(count, owner=owner)

    def _fits(self, count: int) -> bool:
        if count <= self.small:
            return self.held + count <= self.total
        # Small ones are in what is kept for them first.
        beyond = max(self._small_ones - self.kept, 0)
        return self._large_ones + beyond + count <= self.total - self.kept

    def _add(self, change: int, *, owner: Hashable, is_small: bool) -> None:
        if is_small:
            self._small_ones += change
        else:
            self._large_ones += change
        self._held_by[owner] += change
