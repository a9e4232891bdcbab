"""A whole service to be treated badly: its processes by name, its database, its broker, and its full disk."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self, TextIO

import psycopg
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from backoffice.workbench.embedded.log import Log
from backoffice.workbench.embedded.processes import Child, wait_until
from backoffice.workbench.embedded.roles import CHECKOUT, ROLES, RoleOptions, answers, role_child
from backoffice.workbench.embedded.stack import Stack
from backoffice.workbench.embedded.watch import Watch
from tests.faults.people import NAMES
from tests.faults.stores import STORES, StoreFacts
from tests.migrated import migrated

# A supervisor that waits longer and longer would have the run wait for it.
LONGEST_WAIT_S = 0.4
# Beside the folder of the service.
JOURNALS = "journals"
BALLAST_STEPS = (64 << 20, 1 << 20, 1 << 12)
STARTED_WITHIN_S = 60.0
FOUND_FULL = b"No space left on device"
ISSUE_CODES = """
from django.utils import timezone
from backoffice.ingestion.stores import create_store, issue_activation_code
for code, zone, currency, included in {stores!r}:
    create_store(code=code, name=code, timezone=zone, currency=currency, prices_include_tax=included)
for code, name in {terminals!r}:
    print(issue_activation_code(store_code=code, terminal_name=name, now=timezone.now()))
"""
ENROL_PEOPLE = """
from django.contrib.auth.models import User
from backoffice.fleet.models import Store
for name in {names!r}:
    User.objects.create_superuser(name)
Store.objects.update(second_person_above={above})
"""
# In minor units: some of what is decided takes two people.
SECOND_PERSON_ABOVE = 4000

Companions = Callable[["Service"], Sequence[Child]]


def no_companions(_: "Service") -> Sequence[Child]:
    """The stack's own processes are all there is."""
    return ()


class Service:
    """A stack with `roles`, and further processes that this harness looks after.

    `wal_disk`, a mounted file system of its own, takes PostgreSQL's write-ahead log, so that it can be full.
    """

    def __init__(
        self,
        folder: Path,
        *,
        roles: Sequence[str] = ROLES,
        companions: Companions = no_companions,
        wal_disk: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # PostgreSQL may have to run as nobody
        self.folder = folder
        self.log_path = folder / "log"
        self.log: TextIO = self.log_path.open("a")
        self._wal_disk = wal_disk
        self._log_read = self._found_full = 0
        self._companions = companions
        self._children: Sequence[Child] = ()
        self._watch: Watch | None = None
        self._extra = dict(environment or {})
        self._roles = roles
        self.stack = self._new_stack(roles)

    @property
    def port(self) -> int:
        return int(self.stack.base_url.rpartition(":")[2])

    @property
    def database_url(self) -> str:
        return self.stack.environment["DATABASE_URL"]

    def __enter__(self) -> Self:
        data = self.folder / "data"
        if self._roles and not data.exists():  # a naive queue has tables of its own
            migrated(data)
        if self._wal_disk is not None:
            self._move_wal(self._wal_disk)
        self.stack.start()
        self._children = self._companions(self)
        for child in self._children:
            child.start()
        self._watch = Watch(self._children, log=Log(self.log), longest_wait_s=LONGEST_WAIT_S)
        self._watch.start()
        if not wait_until(lambda: answers(self.port), timeout_s=STARTED_WITHIN_S):
            raise RuntimeError(f"nothing answers on port {self.port}; see {self.log_path}")
        return self

    def __exit__(self, *_: object) -> None:
        if self._watch is not None:
            self._watch.stop()
        for child in self._children:
            child.stop()
        self.stack.stop()
        if self._wal_disk is not None:
            self._bring_wal_back(self._wal_disk)

    def child(self, role: str, name: str, *, change: str = "") -> Child:
        """A process of a role beside the stack's own, doctored where `change` says so; not started."""
        options = RoleOptions(port=self.port, workers=1, data_dir=self.folder)
        environment = {**os.environ, **self._extra, **self.stack.environment}
        child = role_child(role, options, log=Log(self.log), environment=environment)
        child.name = name
        if change:
            python, _, *words = child.command
            child.command = [python, "-m", "tests.faults.doctored", change, *words]
        return child

    def program(self, name: str, *words: str, **environment: str) -> Child:
        """Another Python module as a process of this service; not started."""
        return Child(
            name=name,
            command=[sys.executable, "-m", *words],
            log=Log(self.log),
            directory=CHECKOUT,
            environment={**os.environ, **self._extra, **self.stack.environment, **environment},
        )

    def processes(self) -> dict[str, list[int]]:
        """The process ids that run now, by what they are; `… process` are those that the named one started."""
        mains = self.stack.pids | {child.name: child.pid for child in self._children if child.pid is not None}
        if "postgres" in mains:
            mains["postmaster"] = mains.pop("postgres")
        found: dict[str, list[int]] = {}
        for name, pid in mains.items():
            found[name] = [pid]
            if name in {"web", "worker", "postmaster"}:
                found[f"{name} process"] = children_of(pid)
        return found

    def activation_codes(self, names: Sequence[str], *, stores: Sequence[StoreFacts] = STORES) -> list[tuple[str, str]]:
        """Opens the stores and gives a code to each named terminal, in turn over the stores: (store, code)."""
        terminals = [(stores[number % len(stores)][0], name) for number, name in enumerate(names)]
        printed = self.manage("shell", "-c", ISSUE_CODES.format(stores=stores, terminals=terminals))
        codes = printed.split()[-len(names) :]
        return [(store, code) for (store, _), code in zip(terminals, codes, strict=True)]

    def enrol_people(self) -> None:
        """Makes those known who decide, and what takes two of them, once the stores are open."""
        self.manage("shell", "-c", ENROL_PEOPLE.format(names=NAMES, above=SECOND_PERSON_ABOVE))

    def manage(self, *words: str) -> str:
        """Runs a command of the installation; what it printed, whatever its exit code."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            env={**os.environ, **self.stack.environment},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        if not done.stdout and done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    def broker(self) -> Redis:
        """Asked once and briefly: it may be frozen."""
        url, once = self.stack.environment["REDIS_URL"], Retry(NoBackoff(), 0)
        return Redis.from_url(url, socket_timeout=0.3, socket_connect_timeout=0.3, retry=once)

    def waiting(self) -> int:
        """Batches that are accepted and not worked on; those that failed wait too, for ten minutes each time."""
        with psycopg.connect(self.database_url, connect_timeout=5) as connection:
            row = connection.execute("SELECT count(*) FROM inbox_batch WHERE state <> 'processed'").fetchone()
        return int(row[0]) if row else 0

    def idle(self, *, timeout_s: float) -> bool:
        """Waits until nothing waits; whether that came in time."""
        return wait_until(lambda: self.waiting() == 0, timeout_s=timeout_s, interval_s=0.2)

    # -- the full disk

    @property
    def can_fill_disk(self) -> bool:
        return self._wal_disk is not None

    def fill_disk(self) -> None:
        """Takes all that is left on the disk of the write-ahead log."""
        assert self._wal_disk is not None
        with (self._wal_disk / "ballast").open("wb") as ballast:
            for step in BALLAST_STEPS:
                with suppress(OSError):  # that much is not left
                    while True:
                        os.posix_fallocate(ballast.fileno(), os.fstat(ballast.fileno()).st_size, step)

    def free_disk(self) -> None:
        if self._wal_disk is not None:
            (self._wal_disk / "ballast").unlink(missing_ok=True)

    def times_full(self) -> int:
        """How often PostgreSQL has complained of a full disk."""
        with self.log_path.open("rb") as log:
            log.seek(self._log_read)
            whole, newline, _ = log.read().rpartition(b"\n")
        self._log_read += len(whole) + len(newline)
        self._found_full += sum(line.startswith(b"postgres") and FOUND_FULL in line for line in whole.splitlines())
        return self._found_full

    def _move_wal(self, disk: Path) -> None:
        """PostgreSQL's data is made by a first start; then its log moves to the other disk."""
        with self._new_stack(()):
            pass
        wal = self.folder / "data" / "postgres" / "pg_wal"
        subprocess.run(["cp", "-a", f"{wal}/.", str(disk)], check=True)
        subprocess.run(["chown", "--reference", str(wal), str(disk)], check=True)
        disk.chmod(0o700)
        subprocess.run(["rm", "-r", str(wal)], check=True)
        wal.symlink_to(disk)
        # Every 16 MB need new space, rather than a file that was used before: so a full disk is noticed.
        with (wal.parent / "postgresql.conf").open("a") as settings:
            settings.write("wal_recycle = off\n")

    def _bring_wal_back(self, disk: Path) -> None:
        """So that the data can be looked at when that disk is gone."""
        wal = self.folder / "data" / "postgres" / "pg_wal"
        wal.unlink()
        subprocess.run(["cp", "-a", str(disk), str(wal)], check=True)

    def _new_stack(self, roles: Sequence[str]) -> Stack:
        own = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        return Stack(
            self.folder / "data",
            roles=roles,
            environment=own,
            extra_environment=self._extra,
            log=self.log,
            longest_wait_s=LONGEST_WAIT_S,
        )


def with_the_others(service: Service, *, seed: str = "1") -> Sequence[Child]:
    """A second worker, on a machine whose clock is two hours ahead; and head office, which counts what is closed blind and
    decides what is left to people.
    """
    folder = str(service.folder.parent / JOURNALS)
    head_office = service.program("head office", "tests.faults.head_office", "--journals", folder)
    people = [
        service.program(name, "tests.faults.people", "--journals", folder, "--name", name, "--seed", seed)
        for name in NAMES
    ]
    return [service.child("worker", "worker ahead", change="clock-ahead"), head_office, *people]


def children_of(pid: int) -> list[int]:
    """The processes that a process started; none where it has gone."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
