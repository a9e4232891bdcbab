"""Retries: a bounded number, at growing random intervals, never sooner than Back Office asks."""

import time
from collections.abc import Callable
from random import Random
from typing import TypeVar

from backoffice_terminal.problems import BodyTimeout, Busy, DigestMismatch, LinkError, Problem

Answer = TypeVar("Answer")

# No call waits longer than this. If Back Office asks for more, calls are refused until that time has come.
PATIENCE_S = 60.0

WORTH_RETRYING = (LinkError, Busy, DigestMismatch, BodyTimeout)


class Retry:
    """Repeats a call whose answer may have been lost.

    Pass it only calls that are safe to repeat, because the first attempt may have arrived. Intervals have "full
    jitter" – uniform between zero and a limit that doubles from `base_s` to `cap_s` – so that a store full of terminals
    does not come back in step after an outage. A `Retry-After` is the shortest interval, even before the next call.
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
        """Returns the answer of `call`, or raises its last error when attempts run out or retrying is pointless.

        If Back Office asks for more than `patience_s` seconds, this raises its refusal instead of waiting. Every call
        that comes too soon raises it again, and sends nothing.
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
        """Sleeps for the random interval, or for as long as Back Office asks if that is longer."""
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
