"""A private PostgreSQL: made at first use, durable, owned by one role, reachable only over loopback with a password."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from backoffice.workbench.embedded import ServerNotStartedError, StackError, launch
from backoffice.workbench.embedded.identity import OsIdentity, find_identity, hand_over, remove_copy
from backoffice.workbench.embedded.log import Log
from backoffice.workbench.embedded.ports import LOOPBACK
from backoffice.workbench.embedded.processes import Child, wait_until, wrapped

ROLE = DATABASE = "backoffice"
START_TIMEOUT_S = 60.0  # recovery from a crash replays all changes since the last checkpoint
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a deep folder exceeds the 107 bytes that a socket's path may have
    "max_connections": "200",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "log_checkpoints": "off",
    "log_line_prefix": "",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
# The superuser has no password, so nobody can log in as it. The role owns its database, can create others (for tests and
# restore rehearsals), and is no superuser. Owning the tables it could switch off the triggers that guard the ledger: two roles,
# as production has them (deploy/postgres), would have to change every data folder that there is. `verify_books` finds it.
FIRST_STATEMENTS = """\
CREATE ROLE {role} LOGIN CREATEDB PASSWORD '{password}';
CREATE DATABASE {database} OWNER {role};
"""


class Postgres:
    """PostgreSQL on the data folder `folder`; `password` is the role's, and must not need quoting."""

    def __init__(self, folder: Path, *, password: str, log: Log) -> None:
        self._folder = folder.resolve()
        self._password = password
        self._log = log
        self._identity: OsIdentity | None = None
        self.child: Child | None = None
        self.url = ""

    def start(self, port: int) -> None:
        """Starts the server, after making its data folder if there is none. Raises StackError."""
        self._identity = identity = find_identity(self._folder)
        if not self._folder.exists():
            self._make(identity)
        hand_over(self._folder, identity.owner)
        settings = [
            word for name, value in {**SETTINGS, "port": str(port)}.items() for word in ("-c", f"{name}={value}")
        ]
        self.child = child = Child(
            name="postgres",
            command=[str(identity.binaries / "postgres"), "-D", data_path(identity, self._folder), *settings],
            log=self._log,
            directory=self._folder,
            environment=environment(),
            identity=identity.name,
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
            stop_timeout_s=30.0,
        )
        child.start()
        ready = wait_until(lambda: child.pid is None or is_ready(self._folder, child.pid), timeout_s=START_TIMEOUT_S)
        if not ready or child.pid is None:
            self.stop()
            raise ServerNotStartedError(f"PostgreSQL did not start on {self._folder}. The log has its output.")
        self.url = f"postgresql://{ROLE}:{self._password}@{LOOPBACK}:{port}/{DATABASE}"

    def stop(self) -> None:
        """Ends the server by a fast shutdown: connections are closed and everything is written."""
        if self.child is not None:
            self.child.stop()
        if self._identity is not None and self._identity.name == launch.NOBODY:
            remove_copy(self._folder)

    def _make(self, identity: OsIdentity) -> None:
        """Makes the data folder under another name and renames it, so that an interrupted start leaves no half of one."""
        new = self._folder.with_name(self._folder.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True, mode=0o700)
        hand_over(new, identity.owner)
        data = data_path(identity, new)
        initdb = [
            *(str(identity.binaries / "initdb"), "-D", data, "--no-sync", "--username=postgres", "--encoding=UTF8"),
            *("--auth-local=reject", "--auth-host=scram-sha-256"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        ]
        single = [str(identity.binaries / "postgres"), "--single", "-D", data, "postgres"]
        statements = FIRST_STATEMENTS.format(role=ROLE, database=DATABASE, password=self._password)
        for command, text in ((initdb, ""), (single, statements)):
            self._run(wrapped(command, directory=new, identity=identity.name), text)
        new.rename(self._folder)

    def _run(self, command: list[str], text: str) -> None:
        done = subprocess.run(  # noqa: S603 - our own words
            command, input=text, capture_output=True, text=True, check=False, env=environment()
        )
        if done.returncode != 0 or "ERROR:" in done.stderr:
            for line in (done.stdout + done.stderr).splitlines():
                self._log.say("postgres", line)
            raise StackError(f"PostgreSQL's data folder {self._folder} could not be made. The log has its output.")


def data_path(identity: OsIdentity, folder: Path) -> str:
    """The name of the data folder for PostgreSQL, which is started in that folder.

    The user nobody may lack the right to reach it by path (a checkout under a home of mode 0700). Linux resolves
    /proc/self/cwd without looking at the folders above.
    """
    return "/proc/self/cwd" if identity.name == launch.NOBODY else str(folder)


def environment() -> dict[str, str]:
    """The server's environment. It inherits nothing of ours, so no PGDATA, PGPORT or secret reaches it."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


def pid_file_lines(folder: Path) -> list[str]:
    """The lines of a running server's `postmaster.pid`, its process id first; empty if no server runs."""
    try:
        return (folder / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def is_ready(folder: Path, pid: int) -> bool:
    """Whether it accepts connections, checked as pg_ctl does: its own process id, and "ready" on line 8, in its pid file."""
    lines = pid_file_lines(folder)
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004
