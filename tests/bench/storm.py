"""`make storm`: two thousand terminals close their shifts within one minute; is every one heard, and is nothing lost?

Starts a service of its own. Each terminal was offline all day: at a moment of its own within the minute it connects, sends its
one or two batches, and declares the close. 429 and 503 are repeated as the protocol says, with the same identifiers. Then
everything is counted by SQL, and `verify_books` derives the books again. With `--hostile` attackers do their worst meanwhile:
see tests/bench/hostile.
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import urlsplit

import django
import psycopg
from rich.console import Console

from backoffice.workbench.embedded.stack import Stack
from tests.bench.evening import Evening, Message, make_evenings
from tests.bench.hostile.night import add_hostile_options, hostile_storm
from tests.bench.line import LOST, Line
from tests.bench.memory import Memory
from tests.bench.plot import write
from tests.bench.results import Run, add_json_option

GIVES_UP_S = 300.0
BEGIN = "<!-- measured: make storm -->"


@dataclass
class Heard:
    """What terminals were told: milliseconds of each answer that took a message in, and what had to be repeated."""

    batch_ms: list[float] = field(default_factory=list)
    close_ms: list[float] = field(default_factory=list)
    repeated: Counter[str] = field(default_factory=Counter)
    given_up: int = 0
    last_at: float = 0.0


async def tell(evening: Evening, address: str, began: float, heard: Heard) -> None:
    """Sends one terminal's messages, each until it is acknowledged."""
    await asyncio.sleep(max(0.0, began + evening.at_s - time.monotonic()))
    line = Line(address, evening.token)
    for message in evening.messages:
        if not await _until_taken(line, message, heard):
            heard.given_up += 1
            break
    line.close()
    heard.last_at = max(heard.last_at, time.monotonic() - began)


async def _until_taken(line: Line, message: Message, heard: Heard) -> bool:
    gives_up_at = time.monotonic() + GIVES_UP_S
    wait_s = 0.5
    while time.monotonic() < gives_up_at:
        sent_at = time.perf_counter()
        try:
            answer = await line.put(message.path, message.body)
            status, retry_after_s = answer.status, answer.retry_after_s
        except LOST as error:
            status, retry_after_s = 0, wait_s
            heard.repeated[type(error).__name__] += 1
        if status in {200, 201, 202}:
            taken = heard.close_ms if message.kind == "close" else heard.batch_ms
            taken.append((time.perf_counter() - sent_at) * 1000)
            return True
        if status not in {0, 429, 503}:
            raise RuntimeError(f"{status} on {message.path}")
        if status:
            heard.repeated[str(status)] += 1
        await asyncio.sleep(max(retry_after_s, wait_s) * random.uniform(1, 1.5))
        wait_s = min(wait_s * 2, 30)
    return False


def storm(address: str, tokens: Sequence[str], within_s: float, seed: int, day: int) -> tuple[Heard, int, int]:
    """Opens every shift, in peace; then the storm. What was heard, and how many orders and batches were sent."""
    evenings = list(make_evenings(tokens, within_s=within_s, seed=seed, day=day))

    async def run() -> Heard:
        mornings = Heard()
        for start in range(0, len(evenings), 20):
            some = evenings[start : start + 20]
            await asyncio.gather(*(_open(one, address, mornings) for one in some))
        heard = Heard()
        began = time.monotonic()
        await asyncio.gather(*(tell(evening, address, began, heard) for evening in evenings))
        return heard

    heard = asyncio.run(run())
    return heard, sum(len(one.order_ids) for one in evenings), sum(len(one.batch_ids) for one in evenings)


async def _open(evening: Evening, address: str, heard: Heard) -> None:
    line = Line(address, evening.token)
    assert await _until_taken(line, evening.opening, heard)
    line.close()


@dataclass
class Night:
    """One storm: what was sent, heard and held."""

    heard: Heard
    orders: int
    batches: int
    drained_s: float
    memory: Memory


def main() -> int:
    """Exit code 1 where a terminal was not heard, an order is missing or doubled, or a shift did not settle."""
    parser = argparse.ArgumentParser(prog="make storm", description=__doc__)
    parser.add_argument("--terminals", type=int, help="2000; 300 with --hostile")
    parser.add_argument("--within", type=float, metavar="SECONDS", help="60; 120 with --hostile")
    parser.add_argument(
        "--nights", type=int, default=2, help="storms one after the other: memory must not grow with each"
    )
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--write", action="store_true", help="put the results into docs/growth.md")
    add_hostile_options(parser)
    add_json_option(parser)
    options = parser.parse_args()
    if options.terminals is None:
        options.terminals = 300 if options.hostile else 2000
    if options.within is None:
        options.within = 120.0 if options.hostile else 60.0
    return hostile_storm(options) if options.hostile else _storms(options)


def _storms(options: argparse.Namespace) -> int:
    run = Run("storm", options)
    say = Console(stderr=True).print
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="backoffice-storm-")))
        folder.chmod(0o755)
        log = exits.enter_context((folder / "log").open("w"))
        stack = exits.enter_context(Stack(folder / "stack", log=log))
        environment = {**os.environ, **stack.environment}
        run.note_postgresql(environment["DATABASE_URL"])
        say(f"Enrolling {options.terminals:,} terminals …")
        enrol = [sys.executable, "-m", "tests.bench.fleet", "--terminals", str(options.terminals)]
        done = subprocess.run(enrol, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        os.environ.update(stack.environment, DJANGO_SETTINGS_MODULE="backoffice.settings")
        nights = []
        for day in range(1, options.nights + 1):
            say(f"Night {day}: shifts open; then all close within {options.within:g} s …")
            nights.append(_night(stack, done.stdout.split(), options, day))
        counted = count(environment["DATABASE_URL"])
        say("Deriving the books again …")
        verify = [sys.executable, "manage.py", "verify_books", "--json"]
        verified = subprocess.run(verify, env=environment, check=False, stdout=subprocess.DEVNULL)
    orders, batches = sum(night.orders for night in nights), sum(night.batches for night in nights)
    expected = Counted(batches, orders, orders, options.terminals * options.nights)
    text = report(options, nights, expected, counted, books=verified.returncode == 0)
    print(text)
    if options.write:
        write(text, BEGIN)
    unheard = sum(night.heard.given_up for night in nights)
    complete = counted == expected and not unheard and verified.returncode == 0
    run.write(figures(nights, expected, counted), is_complete=complete)
    return 0 if complete else 1


def _night(stack: Stack, tokens: list[str], options: argparse.Namespace, day: int) -> Night:
    address = urlsplit(stack.base_url).netloc
    with (
        Memory(stack.pids) as memory,
        ProcessPoolExecutor(1, get_context("spawn"), initializer=django.setup) as pool,
    ):
        heard, orders, batches = pool.submit(storm, address, tokens, options.within, options.seed, day).result()
        last = time.monotonic()
        _wait_until_settled(stack.environment["DATABASE_URL"], options.terminals * day)
        drained_s = time.monotonic() - last
    return Night(heard, orders, batches, drained_s, memory)


@dataclass(frozen=True)
class Counted:
    """What stands in the tables."""

    batches: int
    orders: int
    identities: int
    shifts: int


def count(database_url: str) -> Counted:
    """Processed batches, posted orders, what is remembered, and reconciled shifts."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM inbox_batch WHERE state = 'processed'),"
            " (SELECT count(*) FROM sales_order), (SELECT count(*) FROM sales_identity),"
            " (SELECT count(*) FROM sales_shift WHERE state = 'reconciled')"
        ).fetchone()
    assert row is not None
    return Counted(*row)


def _wait_until_settled(database_url: str, terminals: int) -> None:
    deadline = time.monotonic() + GIVES_UP_S
    with psycopg.connect(database_url, autocommit=True) as connection:
        while time.monotonic() < deadline:
            row = connection.execute(
                "SELECT (SELECT count(*) FROM inbox_batch WHERE state <> 'processed'),"
                " (SELECT count(*) FROM sales_shift WHERE state NOT IN ('open', 'closing'))"
            ).fetchone()
            if row == (0, terminals):
                return
            time.sleep(0.05)


def figures(nights: Sequence[Night], expected: Counted, counted: Counted) -> dict[str, dict]:
    """What `report` tells, for a program."""
    told: dict[str, dict] = {}
    for place, night in enumerate(nights, 1):
        heard, memory = night.heard, night.memory
        told[f"night {place}"] = {
            "orders": night.orders,
            "batches": night.batches,
            "batches_acknowledged": len(heard.batch_ms),
            "closes_acknowledged": len(heard.close_ms),
            "repeated": dict(sorted(heard.repeated.items())),
            **dict(zip(("batch_p50_ms", "batch_p99_ms", "batch_longest_ms"), _marks(heard.batch_ms), strict=True)),
            **dict(zip(("close_p50_ms", "close_p99_ms", "close_longest_ms"), _marks(heard.close_ms), strict=True)),
            "last_acknowledgement_s": heard.last_at,
            "settled_after_it_s": night.drained_s,
            **{
                name: {
                    "processes": memory.processes[name],
                    "before_mib": before,
                    "highest_mib": memory.peak[name],
                    "after_mib": memory.after[name],
                }
                for name, before in memory.before.items()
            },
        }
    return {**told, "in the tables": asdict(counted), "expected in the tables": asdict(expected)}


def report(
    options: argparse.Namespace, nights: Sequence[Night], expected: Counted, counted: Counted, *, books: bool
) -> str:
    """Markdown: a column per night."""
    title = (
        f"`make storm`, seed {options.seed}, {options.nights} nights: {options.terminals:,} terminals close within "
        f"{options.within:g} s each, on {os.cpu_count()} cores with the clients beside."
    )
    told: dict[str, Callable[[Night], str]] = {
        "orders, in batches": lambda night: f"{night.orders:,} in {night.batches:,}",
        "batches acknowledged": lambda night: f"{len(night.heard.batch_ms):,} of {night.batches:,}",
        "closes acknowledged": lambda night: f"{len(night.heard.close_ms):,} of {options.terminals:,}",
        "repeated": lambda night: _repeats(night.heard),
        "a batch is taken in: p50 / p99 / longest, ms": lambda night: _of(night.heard.batch_ms),
        "a close is taken in: p50 / p99 / longest, ms": lambda night: _of(night.heard.close_ms),
        "from the first possible message to the last acknowledgement, s": lambda night: f"{night.heard.last_at:.1f}",
        "after it, until all is processed and settled, s": lambda night: f"{night.drained_s:.1f}",
    }
    columns = "".join(f" night {place + 1} |" for place in range(len(nights)))
    lines = [title, "", f"| |{columns}", f"|---|{'---:|' * len(nights)}"]
    lines += [f"| {what} | {' | '.join(map(say, nights))} |" for what, say in told.items()]
    lines += [
        "",
        (
            f"In the tables afterwards: {counted.orders:,} orders of {expected.orders:,} sent, {counted.identities:,} remembered; "
            f"{counted.batches:,} of {expected.batches:,} batches processed; {counted.shifts:,} of {expected.shifts:,} shifts "
            f"reconciled. `verify_books`: {'no difference' if books else 'DIFFERENCES'}."
        ),
        "",
        f"| memory of, MiB | processes | before |{columns.replace('|', 'highest | after |')}",
        f"|---|---:|---:|{'---:|---:|' * len(nights)}",
    ]
    first = nights[0].memory
    lines += [
        f"| {name} | {first.processes[name]} | {before:.0f} | "
        + " | ".join(f"{night.memory.peak[name]:.0f} | {night.memory.after[name]:.0f}" for night in nights)
        + " |"
        for name, before in first.before.items()
    ]
    return "\n".join(lines)


def _repeats(heard: Heard) -> str:
    return ", ".join(f"{times} × {what}" for what, times in sorted(heard.repeated.items())) or "none"


def _of(values: Sequence[float]) -> str:
    return " / ".join(f"{ms:,.0f}" for ms in _marks(values))


def _marks(values: Sequence[float]) -> list[float]:
    """Median, 99th percentile and longest."""
    ordered = sorted(values) or [0.0]
    return [ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))] for share in (50, 99, 100)]


if __name__ == "__main__":
    sys.exit(main())
