"""The Docker Engine of a rehearsal: started, waited for, and ended."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rehearsal.shell import CommandError, run

PATIENCE_S = 60.0


@contextmanager
def engine(log: Path, *, cgroup: str) -> Iterator[str]:
    """A running engine at its usual socket, and its version. What its containers use is counted under `cgroup`."""
    words = ["--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", f"/{cgroup}"]
    words += ["--data-root", "/var/lib/docker", "--host", "unix:///run/docker.sock", "--pidfile", "/run/docker.pid"]
    with log.open("ab") as out, subprocess.Popen(["dockerd", *words], stdout=out, stderr=out) as daemon:
        try:
            yield _version(daemon, log)
        finally:
            daemon.terminate()
            try:
                daemon.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                daemon.kill()


def _version(daemon: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while daemon.poll() is None and time.monotonic() < deadline:
        try:
            return run(["docker", "version", "--format", "{{.Server.Version}}"]).strip()
        except CommandError:
            time.sleep(0.2)
    raise CommandError(f"dockerd did not start:\n{log.read_text(errors='replace')[-3000:]}")
