"""A child process that cannot outlive its supervisor, writes to the common log, and is ended with its own children."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backoffice.workbench.embedded import launch
from backoffice.workbench.embedded.log import Log


def wrapped(
    command: Sequence[str], *, directory: Path, identity: str = launch.SAME, orphan_signal: int = signal.SIGTERM
) -> list[str]:
    """The command line that runs `command` through `launch.py`; it gets `orphan_signal` when this process dies."""
    launcher = [sys.executable, "-I", "-S", launch.__file__]
    return [*launcher, str(os.getpid()), str(int(orphan_signal)), identity, str(directory), *command]


@dataclass
class Child:
    """A program to keep running. `stop_signal` asks it to end; it gets `orphan_signal` if the supervisor dies.

    Lines of its output that contain a text of `noise` are left out of the log.
    """

    name: str
    command: Sequence[str]
    log: Log
    directory: Path
    environment: Mapping[str, str]
    identity: str = launch.SAME
    stop_signal: int = signal.SIGTERM
    stop_timeout_s: float = 5.0
    orphan_signal: int = signal.SIGTERM
    standard_input: bytes = b""
    noise: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Starts the program in a process group of its own, so that Ctrl-C reaches the supervisor alone."""
        self.process = subprocess.Popen(  # noqa: S603 - our own words
            wrapped(self.command, directory=self.directory, identity=self.identity, orphan_signal=self.orphan_signal),
            env=dict(self.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self.process.stdin is not None  # noqa: S101 - because of PIPE above
        assert self.process.stdout is not None  # noqa: S101
        self.log.follow(self.name, self.process.stdout, noise=self.noise)
        with contextlib.suppress(BrokenPipeError), self.process.stdin as pipe:
            pipe.write(self.standard_input)

    @property
    def pid(self) -> int | None:
        """The process id while the program runs, else None."""
        return self.process.pid if self.process is not None and self.process.poll() is None else None

    def ending(self) -> str | None:
        """How the program ended, in words; None while it runs."""
        code = self.process.poll() if self.process is not None else None
        if code is None:
            return None
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def stop(self) -> None:
        """Asks the program to end, waits up to `stop_timeout_s`, then kills whatever is left of its group."""
        if self.process is None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(self.stop_timeout_s)
        except subprocess.TimeoutExpired:
            self.log.say(self.name, f"did not end within {self.stop_timeout_s:g} s: killed")
        self.kill()
        self.process = None

    def kill(self) -> None:
        """Kills the program's whole process group, even if the program itself is gone."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def wait_until(condition: Callable[[], bool], *, timeout_s: float, interval_s: float = 0.02) -> bool:
    """Polls until the condition holds; False if it does not within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval_s)
    return True
