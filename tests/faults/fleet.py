"""The terminals of a run: a process each, started again when it was killed, its memory and its journal in files that stay."""

import json
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from backoffice_terminal import Device, Terminal

from backoffice.workbench.embedded.processes import wrapped
from backoffice.workbench.embedded.roles import CHECKOUT
from tests.faults.service import JOURNALS, Service


@dataclass(frozen=True, kw_only=True)
class Day:
    """What the terminals do: orders each, orders a batch and a shift, and how rough it is.

    `live`, `clock_steps`, `blind` (closes that head office counts later) and `cheques` (held until people decide) are chances.
    """

    seed: str
    quota: int
    batch: int
    shift: int
    live: float = 0.1
    clock_steps: float = 0.15
    blind: float = 0.0
    cheques: float = 0.0
    timeout_s: float = 5.0


@dataclass
class Till:
    """One terminal's process, and how often it was started."""

    name: str
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    read: int = 0
    acknowledged: int = 0
    done: bool = False


@dataclass
class Fleet:
    """Call `tend` now and then: it starts again what was killed, and sees who is done. `broken` names who ended badly."""

    folder: Path
    day: Day
    names: list[str]
    crashes: int = 0
    broken: list[str] = field(default_factory=list)
    tills: dict[str, Till] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def journals(self) -> Path:
        return self.folder / JOURNALS

    def activate(self, service: Service) -> None:
        """Makes every terminal known to the service, while all is well."""
        self.journals.mkdir(parents=True, exist_ok=True)
        for name, (_, code) in zip(self.names, service.activation_codes(self.names), strict=True):
            terminal = Terminal(self._memory(name), service.stack.base_url)
            terminal.activate(code, Device(name=name))
            terminal.close()
            self.tills[name] = Till(name)

    def start(self, url: str) -> None:
        self._url = url
        self.tend()

    def tend(self) -> None:
        """One round over all terminals."""
        with self._lock:
            for till in self.tills.values():
                self._look_after(till)

    def kill(self, name: str) -> bool:
        """A terminal loses its power; whether it had any."""
        with self._lock:
            process = self.tills[name].process
            if process is None or process.poll() is not None:
                return False
            process.kill()
            process.wait()
            self.crashes += 1
            return True

    def stop(self) -> None:
        for till in self.tills.values():
            if till.process is not None:
                till.process.kill()
                till.process.wait()

    @property
    def done(self) -> bool:
        return all(till.done for till in self.tills.values())

    def acknowledged(self) -> int:
        """Orders for which there was a 2xx, about: one that was sent twice may count twice."""
        for till in self.tills.values():
            path = self.journals / f"{till.name}.acknowledged"
            if not path.exists():
                continue
            with path.open("rb") as file:
                file.seek(till.read)
                whole, newline, _ = file.read().rpartition(b"\n")
            till.read += len(whole) + len(newline)
            till.acknowledged += sum(json.loads(line)["orders"] for line in whole.splitlines() if line)
        return sum(till.acknowledged for till in self.tills.values())

    def _look_after(self, till: Till) -> None:
        if till.done or till.name in self.broken:
            return
        code = None if till.process is None else till.process.poll()
        if code == 0:
            till.done = True
        elif code is not None and code > 0:
            self.broken.append(till.name)
        elif till.process is None or code is not None:
            till.starts += 1
            till.process = self._spawn(till)

    def _spawn(self, till: Till) -> subprocess.Popen[bytes]:
        words = {
            "name": till.name,
            "memory": self._memory(till.name),
            "journals": self.journals,
            "url": self._url,
            "seed": self.day.seed,
            "incarnation": till.starts,
            "quota": self.day.quota,
            "batch": self.day.batch,
            "shift": self.day.shift,
            "live": self.day.live,
            "clock-steps": self.day.clock_steps,
            "blind": self.day.blind,
            "cheques": self.day.cheques,
            "timeout": self.day.timeout_s,
        }
        options = [word for name, value in words.items() for word in (f"--{name}", str(value))]
        with (self.folder / f"{till.name}.log").open("ab") as log:
            return subprocess.Popen(
                wrapped(
                    [sys.executable, "-m", "tests.faults.terminal", *options],
                    directory=CHECKOUT,
                    orphan_signal=signal.SIGKILL,
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _memory(self, name: str) -> Path:
        return self.folder / f"{name}.sqlite"
