"""The most memory that each process ever held (VmHWM), by role, and how much that is beyond what it held before.

A process that was not there before, such as a worker's child that was started again, is measured against the smallest of
its role before. PostgreSQL's share what they share: each is counted with all of it that it has touched.
"""

import re
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from tests.bench.memory import children_now, family

LOOK_EVERY_S = 0.5
PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
MEGABYTE = 10**6


class Peak(NamedTuple):
    """Of the process of a role that grew most. Megabytes."""

    processes: int
    before_mb: float
    highest_mb: float

    @property
    def grown_mb(self) -> float:
        """What it took more."""
        return self.highest_mb - self.before_mb


class Peaks:
    """Looks every half second, since processes end. `pids` says which process each role has now."""

    def __init__(self, pids: Callable[[], Mapping[str, int]]) -> None:
        self._pids = pids
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        for pid in self._pids().values():
            forget_peaks(family(pid))
        self._before = self._look()
        self._highest = {role: dict(found) for role, found in self._before.items()}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.take_down()

    def by_role(self) -> dict[str, Peak]:
        """What was seen until now."""
        return {role: self._grown_most(role) for role in self._before}

    def _grown_most(self, role: str) -> Peak:
        before = self._before[role]
        least = min(before.values(), default=0.0)
        peaks = [
            Peak(len(before), before.get(pid, least), highest) for pid, highest in self._highest.get(role, {}).items()
        ]
        return max(peaks, key=lambda peak: peak.grown_mb)

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            self.take_down()

    def take_down(self) -> None:
        """Looks once more."""
        for role, found in self._look().items():
            known = self._highest.setdefault(role, {})
            for pid, peak_mb in found.items():
                known[pid] = max(known.get(pid, 0.0), peak_mb)

    def _look(self) -> dict[str, dict[int, float]]:
        children = children_now()
        looked = {role: peaks_of(family(pid, children)) for role, pid in self._pids().items()}
        return {role: found for role, found in looked.items() if found}


def peaks_of(pids: Iterable[int]) -> dict[int, float]:
    """The most that each of these processes ever held, as far as they still run. Megabytes."""
    found = {}
    for pid in pids:
        try:
            peak = PEAK.search(Path(f"/proc/{pid}/status").read_text())
        except OSError:
            continue  # it ended meanwhile
        if peak is not None:
            found[pid] = int(peak[1]) * 1024 / MEGABYTE
    return found


def forget_peaks(pids: Iterable[int]) -> None:
    """From here on the most is what each holds now (proc(5), clear_refs): what starting took says nothing."""
    for pid in pids:
        with suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text("5")
