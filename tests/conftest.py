"""What every test may use: a whole running Back Office, and a database in which commits stay."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import pytest
from django.db import connections
from django.test.utils import setup_databases, teardown_databases
from pytest_django import DjangoDbBlocker

from backoffice.workbench.embedded.stack import Stack
from tests.clerk import Clerk
from tests.migrated import migrated
from tests.told import remember_secrets

CHECKOUT = Path(__file__).resolve().parent.parent
# A test that sees a time-out should not have to wait for a production one.
HURRY = {"BODY_TIMEOUT_S": "6", "ANSWER_TIMEOUT_S": "6", "GRANIAN_HTTP1_HEADER_READ_TIMEOUT": "6000"}
BROWSER_TILL = "http://till.example"
LOG_KEY = pytest.StashKey[Path]()
START_KEY = pytest.StashKey[int]()


class RunningStack:
    """A whole Back Office with servers of its own: web, worker and beat on a free port. `clerk` does its commands quickly."""

    def __init__(self, stack: Stack) -> None:
        self.base_url: str = stack.base_url
        self.environment: Mapping[str, str] = stack.environment
        self._stack = stack
        self.clerk = Clerk(stack.environment)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clerk.__exit__()

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of postgres, valkey, web, worker and beat, by these names."""
        return self._stack.pids

    def manage(self, command: str, *args: str, timeout_s: float = 120) -> str:
        """Runs a manage.py command against this stack; returns what it printed, and fails the test if it failed."""
        done = subprocess.run(
            [sys.executable, "manage.py", command, *args],
            env={**os.environ, **self.environment},
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, f"manage.py {command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        if command == "issue_activation_code":
            remember_secrets(done.stdout)
        return done.stdout

    def activation_code(self, store_code: str, terminal_name: str) -> str:
        """A code for a terminal, which is noted as a secret."""
        printed = self.clerk.does("issue_activation_code", store_code, terminal_name)
        remember_secrets(printed)
        return printed.splitlines()[-1]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[RunningStack]:
    """One stack for the whole run, its database empty at first; what it logs during a test is shown if the test fails."""
    folder = tmp_path_factory.mktemp("stack")
    pytestconfig.stash[LOG_KEY] = folder / "log"
    environment = {**HURRY, "CORS_ALLOWED_ORIGINS": BROWSER_TILL}
    with (
        (folder / "log").open("a") as log,
        Stack(migrated(folder / "data"), log=log, extra_environment=environment) as running,
        RunningStack(running) as ready,
    ):
        yield ready


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database, also for a run in which only `committed_db` asks for it: pytest-django would leave it out."""
    with django_db_blocker.unblock():
        databases = setup_databases(verbosity=0, interactive=False, aliases={"default"})
    yield
    with django_db_blocker.unblock():
        teardown_databases(databases, verbosity=0)


@pytest.fixture
def committed_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database without a transaction around the test, for tests that need commits or several connections.

    Nothing is cleaned up afterwards: the ledger refuses DELETE and TRUNCATE by design, so `transactional_db` cannot work here.
    A test that uses this makes stores of its own, and looks at nothing but them.
    """
    with django_db_blocker.unblock():
        try:
            yield
        finally:
            connections.close_all()


def log_size(config: pytest.Config) -> int:
    """How many bytes the stack has logged so far."""
    path = config.stash.get(LOG_KEY, None)
    return path.stat().st_size if path is not None and path.exists() else 0


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is marked `last` looks at what all others have left behind."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[START_KEY] = log_size(item.config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Adds the stack's own lines to the report of a failed test that used it."""
    report: pytest.TestReport = yield
    start = item.stash.get(START_KEY, 0)
    if report.failed and "stack" in getattr(item, "fixturenames", ()) and log_size(item.config) > start:
        with item.config.stash[LOG_KEY].open(errors="replace") as log:
            log.seek(start)
            report.sections.append(("log of the stack", log.read()))
    return report
