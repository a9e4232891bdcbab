"""Ends what an earlier stack left running on a data folder. Only processes that are certainly ours are touched."""

import contextlib
import os
import signal
from pathlib import Path

from backoffice.workbench.embedded import StackError
from backoffice.workbench.embedded.postgres import pid_file_lines
from backoffice.workbench.embedded.processes import wait_until

TOKEN = "BACKOFFICE_TOKEN"  # noqa: S105 - the name of the variable that marks a stack's children  # nosec B105
PATIENCE_S = 5.0


def end_leftovers(folder: Path, *, token: str) -> None:
    """Ends servers that still run in `folder`, and processes that carry the stack's `token`. Raises StackError.

    Their supervisor is dead, so they are already ending; this waits for them, and kills those that do not end.
    """
    if not Path("/proc/self/stat").exists():
        return
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        postmaster = running_postmaster(folder / "postgres")
        if postmaster is not None:
            send(postmaster, number)
            wait_until(lambda: running_postmaster(folder / "postgres") is None, timeout_s=PATIENCE_S)
    for pid in leftovers(folder, token):
        send(pid, signal.SIGKILL)
    if not wait_until(lambda: not leftovers(folder, token), timeout_s=PATIENCE_S):
        raise StackError(f"Processes of an earlier run still use {folder} and do not end: {leftovers(folder, token)}.")
    # PostgreSQL trusts this file if any process has the number in it: a zombie, or an unrelated one after a reboot. A
    # server that still used the data would have been found above; PostgreSQL's shared memory is a second guard.
    (folder / "postgres" / "postmaster.pid").unlink(missing_ok=True)


def running_postmaster(data: Path) -> int | None:
    """The process id that PostgreSQL recorded, if that process has the command line with which we start it."""
    lines = pid_file_lines(data)
    if len(lines) < 4 or not lines[0].isdigit():  # noqa: PLR2004 - process id, folder, start time, port
        return None
    pid, port = int(lines[0]), lines[3]
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return None
    return pid if words[0].endswith(b"/postgres") and f"port={port}".encode() in words else None


def leftovers(folder: Path, token: str) -> list[int]:
    """Every process that is still ours, known by the token it was started with or, for a server, by its folder."""
    postmaster = running_postmaster(folder / "postgres")
    return [
        pid
        for pid in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
        if pid != os.getpid()
        and (
            pid == postmaster
            or carries(pid, token)
            or (program(pid) == "valkey-server" and works_in(pid, folder / "valkey"))
            or (program(pid) == "postgres" and works_in(pid, folder / "postgres"))
        )
    ]


def program(pid: int) -> str:
    """The file name of the program that a process runs; empty if we cannot see it."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/exe").readlink().name.removesuffix(" (deleted)")
    return ""


def works_in(pid: int, folder: Path) -> bool:
    """Whether a process's working directory is this very folder."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cwd").samefile(folder)
    return False


def carries(pid: int, token: str) -> bool:
    """Whether a process was started with the stack's token in its environment."""
    with contextlib.suppress(OSError):
        return f"{TOKEN}={token}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return False


def send(pid: int, number: signal.Signals) -> None:
    """Signals a process that may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
