"""The database and broker of a stack: embedded ones, or those that the environment names."""

import time
from collections.abc import Mapping
from pathlib import Path

from backoffice.env import names_own_servers
from backoffice.workbench.embedded import ServerNotStartedError, StackError
from backoffice.workbench.embedded.log import Log
from backoffice.workbench.embedded.ports import free_port
from backoffice.workbench.embedded.postgres import Postgres
from backoffice.workbench.embedded.processes import Child
from backoffice.workbench.embedded.valkey import Valkey

PAUSES_S = (0.5, 2.0)


class Servers:
    """Once started, `addresses` has DATABASE_URL and REDIS_URL; `children` are the processes of embedded servers."""

    def __init__(self, folder: Path, secrets: Mapping[str, str], *, log: Log, environment: Mapping[str, str]) -> None:
        self._postgres = Postgres(folder / "postgres", password=secrets["postgres_password"], log=log)
        self._valkey = Valkey(folder / "valkey", password=secrets["valkey_password"], log=log)
        self._environment = environment
        self.addresses: dict[str, str] = {}

    @property
    def children(self) -> list[Child]:
        """The processes of embedded servers, in the order in which they started."""
        return [child for child in (self._postgres.child, self._valkey.child) if child is not None]

    def start(self) -> None:
        """Starts the embedded servers, or uses the named ones. Raises StackError, also if only one is named."""
        if names_own_servers(self._environment):
            named = {
                name: self._environment[name] for name in ("DATABASE_URL", "REDIS_URL") if self._environment.get(name)
            }
            if len(named) != 2:  # noqa: PLR2004
                raise StackError("Set both DATABASE_URL and REDIS_URL, or neither: only one of them is set.")
            self.addresses = named
            return
        start_with_retries(self._postgres)
        start_with_retries(self._valkey)
        self.addresses = {"DATABASE_URL": self._postgres.url, "REDIS_URL": self._valkey.url}

    def stop(self) -> None:
        """Ends Valkey, then PostgreSQL; named servers are left alone."""
        self._valkey.stop()
        self._postgres.stop()


def start_with_retries(server: Postgres | Valkey) -> None:
    """Starts a server, in up to three attempts. Raises StackError.

    Another program may take the port first, and the shared memory of a killed server is freed only when the last of its
    processes has noticed.
    """
    for pause_s in PAUSES_S:
        try:
            server.start(free_port())
        except ServerNotStartedError:
            time.sleep(pause_s)
        else:
            return
    server.start(free_port())
