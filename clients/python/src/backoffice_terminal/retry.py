"""Trying again: a bounded number of times, at growing and random distances, never sooner than asked."""

from collections.abc import Callable
from random import Random
from typing import TypeVar

from backoffice_terminal.problems import Busy, DigestMismatch, LinkError

Answer = TypeVar("Answer")

WORTH_RETRYING = (LinkError, Busy, DigestMismatch)


class Retry:
    """Repeats a call whose answer may have been lost.

    Only calls with identifiers of their own may be given to it: the first attempt may have arrived. Distances are
    "full jitter" – uniform between zero and a limit that doubles from `base_s` to `cap_s` – so that a store full of
    terminals does not come back in step after an outage. A `Retry-After` is the least distance.
    """

    def __init__(
        self, *, attempts: int, rng: Random, sleep: Callable[[float], None], base_s: float = 0.25, cap_s: float = 30.0
    ) -> None:
        self.attempts = attempts
        self._rng = rng
        self._sleep = sleep
        self._base_s = base_s
        self._cap_s = cap_s

    def __call__(self, call: Callable[[], Answer], *, attempts: int | None = None) -> Answer:
        """The answer of `call`; its last error when all attempts are used up or the error is not worth another."""
        last = (attempts or self.attempts) - 1
        for attempt in range(last):
            try:
                return call()
            except WORTH_RETRYING as error:
                self._sleep(self._pause_s(attempt, error))
        return call()

    def _pause_s(self, attempt: int, error: Exception) -> float:
        jittered = self._rng.uniform(0, min(self._cap_s, self._base_s * 2**attempt))
        asked = error.retry_after_s if isinstance(error, Busy) else None
        return max(jittered, asked or 0.0)
