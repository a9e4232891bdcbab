"""What reading a terminal's bodies costs this process, and how long it rests when that was too much (ADR 32)."""

import threading
import time
from collections.abc import Callable, Hashable

# Seconds of processor. Five hundred common orders take half as much, and are free.
FREE_S = 0.05
# Of what goes beyond that, a terminal may use a fiftieth of a processor on average, and a second at once.
SHARE = 0.02
AT_ONCE_S = 1.0
MOST_REMEMBERED = 1000


class Costs:
    """Seconds of processor by owner. Any thread may use it. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._paid_at: dict[Hashable, float] = {}
        self._lock = threading.Lock()

    @property
    def remembered(self) -> int:
        """How many owners have not paid yet, or had not when somebody last looked."""
        return len(self._paid_at)

    def count(self, owner: Hashable, seconds: float) -> None:
        """Adds what one body of this owner took."""
        owed = seconds - FREE_S
        if owed <= 0:
            return
        with self._lock:
            now = self._clock()
            if len(self._paid_at) >= MOST_REMEMBERED:
                self._paid_at = {each: at for each, at in self._paid_at.items() if at > now}
            self._paid_at[owner] = max(now, self._paid_at.get(owner, now)) + owed / SHARE

    def rest_s(self, owner: Hashable) -> float:
        """How many seconds the owner should wait before its next body; 0 where it need not."""
        return max(0.0, self._paid_at.get(owner, 0.0) - self._clock() - AT_ONCE_S / SHARE)
