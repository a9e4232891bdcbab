# ruff: noqa: INP001 - a script, and the only Python here
"""The container's health check, which says whether its role works: `python deploy/healthcheck.py web|worker|beat`.

It uses only the standard library, no Django, so running it every half minute costs nothing. It ends with 1 and prints
why if the role does not work. Whether batches are really processed is for /readyz to say (docs/operations.md).
"""

import http.client
import sys
import time
from collections.abc import Callable
from pathlib import Path

WEB = ("127.0.0.1", 8000)
TIMEOUT_S = 5
BEAT_SCHEDULE = Path("/var/lib/backoffice/beat-schedule")
# Beat writes its schedule every three minutes.
BEAT_SILENT_S = 600
OK = 200
PROC = Path("/proc")


def web() -> str:
    """Why the web server does not answer; empty if it does."""
    connection = http.client.HTTPConnection(*WEB, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/livez")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"/livez: {error!r}"
    finally:
        connection.close()
    return "" if status == OK else f"/livez answered {status}"


def worker() -> str:
    """Why no batch can be processed; empty if the worker and at least one process of its pool are alive."""
    alive = sum(1 for words in _commands() if "celery" in words and "worker" in words)
    return "" if alive > 1 else f"{alive} worker processes: there must be the worker itself and a pool"


def beat() -> str:
    """Why beat counts as stuck; empty if it wrote its schedule recently."""
    written = [path.stat().st_mtime for path in BEAT_SCHEDULE.parent.glob(BEAT_SCHEDULE.name + "*")]
    if not written:
        return f"no {BEAT_SCHEDULE}"
    silent_s = time.time() - max(written)
    return "" if silent_s < BEAT_SILENT_S else f"{BEAT_SCHEDULE} is {silent_s:.0f} s old"


def _commands() -> list[list[str]]:
    """The command lines of all processes; those of zombies are empty."""
    found = []
    for path in PROC.glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_text().split("\0"))
        except OSError:
            continue  # it has just ended
    return found


CHECKS: dict[str, Callable[[], str]] = {"web": web, "worker": worker, "beat": beat}

if __name__ == "__main__":
    problem = CHECKS[sys.argv[1]]()
    if problem:
        sys.exit(problem)
