"""`make bench-growth`: the same rate with ten million orders in the tables as with none, and everything still found at once.

Two services run side by side, one that is filled step by step and one that stays empty. At each size both take in the same
new orders over HTTP, in turns, so that whatever else this machine does slows both. Then the console's lists and pages and
the terminals' look-ups are timed on the full database, and their statements explained.
"""

import argparse
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit

import psycopg
from rich.console import Console

from backoffice.workbench.embedded import postgres
from backoffice.workbench.embedded.stack import Stack
from tests.bench.books import Books
from tests.bench.plot import DOCS, draw, write
from tests.bench.proof import Proved, row, table
from tests.bench.results import Run, add_json_option
from tests.bench.traffic import MORNING, Till, Traffic

STEPS = (0, 0.1, 0.5, 1)
# Orders in a batch, and how many batches make one measurement: a second or two of each.
BATCHES = {500: 60, 50: 200, 1: 400}
# Filling leaves out guards and keys, which only a superuser may; the service itself does nothing that an owner may not.
SUPERUSER = "CREATE ROLE {role} LOGIN SUPERUSER PASSWORD '{password}';\nCREATE DATABASE {database} OWNER {role};\n"
MOST_BYTES = 45 * 10**9
BEGIN = "<!-- measured: make bench-growth -->"
GIB = 1024**3


@dataclass
class Step:
    """What was measured at one size: rates in orders a second, by batch size, of the filled and the empty service."""

    orders: int = 0
    size: int = 0
    fill_s: float = 0.0
    proved: Proved | None = None
    full: dict[int, list[float]] = field(default_factory=dict)
    empty: dict[int, list[float]] = field(default_factory=dict)

    def ratio(self, batch: int) -> float:
        """Filled ÷ empty, medians."""
        return statistics.median(self.full[batch]) / statistics.median(self.empty[batch])


class Chain(Traffic):
    """Traffic of many tills, so that no shift grows beyond what a shift is: each is asked in its turn."""

    def __init__(self, service: "Service", *, clients: int, terminals: int) -> None:
        super().__init__(service.stack, clients=clients, terminals=0, books=service.books)
        tokens = service.run("tests.bench.fleet", "--terminals", str(terminals), "--code", "BUSY").split()
        client = http.client.HTTPConnection(urlsplit(service.stack.base_url).netloc)
        self._tills = [self._opened(client, token) for token in tokens]
        self._queue = cycle(self._tills)

    def _opened(self, client: http.client.HTTPConnection, token: str) -> Till:
        shift_id = str(uuid.uuid4())
        opening = {"number": 1, "opened_at": MORNING, "opening_float": 20000, "first_number": 1}
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        client.request("PUT", f"/api/v1/shifts/{shift_id}", json.dumps(opening).encode(), headers)
        answer = client.getresponse()
        answer.read()
        assert answer.status == 201, answer.status
        return Till(token, shift_id)

    def _turns(self) -> "Iterator[Till]":
        return self._queue


class Service:
    """A running stack with its tills."""

    def __init__(self, folder: Path, exits: ExitStack) -> None:
        log = exits.enter_context((folder.parent / f"{folder.name}.log").open("w"))
        self.stack = exits.enter_context(Stack(folder, log=log))
        self.books = Books(self.stack.environment["DATABASE_URL"])
        self.traffic = Chain(self, clients=2, terminals=240)

    def rate(self, batch: int, *, scale: float = 1.0) -> float:
        """Orders a second, end to end."""
        count = max(4, int(BATCHES[batch] * scale))
        if batch == 1:
            return self.traffic.send_live(rate_per_s=None, count=count).rate
        fresh, _ = self.traffic.send(size=batch, batches=count)
        return fresh.rate

    def posted(self) -> int:
        """How many orders of its tills are in the books."""
        with psycopg.connect(self.books.database_url) as connection:
            row = connection.execute(
                "SELECT count(*) FROM ledger_journalentry e JOIN fleet_store s ON s.id = e.store_id"
                " WHERE s.code LIKE 'BUSY-%' AND e.source_kind = 'order'"
            ).fetchone()
        return int(row[0]) if row else 0

    def run(self, module: str, *words: str) -> str:
        """Runs one of our programs on this service's database; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", module, *words],
            env={**os.environ, **self.stack.environment, "ALLOWED_HOSTS": "testserver"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout


def asked() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="make bench-growth", description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000_000, help="in the last step")
    parser.add_argument("--times", type=int, default=6, help="measurements at each size, of each service")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of batches of a measurement")
    parser.add_argument(
        "--folder", type=Path, default=None, help="where data is kept meanwhile (default: a temporary one)"
    )
    parser.add_argument(
        "--prove",
        action="store_true",
        help="also seal, balance and verify the books at each size: as long again, and more",
    )
    parser.add_argument("--write", action="store_true", help="put the results into docs/growth.md and its picture")
    add_json_option(parser)
    return parser.parse_args()


def main() -> int:
    """Runs it all. Exit code 1 where a rate is below 0.9 of the empty one, or something is found slowly."""
    options = asked()
    run = Run("bench-growth", options)
    say = Console(stderr=True).print
    began = time.monotonic()
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="backoffice-growth-", dir=options.folder)))
        folder.chmod(0o755)
        exits.enter_context(patch.object(postgres, "FIRST_STATEMENTS", SUPERUSER))
        say("Starting two services …")
        full, empty = Service(folder / "full", exits), Service(folder / "empty", exits)
        run.note_postgresql(full.books.database_url)
        steps = []
        for number, share in enumerate(STEPS):
            step = Step(orders=steps[-1].orders if steps else 0)
            if share:
                add = int(options.orders * share) - step.orders
                say(f"Filling {add:,} orders …")
                said = json.loads(full.run("tests.bench.fill", "--orders", str(add), "--code", f"G{number}"))
                say(
                    f"… {said['fill_s']} s, then {said['tidy_s']} s to vacuum and analyse; {said['bytes'] / GIB:.1f} GiB"
                )
                step.orders += said["orders"]
                step.size, step.fill_s = said["bytes"], said["fill_s"]
                options.orders = _affordable(step, options.orders, folder, say)
            if share and options.prove:
                say("Sealing, balancing, verifying …")
                step.proved = Proved(**json.loads(full.run("tests.bench.proof")))
                say(row(step.orders, step.proved))
            if share == STEPS[-1]:  # before today's tills have sold more in this last step than shops do in weeks
                say("Looking things up …")
                found = json.loads(full.run("tests.bench.console"))
            _measure(step, full, empty, times=options.times, scale=options.scale, say=say)
            steps.append(step)
        complete = all(service.posted() == service.traffic.sent for service in (full, empty))
    text = report(steps, found, minutes=(time.monotonic() - began) / 60)
    print(text)
    if options.write:
        write(text, BEGIN)
        picture = draw([(step.orders, {batch: step.ratio(batch) for batch in BATCHES}) for step in steps])
        (DOCS / "images" / "growth.svg").write_text(picture)
    run.write(figures(steps, found), is_complete=complete)
    if not complete:
        sys.stderr.write("Orders are missing in the books: the figures mean nothing.\n")
    return 0 if complete and flat(steps) and quick(found) else 1


def _affordable(step: Step, orders: int, folder: Path, say: object) -> int:
    """As many orders as there is room for, by what they have taken until now."""
    each = step.size / step.orders
    room = min(MOST_BYTES, step.size + shutil.disk_usage(folder).free * 0.8)
    if each * orders <= room:
        return orders
    most = int(room / each) // 100_000 * 100_000
    say(f"{each:,.0f} bytes an order: {orders:,} would not fit, {most:,} do.")  # type: ignore[operator]
    return most


def _measure(step: Step, full: Service, empty: Service, *, times: int, scale: float, say: object) -> None:
    for service in (full, empty):
        service.rate(500, scale=scale)  # caches and plans
    for batch in BATCHES:
        for turn in range(times):
            for service in (full, empty) if turn % 4 in {1, 2} else (empty, full):
                rates = step.full if service is full else step.empty
                rates.setdefault(batch, []).append(service.rate(batch, scale=scale))
        say(  # type: ignore[operator]
            f"{step.orders:>12,} orders, batches of {batch}: {statistics.median(step.full[batch]):,.0f}/s, "
            f"empty {statistics.median(step.empty[batch]):,.0f}/s, ratio {step.ratio(batch):.2f}"
        )


def flat(steps: list[Step]) -> bool:
    """Whether no size takes more than a tenth off the rate."""
    return all(step.ratio(batch) >= 0.9 for step in steps for batch in BATCHES)


def quick(found: list[dict]) -> bool:
    """Whether everything is found within half a second, without reading a growing table from end to end."""
    return all(_percentile(one["ms"], 95) < 500 and not one["scanned"] for one in found)


def _percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))]


def figures(steps: list[Step], found: list[dict]) -> dict[str, dict]:
    """What `report` tells, for a program."""
    told: dict[str, dict] = {}
    for share, step in zip(STEPS, steps, strict=True):
        figured: dict = {"orders": step.orders}
        told[f"filled to {share:.0%}"] = figured
        if step.orders:
            each = step.size / step.orders
            figured |= {"size_bytes": step.size, "order_bytes": each, "fill_s": step.fill_s}
        if step.proved is not None:
            figured |= step.proved.figures
        for batch in BATCHES:
            figured[f"batches of {batch}"] = {
                "filled_orders_per_s": statistics.median(step.full[batch]),
                "empty_orders_per_s": statistics.median(step.empty[batch]),
                "to_empty_ratio": step.ratio(batch),
            }
    for one in found:
        told[one["kind"]] = {
            "p50_ms": _percentile(one["ms"], 50),
            "p95_ms": _percentile(one["ms"], 95),
            "statements": one["statements"],
            "postgresql_ms": one["sql_ms"],
            "read_from_end_to_end": one["scanned"],
        }
    return told


def report(steps: list[Step], found: list[dict], *, minutes: float) -> str:
    """Two Markdown tables."""
    title = (
        f"`make bench-growth` on {os.cpu_count()} cores, {minutes:.0f} minutes. Orders a second, end to end: filled service / "
        "empty service beside it, medians, and their ratio."
    )
    lines = [
        title,
        "",
        "| orders in the tables | size | bytes an order | batches of 500 | ratio | batches of 50 | ratio | live, one by one | ratio |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for step in steps:
        each = f"{step.size / step.orders:,.0f}" if step.orders else ""
        rates = " | ".join(
            f"{statistics.median(step.full[batch]):,.0f} / {statistics.median(step.empty[batch]):,.0f} | **{step.ratio(batch):.2f}**"
            for batch in BATCHES
        )
        size = f"{step.size / GIB:.1f} GiB" if step.size else ""
        lines.append(f"| {step.orders:,} | {size} | {each} | {rates} |")
    if proved := [(step.orders, step.proved) for step in steps if step.proved is not None]:
        lines += ["", *table(proved)]
    lines += [
        "",
        f"Looked up with {steps[-1].orders:,} orders in the tables:",
        "",
        "| what | p50 ms | p95 ms | statements | of one answer in PostgreSQL, ms | read from end to end |",
        "|---|---:|---:|---:|---:|---|",
    ]
    lines += [
        f"| {one['kind']} | {_percentile(one['ms'], 50):.0f} | {_percentile(one['ms'], 95):.0f} | {one['statements']} | "
        f"{one['sql_ms']:.0f} | "
        f"{', '.join(one['scanned']) or '–'} |"
        for one in found
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
