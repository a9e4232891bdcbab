"""The whole run: a service of its own, tills, attackers, PostgreSQL's restart in the middle, and the count afterwards."""

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
from rich.console import Console

from backoffice.workbench.embedded.stack import Stack
from tests.bench.hostile.attacker import Task
from tests.bench.hostile.crowd import Crowd, Told
from tests.bench.hostile.peaks import Peaks
from tests.bench.hostile.report import figures, report
from tests.bench.hostile.restart import Restart, restart_postgresql
from tests.bench.hostile.strangers import STRANGERS
from tests.bench.hostile.terminals import TERMINALS
from tests.bench.hostile.tills import Noticed, Plan, play
from tests.bench.hostile.verdict import Limits, Night, broken_promises, count
from tests.bench.plot import write
from tests.bench.results import Run
from tests.caddy import BehindProxy
from tests.migrated import migrated

BEGIN = "<!-- measured: make storm --hostile -->"
CHECKOUT = Path(__file__).resolve().parents[3]
CONSOLE_USER = "everybody"
# Somebody who may see everything and decide nothing comes in by a password alone.
ENROL = """
from django.contrib.auth.models import Permission, User
reader = User.objects.create_user({name!r}, password={password!r}, is_staff=True)
reader.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
"""
APART = 5  # one terminal in so many attacks: of each store but one is well-behaved
SETTLES_S = 240.0
FEEDS = ("of an attacker's store", "of another store")
# What beat does each hour, once the far-off clocks have left something to do.
MAKE_MONTHS = "from backoffice.ingestion.tasks import months; months()"


class Cast(NamedTuple):
    """Tokens by what their terminals do."""

    offline: Sequence[str]
    live: Sequence[str]
    attackers: Sequence[str]


def add_hostile_options(parser: argparse.ArgumentParser) -> None:
    """Those of the hostile storm."""
    only = parser.add_argument_group("the hostile storm")
    only.add_argument("--hostile", action="store_true", help="one night, with attackers beside")
    only.add_argument("--live", type=int, default=20, help="terminals that sell live all the while (20)")
    only.add_argument("--live-every", type=float, default=2.0, metavar="SECONDS", help="and how often (2)")
    only.add_argument("--scale", type=float, default=1.0, help="of the attackers' rates and preparations (1)")
    only.add_argument(
        "--attack", action="append", choices=[*TERMINALS, *STRANGERS], help="this one only; may be repeated"
    )
    only.add_argument(
        "--patience", type=float, default=1.0, help="multiplies the limits of time: for a machine that is busy (1)"
    )
    only.add_argument("--no-restart", action="store_true", help="PostgreSQL is not restarted")


def hostile_storm(options: argparse.Namespace) -> int:
    """Exit code 1 where a promise is broken."""
    run = Run("storm", options)
    say = Console(stderr=True).print
    with tempfile.TemporaryDirectory(prefix="backoffice-hostile-") as name:
        night = spend_night(Path(name), options, note=run.note_postgresql, say=say)
    broken = broken_promises(night)
    text = report(night, options, broken)
    print(text)
    if options.write:
        write(text, BEGIN)
    run.write(figures(night), is_complete=not broken)
    return 1 if broken else 0


def spend_night(
    folder: Path,
    options: argparse.Namespace,
    *,
    note: Callable[[str], object] = len,
    say: Callable[[str], object] = len,
) -> Night:
    """What happened, and what stands in the tables afterwards. The service keeps its data in `folder`.

    `note` is told the database's address while there is one, `say` how far the night is.
    """
    folder.chmod(0o755)
    attacks = options.attack or [*TERMINALS, *STRANGERS]
    with ExitStack() as exits:
        log = exits.enter_context((folder / "log").open("w"))
        stack = exits.enter_context(BehindProxy(migrated(folder / "stack"), log=log))
        note(stack.environment["DATABASE_URL"])
        say(f"Enrolling {options.terminals:,} terminals, and the attackers' …")
        cast = _enrol(stack, options, attackers=[attack for attack in attacks if attack in TERMINALS])
        password = _create_user(stack)
        peaks = exits.enter_context(Peaks(lambda: stack.pids))
        ids_before = stack.pids
        tasks = _tasks(stack, options, attacks, cast, password)
        noticed, told, restart, drained_s = _storm(stack, options, cast, tasks, say)
        began = time.monotonic()
        left = _wait_until_processed(stack.environment["DATABASE_URL"])
        rest_s = time.monotonic() - began
        peaks.take_down()
        counted = count(stack.environment["DATABASE_URL"], noticed, waiting=left)
        say("Deriving the books again …")
        books = _run(stack, "manage.py", "verify_books", "--json").returncode == 0
        died = sorted(name for name, pid in stack.pids.items() if ids_before[name] != pid and name != "postgres")
    limits = Limits().with_patience(options.patience)
    return Night(
        noticed, told, peaks.by_role(), counted, restart, drained_s, rest_s, books=books, died=died, limits=limits
    )


def _enrol(stack: Stack, options: argparse.Namespace, *, attackers: Sequence[str]) -> Cast:
    many = options.terminals + len(attackers)
    done = _run(stack, "-m", "tests.bench.fleet", "--terminals", str(many), check=True)
    tokens = done.stdout.split()
    apart = max(1, min(APART, many // max(1, len(attackers))))
    hostile = tokens[: apart * len(attackers) : apart]
    good = [token for token in tokens if token not in set(hostile)]
    near = min(options.live, len(good)) // 2
    far = len(good) - (min(options.live, len(good)) - near)
    return Cast(good[near:far], [*good[:near], *good[far:]], hostile)


def _create_user(stack: Stack) -> str:
    password = secrets.token_urlsafe(16)
    _run(stack, "manage.py", "shell", "-c", ENROL.format(name=CONSOLE_USER, password=password), check=True)
    return password


def _tasks(stack: Stack, options: argparse.Namespace, attacks: Sequence[str], cast: Cast, password: str) -> list[Task]:
    tokens = iter(cast.attackers)
    # They are called back long before; should nobody be there to do so, they end all the same.
    seconds = options.within + 240
    common = Task("", _address(stack), seconds, options.scale, seed=options.seed, user=CONSOLE_USER, password=password)
    return [common._replace(attack=attack, token=next(tokens) if attack in TERMINALS else None) for attack in attacks]


def _storm(
    stack: Stack, options: argparse.Namespace, cast: Cast, tasks: Sequence[Task], say: Callable[[str], object]
) -> tuple[Noticed, list[Told], Restart | None, float]:
    watched = dict(zip(FEEDS, (cast.live[0], cast.live[-1]), strict=True)) if cast.live else {}
    plan = Plan(_address(stack), cast.offline, cast.live, watched, options.within, options.live_every, options.seed)
    with ThreadPoolExecutor(1) as patience, _tills(stack, plan) as tills, Crowd(tasks) as crowd:
        say("The attackers prepare themselves …")
        crowd.wait_until_prepared()
        assert tills.recv() == "ready"
        _run(stack, "manage.py", "shell", "--no-imports", "--command", MAKE_MONTHS, check=True, LOG_LEVEL="CRITICAL")
        say(f"{len(tasks)} attacks begin; shifts open; then all close within {options.within:g} s …")
        crowd.let_loose()
        tills.send("go")
        began_at = tills.recv()
        restart = None
        if not options.no_restart:
            time.sleep(max(0.0, began_at + options.within / 2 - time.monotonic()))
            say("PostgreSQL is killed …")
            restart = restart_postgresql(stack)
        last_at, shift_ids = tills.recv(), tills.recv()
        settling = patience.submit(_wait_until_settled, stack.environment["DATABASE_URL"], shift_ids)
        noticed: Noticed = tills.recv()
        told = crowd.call_back()
        say("Waiting until everything is processed …")
        return noticed, told, restart, max(0.0, settling.result() - last_at)


@contextmanager
def _tills(stack: Stack, plan: Plan) -> Iterator[Connection]:
    os.environ.update(stack.environment, DJANGO_SETTINGS_MODULE="backoffice.settings")
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=play, args=(plan, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        process.kill()
        process.join()
        ours.close()


def _wait_until_settled(database_url: str, shift_ids: Sequence[str]) -> float:
    """When the well-behaved tills' shifts were settled, or patience ended."""
    question = "SELECT count(*) FROM sales_shift WHERE shift_id = ANY(%s::uuid[]) AND state IN ('open', 'closing')"
    return _poll(database_url, question, [shift_ids])


def _wait_until_processed(database_url: str) -> int:
    """How many batches of anybody still waited when patience ended."""
    question = "SELECT count(*) FROM inbox_batch WHERE state NOT IN ('processed', 'failed')"
    _poll(database_url, question, [])
    with psycopg.connect(database_url) as connection:
        row = connection.execute(question).fetchone()
    return int(row[0]) if row else 0


def _poll(database_url: str, question: str, values: Sequence[Any]) -> float:
    deadline = time.monotonic() + SETTLES_S
    with psycopg.connect(database_url, autocommit=True) as connection:
        while time.monotonic() < deadline and connection.execute(question, values).fetchone() != (0,):
            time.sleep(0.05)
    return time.monotonic()


def _address(stack: Stack) -> str:
    return urlsplit(stack.base_url).netloc


def _run(stack: Stack, *words: str, check: bool = False, **extra: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "backoffice.settings", **stack.environment, **extra},
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
        check=check,
    )
