"""All attackers at once, each in a process of its own: prepared in peace, let loose together, and called back."""

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from tests.bench.hostile.attacker import Task

CHECKOUT = Path(__file__).resolve().parents[3]
PREPARES_S = 240.0
REPORTS_S = 30.0


class Told(NamedTuple):
    """What one attacker was told: answers by status; when the service failed, by all processes' clock, and at what."""

    attack: str
    told: Counter[str]
    errors: Sequence[tuple[float, str]]

    @property
    def requests(self) -> int:
        """How many it sent, answered or not."""
        return self.told.total()


class Crowd:
    """One process per task. Inside the block they are prepared; whoever still runs at its end is ended."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tasks
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        for task in self._tasks:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.hostile"],
                cwd=CHECKOUT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self._processes.append(process)
            self._say(process, json.dumps(task._asdict()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None and not pipe.closed:
                    pipe.close()

    def wait_until_prepared(self) -> None:
        """Raises RuntimeError where an attacker could not prepare itself."""
        for task, process in zip(self._tasks, self._processes, strict=True):
            if self._hear(process, PREPARES_S) != "ready":
                raise RuntimeError(f"The attack {task.attack!r} could not be prepared.")

    def let_loose(self) -> None:
        """From here on they attack."""
        for process in self._processes:
            self._say(process, "go")

    def call_back(self) -> list[Told]:
        """Ends the attacks; what each was told. Raises RuntimeError where an attacker broke off."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.close()
        heard = [
            (task.attack, self._hear(process, REPORTS_S))
            for task, process in zip(self._tasks, self._processes, strict=True)
        ]
        if broken := [attack for attack, line in heard if not line]:
            raise RuntimeError(f"Attacks that broke off: {', '.join(broken)}")
        said = [(attack, json.loads(line)) for attack, line in heard]
        return [
            Told(attack, Counter(each["told"]), [(at, what) for at, what in each["errors"]]) for attack, each in said
        ]

    def _say(self, process: subprocess.Popen[str], line: str) -> None:
        assert process.stdin is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()

    def _hear(self, process: subprocess.Popen[str], timeout_s: float) -> str:
        assert process.stdout is not None
        ending = threading.Timer(timeout_s, process.kill)  # it reads to its end then
        ending.start()
        try:
            return process.stdout.readline().strip()
        finally:
            ending.cancel()
