"""How many bytes of bodies a process holds at once. What does not fit is sent away before it is read or decoded."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class BudgetSpent(Exception):
    """So many bytes do not fit beside those that are held now; a moment later they may."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} bytes more do not fit")
        self.count = count


class ByteBudget:
    """Counts the bytes that are held. Nothing waits: there is room, or `BudgetSpent`. Any thread may use it.

    Of `total` bytes the last `kept` are for small bodies, of at most `small` bytes each, so that whoever fills the
    rest with large ones stops nobody who sends a live order or a heartbeat.
    """

    def __init__(self, total: int, *, kept: int = 0, small: int = 0) -> None:
        if not 0 <= kept <= total:
            raise ValueError(f"{kept} of {total} bytes cannot be kept")
        self.total = total
        self.kept = kept
        self.small = small
        self._held = 0
        self._lock = threading.Lock()

    @property
    def held(self) -> int:
        """The bytes that are held now."""
        return self._held

    def acquire(self, count: int) -> None:
        """Takes `count` bytes, which `release` gives back. Raises `BudgetSpent`, and takes none, where they do not fit."""
        most = self.total if count <= self.small else self.total - self.kept
        with self._lock:
            if self._held + count > most:
                raise BudgetSpent(count)
            self._held += count

    def release(self, count: int) -> None:
        """Gives back `count` bytes that were acquired."""
        with self._lock:
            self._held -= count

    @contextmanager
    def hold(self, count: int) -> Iterator[None]:
        """Holds `count` bytes while the block runs. Raises `BudgetSpent` instead of running it where they do not fit."""
        self.acquire(count)
        try:
            yield
        finally:
            self.release(count)
