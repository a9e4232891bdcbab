"""Starts PostgreSQL and Valkey for the tests before Django's settings are read; `-p tests.servers` loads it first of all.

With DATABASE_URL and REDIS_URL set, those servers are used and nothing starts. The data folder stays in `var` from one run to
the next, which saves making it; a run that finds it taken by another uses one beside it.
"""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from backoffice.env import STACK_MARK, names_own_servers
from backoffice.workbench.embedded import StackError
from backoffice.workbench.embedded.stack import Stack

VAR = Path(__file__).resolve().parent.parent / "var"
MOST_RUNS_AT_ONCE = 16


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> Iterator[None]:
    """pytest-django reads the settings inside this hook; a wrapper runs before all that are none."""
    if not names_own_servers(os.environ) and not {"--help", "-h", "--version", "-V"}.intersection(args):
        stack = start_servers()
        early_config.add_cleanup(stack.stop)
        os.environ.update(stack.environment)
        os.environ[STACK_MARK] = str(stack.data_dir)
    return (yield)


def start_servers() -> Stack:
    """PostgreSQL and Valkey on the first data folder that no other run holds."""
    for number in count(1):
        folder = VAR / ("test" if number == 1 else f"test-{number}")
        folder.mkdir(parents=True, exist_ok=True)
        log = (folder / "log").open("a")
        stack = Stack(folder, roles=(), log=log)
        try:
            stack.start()
        except StackError as error:
            if "already running" not in str(error) or number == MOST_RUNS_AT_ONCE:
                raise pytest.UsageError(f"{error}\n(log: {folder / 'log'})") from error
        else:
            log.truncate(0)  # the runs before this one
            return stack
    raise AssertionError
