"""Carries out a schedule on a running service, and counts what really happened."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from redis.exceptions import RedisError

from tests.faults.fleet import Fleet
from tests.faults.schedule import Action, Moment
from tests.faults.service import Service

POLL_S = 0.02
BREATH_S = 0.25  # between two moments, also where they are late
FULL_FOR_S = 40.0  # at most, for a disk
PATIENCE_S = 60.0  # for processes that are being started again
STOPS_WITHIN_S = 10.0
SIGNALS = {"kill": signal.SIGKILL, "crash": signal.SIGKILL, "stop at once": signal.SIGQUIT, "freeze": signal.SIGSTOP}


class Stalled(Exception):
    """Terminals have not been acknowledged anything for too long."""


class Killer:
    """`counts` is by (what, whom); `log` gets a line for each. `keep_up` is called often while this waits, and may raise to
    end the run.
    """

    def __init__(self, service: Service, fleet: Fleet, *, keep_up: Callable[[], None], log: Path) -> None:
        self._log = log.open("a")
        self._service = service
        self._fleet = fleet
        self._keep_up = keep_up
        self._missed: list[Action] = []
        self._frozen: dict[int, float] = {}
        # A process dies once; one that is frozen is left alone until it moves again, and one that was asked to stop, which
        # PostgreSQL may not hear while it starts, for a while: whom the number tells until when.
        self._hit: dict[int, float] = {}
        self._full: _Full | None = None
        self._lock = threading.Lock()
        self.counts: Counter[tuple[str, str]] = Counter()

    def carry_out(self, moment: Moment) -> None:
        """The moment has come: its actions, one after the other, and those that found nobody until now."""
        for action in moment.actions:
            self._wait(action.after_s)
            if action.when is None or self._comes_to_pass(action.when):
                self._missed.append(action)
                self._strike_all()
        self._wait(BREATH_S)

    def carry_out_missed(self) -> None:
        """What found nobody is carried out as soon as somebody is there. Gives up after a while."""
        deadline = time.monotonic() + PATIENCE_S
        while self._missed and time.monotonic() < deadline:
            self._strike_all()
            self._wait(BREATH_S)

    @contextmanager
    def healing(self) -> Iterator[None]:
        """Frees what has been frozen or filled for long enough, in a thread; everything at the end."""
        ended = threading.Event()
        thread = threading.Thread(target=self._heal_until, args=(ended,), name="healer", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self._heal(float("inf"))

    def kills(self) -> int:
        return sum(count for (what, _), count in self.counts.items() if what in {"kill", "stop at once"})

    def _strike_all(self) -> None:
        self._missed = [action for action in self._missed if not self._strike(action)]

    def _strike(self, action: Action) -> bool:
        """Whether the victim was there."""
        match action.what:
            case "crash" if action.whom == "terminal":
                names = list(self._fleet.tills)
                done = self._fleet.kill(names[action.pick % len(names)])
            case "flush":
                done = self._flush()
            case "fill":
                self._service.fill_disk()
                self._full = _Full(self._service.times_full(), time.monotonic() + FULL_FOR_S, action.for_s)
                done = True
            case _:
                done = self._signal(action)
        if done:
            self._log.write(f"{datetime.now(UTC):%H:%M:%S.%f} {action.what} {action.whom}\n")
            self._log.flush()
            self.counts[action.what, action.whom] += 1
        return done

    def _signal(self, action: Action) -> bool:
        now = time.monotonic()
        pids = [pid for pid in self._service.processes().get(action.whom, []) if self._hit.get(pid, 0.0) <= now]
        if not pids:
            return False
        pid = pids[action.pick % len(pids)]
        with self._lock:
            try:
                os.kill(pid, SIGNALS[action.what])
            except ProcessLookupError:
                return False
            self._hit[pid] = now + STOPS_WITHIN_S if action.what == "stop at once" else float("inf")
            if action.what == "freeze":
                self._frozen[pid] = now + action.for_s
        return True

    def _flush(self) -> bool:
        try:
            self._service.broker().flushall()
        except RedisError:
            return False
        return True

    def _comes_to_pass(self, condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():  # asked once more, it might not hold any longer
            if time.monotonic() >= deadline:
                return False
            self._wait(POLL_S)
        return True

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            self._keep_up()
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(POLL_S, left))

    def _heal_until(self, ended: threading.Event) -> None:
        while not ended.wait(POLL_S):
            self._heal(time.monotonic())

    def _heal(self, now: float) -> None:
        with self._lock:
            for pid, until in list(self._frozen.items()):
                if until <= now:
                    del self._frozen[pid]
                    self._hit.pop(pid, None)
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)
        if self._full is not None and self._full.is_over(now, self._service.times_full()):
            self._service.free_disk()
            self._full = None


@dataclass
class _Full:
    """A disk that is full until `until`, but only `then_s` longer once PostgreSQL has found out."""

    found_before: int
    until: float
    then_s: float

    def is_over(self, now: float, found: int) -> bool:
        if found > self.found_before:
            self.until = min(self.until, now + self.then_s)
            self.then_s = float("inf")
        return now >= self.until
