"""The service's own processes: how web, worker and beat are started, and whether the web server answers."""

import http.client
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backoffice.workbench.embedded.log import Log
from backoffice.workbench.embedded.ports import LOOPBACK
from backoffice.workbench.embedded.processes import Child

ROLES = ("web", "worker", "beat")
CHECKOUT = Path(__file__).resolve().parents[3]
SERVER_ERROR = 500
WEB_PROCESSES = "2"
# Warnings about what is intended here: static files come from their packages, and a developer may run the worker as root.
IGNORED_WARNINGS = "ignore:No directory at,ignore:You're running the worker with superuser privileges"


@dataclass(frozen=True)
class RoleOptions:
    """`workers` is the number of worker processes; `data_dir` has beat's schedule."""

    port: int
    workers: int
    data_dir: Path


def role_child(role: str, options: RoleOptions, *, log: Log, environment: Mapping[str, str]) -> Child:
    """The process of one role, not yet started."""
    celery = ["celery", "--app", "backoffice", "--quiet"]
    arguments = {
        "web": [
            *(
                "granian",
                "--interface",
                "rsgi",
                "--host",
                LOOPBACK,
                "--port",
                str(options.port),
                "--workers",
                WEB_PROCESSES,
            ),
            *("--loop", "uvloop", "--runtime-mode", "mt"),
            *(
                "--no-ws",
                "--backpressure",
                "2048",
                "--log-level",
                "warning",
                "--workers-kill-timeout",
                "3",
                "backoffice.rsgi:application",
            ),
        ],
        "worker": [
            *(*celery, "worker", "--pool", "prefork", "--concurrency", str(options.workers)),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ],
        "beat": [*celery, "beat", "--schedule", str(options.data_dir / "beat-schedule"), "--pidfile="],
    }
    return Child(
        name=role,
        command=[sys.executable, "-m", *arguments[role]],
        log=log,
        directory=CHECKOUT,
        environment={
            **{name: value for name, value in environment.items() if name != "SEAL_KEY_FILE" or role == "worker"},
            "BACKOFFICE_ROLE": role,
            "PYTHONUNBUFFERED": "1",
            # What is large is given back to the system as soon as it is free (ADR 32).
            "MALLOC_ARENA_MAX": "2",
            "MALLOC_MMAP_THRESHOLD_": "1048576",
            "PYTHONWARNINGS": IGNORED_WARNINGS,
        },
    )


def answers(port: int) -> bool:
    """Whether the web server takes requests: any answer from `/livez` counts, except an error of the server."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status < SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
