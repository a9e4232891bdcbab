"""The database and broker of a stack: its own, or those that the operator named."""

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
    """`addresses` holds DATABASE_URL and REDIS_URL once started; `children` the processes, none for named servers."""

    def __init__(self, folder: Path, secrets: Mapping[str, str], *, log: Log, environment: Mapping[str, str]) -> None:
        self._postgres = Postgres(folder / "postgres", password=secrets["postgres_password"], log=log)
        self._valkey = Valkey(folder / "valkey", password=secrets["valkey_password"], log=log)
        self._environment = environment
        self.addresses: dict[str, str] = {}

    @property
    def children(self) -> list[Child]:
        """The embedded servers' processes, in the order in which they started."""
        return [child for child in (self._postgres.child, self._valkey.child) if child is not None]

    def start(self) -> None:
        """Starts the embedded servers, or takes the named ones. Raises StackError, also where only one is named."""
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
    """Starts a server, at most three times: another program may take the port first, and memory of a server that was killed
    is freed only when the last of its processes has noticed. Raises StackError.
    """
    for pause_s in PAUSES_S:
        try:
            server.start(free_port())
        except ServerNotStartedError:
            time.sleep(pause_s)
        else:
            return
    server.start(free_port())
