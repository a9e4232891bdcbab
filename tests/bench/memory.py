"""What the processes of a running stack hold."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

SAMPLE_EVERY_S = 1.0
MEBIBYTE = 1024


class Memory:
    """Watches what each role holds: MiB of its own and its share of what it shares (PSS), all its processes together."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.before = self.sample()
        self.peak = dict(self.before)
        self.processes = {name: len(family(pid)) for name, pid in self._pids.items()}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.after = self.sample()

    def sample(self) -> dict[str, float]:
        """Now, by role."""
        return {name: sum(map(_pss_mib, family(pid))) for name, pid in self._pids.items()}

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_EVERY_S):
            for name, mib in self.sample().items():
                self.peak[name] = max(self.peak[name], mib)


def family(pid: int, children: Mapping[int, Sequence[int]] | None = None) -> list[int]:
    """A process and all that descend from it; `children` where they are known already."""
    children = children_now() if children is None else children
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def children_now() -> dict[int, list[int]]:
    """Of every process of this machine that has some."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it ended meanwhile
        children.setdefault(parent, []).append(int(folder.name))
    return children


def _pss_mib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0  # it ended meanwhile
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / MEBIBYTE
