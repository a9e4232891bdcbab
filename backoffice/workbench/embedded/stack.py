"""The whole service under one supervisor: its servers, web, worker and beat, started in order and kept running."""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from backoffice.env import STACK_MARK
from backoffice.workbench.embedded import StackError
from backoffice.workbench.embedded.folder import DataFolder
from backoffice.workbench.embedded.leftovers import TOKEN, end_leftovers
from backoffice.workbench.embedded.log import Log
from backoffice.workbench.embedded.migrations import Migrations
from backoffice.workbench.embedded.ports import LOOPBACK, free_port, is_free
from backoffice.workbench.embedded.processes import Child
from backoffice.workbench.embedded.roles import CHECKOUT, ROLES, RoleOptions, answers, role_child
from backoffice.workbench.embedded.servers import Servers
from backoffice.workbench.embedded.watch import LONGEST_WAIT_S, Watch

READY_TIMEOUT_S = 60.0
STOP_ORDER = ("web", "beat", "worker", "valkey", "postgres")


class Stack:
    """Back Office on this machine, with embedded servers unless `environment` names others.

    `data_dir` keeps everything that must last, and belongs to one stack at a time. `port` is the web server's, 0 for any free
    one; `workers` the worker's processes (three keep two processors busy while one waits for the disk); `roles` which of web,
    worker and beat run (none: the servers alone, not migrated); `extra_environment` is added to what those roles inherit;
    `log` is where all output goes. A process that dies is started again, each time later, `longest_wait_s` at most.

    Start it, as a context manager or by `start()`, in a thread that lives as long as the stack: when that thread ends, so do
    the processes. `start()` returns when the service answers, and raises StackError, having stopped everything, when it cannot.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        port: int = 0,
        workers: int = 3,
        roles: Sequence[str] = ROLES,
        environment: Mapping[str, str] | None = None,
        extra_environment: Mapping[str, str] | None = None,
        log: TextIO | None = None,
        longest_wait_s: float = LONGEST_WAIT_S,
    ) -> None:
        self._folder = DataFolder(Path(data_dir))
        self._port = port
        self._workers = workers
        self._roles = tuple(roles)
        self._inherited = dict(os.environ if environment is None else environment)
        self._extra = dict(extra_environment or {})
        self._log = Log(log or sys.stderr)
        self._longest_wait_s = longest_wait_s
        self._servers: Servers | None = None
        self._watch: Watch | None = None
        self._children: list[Child] = []
        self.environment: dict[str, str] = {}

    @property
    def data_dir(self) -> Path:
        """The data folder's full path."""
        return self._folder.path

    @property
    def base_url(self) -> str:
        """The address of the console and the API, without a slash at its end."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each server and role that runs now, by its name."""
        return {child.name: child.pid for child in self._children if child.pid is not None}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Starts servers, migrates, starts the roles, waits until the web server answers. Raises StackError."""
        self._folder.acquire()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends everything in order: web and beat, the worker after its current task, Valkey, PostgreSQL."""
        self._folder.remove_addresses()
        if self._watch is not None:
            self._watch.stop()
        for child in sorted(self._children, key=lambda child: STOP_ORDER.index(child.name)):
            child.stop()
        if self._servers is not None:
            self._servers.stop()
        self._folder.release()

    def _start(self) -> None:
        secrets = self._folder.secrets()
        self._folder.remove_addresses()  # those of a stack that was killed
        end_leftovers(self._folder.path, token=secrets["token"])
        if self._port == 0:
            self._port = free_port()
        elif not is_free(self._port):
            raise StackError(f"Port {self._port} is in use by another program. Choose another with --port.")
        self._servers = Servers(self._folder.path, secrets, log=self._log, environment=self._inherited)
        self._servers.start()
        self._children = self._servers.children
        self.environment = {
            **self._servers.addresses,
            "BASE_URL": self.base_url,
            "SECRET_KEY": self._inherited.get("SECRET_KEY") or secrets["secret_key"],
            "SEAL_KEY_FILE": self._inherited.get("SEAL_KEY_FILE") or str(self._folder.seal_key()),
        }
        if self._roles:
            self._start_roles(self._servers, secrets["token"])
        else:
            self._folder.write_addresses(self.environment)
        self._watch = Watch(self._children, log=self._log, longest_wait_s=self._longest_wait_s)
        self._watch.start()

    def _start_roles(self, servers: Servers, token: str) -> None:
        environment = {**self._inherited, **self._extra, **self.environment, TOKEN: token}
        environment.pop(STACK_MARK, None)
        self._migrate(servers, environment)
        # Commands can work from here on. Whoever waits until the web server answers must find the addresses there.
        self._folder.write_addresses(self.environment)
        options = RoleOptions(port=self._port, workers=self._workers, data_dir=self._folder.path)
        environment.setdefault("METRICS_DIR", str(self._folder.make_metrics()))
        for role in self._roles:
            if role == "beat":
                self._wait_until_ready()  # nobody waits for beat, so it does not take the others' processor time
            child = role_child(role, options, log=self._log, environment=environment)
            self._children.append(child)
            child.start()
        self._wait_until_ready()

    def _migrate(self, servers: Servers, environment: Mapping[str, str]) -> None:
        migrations = Migrations(CHECKOUT, record=self._folder.path / "migrated")
        if servers.children:
            migrations.apply_if_needed(servers.addresses["DATABASE_URL"], environment, log=self._log)
        else:
            migrations.apply(environment, log=self._log)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        web_answers = "web" not in self._roles
        while not web_answers:
            for child in self._children:
                if ending := child.ending():
                    raise StackError(f"{child.name} {ending} before it was ready; its own words are in the log.")
            if time.monotonic() > deadline:
                raise StackError(f"The web server did not answer within {READY_TIMEOUT_S:g} s.")
            time.sleep(0.02)
            web_answers = answers(self._port)
