"""Trying again: a bounded number of times, at growing and random distances, never sooner than asked."""

import time
from collections.abc import Callable
from random import Random
from typing import TypeVar

from backoffice_terminal.problems import BodyTimeout, Busy, DigestMismatch, LinkError, Problem

Answer = TypeVar("Answer")

# Nobody waits longer than this for one call, whatever Back Office asks: it is refused until the time has come.
PATIENCE_S = 60.0

WORTH_RETRYING = (LinkError, Busy, DigestMismatch, BodyTimeout)


class Retry:
    """Repeats a call whose answer may have been lost.

    Only calls with identifiers of their own may be given to it: the first attempt may have arrived. Distances are
    "full jitter" – uniform between zero and a limit that doubles from `base_s` to `cap_s` – so that a store full of
    terminals does not come back in step after an outage. A `Retry-After` is the least distance, also to the next call.
    """

    def __init__(
        self,
        *,
        attempts: int,
        rng: Random,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float] = time.monotonic,
        base_s: float = 0.25,
        cap_s: float = 30.0,
    ) -> None:
        self.attempts = attempts
        self._rng = rng
        self._sleep = sleep
        self._monotonic = monotonic
        self._base_s = base_s
        self._cap_s = cap_s
        self._asked: tuple[float, Problem] | None = None

    def __call__(
        self, call: Callable[[], Answer], *, attempts: int | None = None, patience_s: float = PATIENCE_S
    ) -> Answer:
        """The answer of `call`; its last error when all attempts are used up or the error is not worth another.

        Where Back Office asks for more than `patience_s` seconds, its refusal is raised instead of waiting, and again
        by every call that comes too soon, which then sends nothing.
        """
        last = (attempts or self.attempts) - 1
        for attempt in range(last + 1):
            self._wait_as_asked(patience_s)
            try:
                return call()
            except WORTH_RETRYING as error:
                self._note(error)
                if attempt == last:
                    raise
                self._pause(attempt, patience_s)
        raise AssertionError("a retry makes at least one attempt")

    def _note(self, error: Exception) -> None:
        if isinstance(error, Problem) and error.retry_after_s is not None:
            self._asked = self._monotonic() + error.retry_after_s, error

    def _wait_as_asked(self, patience_s: float) -> None:
        if self._asked is not None:
            until, refusal = self._asked
            remaining_s = until - self._monotonic()
            if remaining_s > patience_s:
                raise refusal
            if remaining_s > 0:
                self._sleep(remaining_s)
            self._asked = None

    def _pause(self, attempt: int, patience_s: float) -> None:
        """Sleeps for the jittered distance, or as long as was asked for where that is longer."""
        jittered_s = self._rng.uniform(0, min(self._cap_s, self._base_s * 2**attempt))
        if self._asked is None:
            self._sleep(jittered_s)
            return
        _, refusal = self._asked
        asked_s = refusal.retry_after_s or 0.0
        if asked_s > patience_s:
            raise refusal
        self._sleep(max(jittered_s, asked_s))
        self._asked = None
