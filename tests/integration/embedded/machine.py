"""What these tests see and do from outside: `manage.py up` as a process, and the processes under it."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from backoffice.workbench.embedded.processes import wait_until

CHECKOUT = Path(__file__).resolve().parent.parent.parent.parent
OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "BASE_URL", "BACKOFFICE_STACK")


class Up:
    """`manage.py up` on a data folder; its output is in `text()`."""

    def __init__(self, folder: Path, *args: str, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._output = folder.with_name(f"{folder.name}-{time.monotonic_ns()}.log")
        clean = {name: value for name, value in os.environ.items() if name not in OURS}
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--data-dir", str(folder), *(args or ("--port", "0"))],
                env={**clean, **(environment or {})},
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def text(self) -> str:
        return self._output.read_text()

    def wait_until_ready(self) -> str:
        """Returns the service's address."""
        eventually(
            lambda: "Ctrl-C stops it" in self.text() or self.process.poll() is not None, timeout_s=60, saw=self.text
        )
        found = re.search(r"Console\s+(http://[^/]+)/", self.text())
        assert found, self.text()
        return found.group(1)

    def end(self, number: signal.Signals) -> int:
        """Sends the signal and returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(30)


def eventually(
    condition: Callable[[], bool],
    *,
    timeout_s: float = 20,
    interval_s: float = 0.05,
    saw: Callable[[], object] = lambda: "",
) -> None:
    assert wait_until(condition, timeout_s=timeout_s, interval_s=interval_s), saw()


def descendants(pid: int) -> list[int]:
    """Every process under a process."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = [pid]
    for parent in found:
        found += [child for child, its_parent in parents.items() if its_parent == parent]
    return found[1:]


def still_running(pids: list[int]) -> list[int]:
    """Those that exist and are no zombies."""
    return [pid for pid in pids if state(pid) not in {"", "Z", "X"}]


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def status(address: str) -> int:
    """The HTTP status of `/livez`, 0 where nobody answers."""
    try:
        with urllib.request.urlopen(f"{address}/livez", timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
