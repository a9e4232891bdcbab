"""The namespaces in which a rehearsal happens: what is mounted, written or set up in them is gone when its last process ends.

`enter` starts a Python in namespaces of its own: its mounts, its network with nothing but itself, and its processes, which
the kernel kills with the first of them. `set_up`, called in there, makes the machine look like one on which Debian's
packages of the engine are installed, and `/opt/backoffice` and `/var/backups` are still to come.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.rehearsal.shell import run
from tests.unit.deployment.files import CHECKOUT

CGROUPS = Path("/sys/fs/cgroup")
PATIENCE_S = 30.0
# Folders in which the handbook writes. Over each lies one of the rehearsal's own, which takes what is written.
WRITTEN = ("etc", "opt", "usr", "var")
# Put in the way of the engine's own on some machines.
OTHER_CLIENTS = ("usr/local/bin/docker", "usr/local/bin/docker-compose")


def enter(module: str, words: Sequence[str]) -> int:
    """Runs a module in namespaces of its own; returns its exit code."""
    namespaces = [
        "unshare",
        "--mount",
        "--propagation=private",
        "--net",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ]
    with subprocess.Popen([*namespaces, sys.executable, "-m", module, *words], cwd=CHECKOUT) as inside:
        try:
            return inside.wait()
        except BaseException:
            inside.kill()  # and with it, by --kill-child, everything in there
            raise


def set_up(work: Path) -> None:
    """Mounts the machine's new look, and makes its network reach itself."""
    run(["ip", "link", "set", "lo", "up"])
    for name in WRITTEN:
        lower = f"{work / 'engine' / name}:/{name}" if (work / "engine" / name).is_dir() else f"/{name}"
        for part in ("upper", "work"):
            (work / part / name).mkdir(parents=True, exist_ok=True)
        over = f"lowerdir={lower},upperdir={work / 'upper' / name},workdir={work / 'work' / name}"
        run(["mount", "-t", "overlay", "overlay", "-o", over, f"/{name}"])
    for client in OTHER_CLIENTS:
        Path("/", client).unlink(missing_ok=True)
    run(["mount", "-t", "tmpfs", "tmpfs", "/run"])
    for folder in (work / "docker", Path("/var/lib/docker"), Path("/var/lib/prometheus/node-exporter")):
        folder.mkdir(parents=True, exist_ok=True)
    run(["mount", "--bind", str(work / "docker"), "/var/lib/docker"])


def remove_cgroups(name: str) -> None:
    """Removes the groups that the engine made, which no namespace ends with, once their last process is gone."""
    deadline = time.monotonic() + PATIENCE_S
    while left := [parent for parent in (CGROUPS / name, *CGROUPS.glob(f"*/{name}")) if parent.exists()]:
        for parent in left:
            for folder, _, _ in os.walk(parent, topdown=False):
                with suppress(OSError):  # a process of it is still ending
                    Path(folder).rmdir()
        if time.monotonic() > deadline:
            print(f"Not removed: {', '.join(map(str, left))}", file=sys.stderr)
            return
        time.sleep(0.1)
