"""`make bench`: how fast this machine takes in orders, end to end, beside what its PostgreSQL could do at most.

Starts servers of its own. Every line is measured in this one run: orders over HTTP with authentication, stored, told to
Celery, posted in the ledger, receipts written; then the very same rows by bare binary COPY into the same tables, with
their constraints, in other databases on the same server: from bytes made beforehand, and from Python's rows; then the
same orders again under new batch ids. All of it in turns, since a machine is faster at one time than at another.

Most shops sell the same things all day. One of the rows is a shop that weighs everything: none of its lines comes twice.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from backoffice.workbench.embedded.stack import Stack
from tests.bench.books import Books
from tests.bench.copying import BareCopy, Copied
from tests.bench.results import Run, add_json_option
from tests.bench.shop import MakeOrder, typical_order, weighing_shop
from tests.bench.traffic import Measured, Traffic

# Ten seconds of each, so that what PostgreSQL puts off (checkpoints, vacuums) falls into every measurement alike.
BATCHES = {1: 1_000, 50: 1_500, 500: 300}
WEIGHED_SIZE = 500
TURNS = 3
STEADY, SATURATED = "steady", "saturated"
STEADY_PER_S, STEADY_S = 100, 30
SATURATED_ORDERS = 3_000
# Headings of the table, with the figure below each and how it is written.
COLUMNS = (
    ("orders", "orders", ",.0f"),
    ("orders/s", "orders_per_s", ",.0f"),
    ("bare COPY/s", "bare_copy_orders_per_s", ",.0f"),
    ("ratio", "to_bare_copy_ratio", ".2f"),
    ("of Python's rows/s", "rows_copy_orders_per_s", ",.0f"),
    ("ratio", "to_rows_copy_ratio", ".2f"),
    ("known again/s", "known_again_orders_per_s", ",.0f"),
    ("accept p50 ms", "accept_p50_ms", ".1f"),
    ("accept p99 ms", "accept_p99_ms", ".1f"),
)

Figures = dict[str, dict[str, float]]
"""By row, then by name."""


class Kind(NamedTuple):
    """A row of the table: batches of one size, of one shop's orders."""

    name: str
    size: int
    batches: int
    make_order: MakeOrder


def main() -> int:
    """Runs every measurement and prints one table. Exit code 1 if an order is missing in the books."""
    options = parse()
    run = Run("bench", options)
    progress = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="backoffice-bench-") as folder:
        log = (Path(folder) / "log").open("w")
        progress.print("Starting PostgreSQL, Valkey, web and workers …")
        Path(folder).chmod(0o755)
        with Stack(Path(folder) / "stack", workers=options.workers, log=log) as stack:
            run.note_postgresql(stack.environment["DATABASE_URL"])
            books = Books(stack.environment["DATABASE_URL"])
            traffic = Traffic(
                stack,
                clients=options.clients,
                live_clients=options.live_clients,
                terminals=options.terminals,
                books=books,
            )
            # First, while PostgreSQL does not yet vacuum what the large batches leave behind.
            live = measure_live(traffic, options, progress)
            rows = {}
            for kind in kinds(options):
                progress.print(
                    f"Batches of {kind.name}, and the same rows by bare COPY: {kind.batches * kind.size} orders …"
                )
                rows[kind.name] = measure(kind, stack, traffic, books)
            complete = books.orders() == traffic.sent
    show(rows, live)
    run.write({**{f"batches of {name}": row for name, row in rows.items()}, **live}, is_complete=complete)
    if not complete:
        sys.stderr.write("Orders are missing in the books: the figures mean nothing.\n")
    return 0 if complete else 1


def parse() -> argparse.Namespace:
    """What to measure: all of it, or `--sizes 500 --no-weighed --live` for one row alone."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="*", default=list(BATCHES), metavar="N", help="orders per batch (none: no such row)"
    )
    parser.add_argument(
        "--weighed",
        action=argparse.BooleanOptionalAction,
        default=True,
        help=f"batches of {WEIGHED_SIZE} of a shop that weighs everything, so that every line is new",
    )
    parser.add_argument(
        "--live",
        nargs="*",
        default=[STEADY, SATURATED],
        choices=[STEADY, SATURATED],
        help="how live orders come (none: they do not)",
    )
    parser.add_argument("--clients", type=int, default=2, help="connections that send batches at once")
    parser.add_argument("--live-clients", type=int, default=24, help="connections that send live orders at once")
    parser.add_argument("--terminals", type=int, default=24)
    parser.add_argument("--workers", type=int, default=3, help="worker processes")
    parser.add_argument("--times", type=float, default=1.0, help="scale the number of batches and of live orders")
    add_json_option(parser)
    return parser.parse_args()


def kinds(options: argparse.Namespace) -> Iterator[Kind]:
    """The rows that were asked for."""

    def batches(size: int) -> int:
        return max(TURNS, int(BATCHES.get(size, 30_000 // size) * options.times))

    for size in options.sizes:
        yield Kind(str(size), size, batches(size), typical_order)
    if options.weighed:
        yield Kind(f"{WEIGHED_SIZE}, all weighed", WEIGHED_SIZE, batches(WEIGHED_SIZE), weighing_shop())


def measure_live(traffic: Traffic, options: argparse.Namespace, progress: Console) -> Figures:
    """Live orders, steady and as many as can be."""
    traffic.send_live(rate_per_s=None, count=500)  # connections are opened, and statements planned
    figures = {}
    if STEADY in options.live:
        progress.print(f"Live orders, {STEADY_PER_S} a second …")
        seconds = max(1, int(STEADY_S * options.times))
        figures["live, steady"] = live_figures(traffic.send_live(rate_per_s=STEADY_PER_S, seconds=seconds))
    if SATURATED in options.live:
        progress.print("Live orders, as many as can be …")
        count = max(100, int(SATURATED_ORDERS * options.times))
        figures["live, saturated"] = live_figures(traffic.send_live(rate_per_s=None, count=count))
    return figures


def live_figures(measured: Measured) -> dict[str, float]:
    """How many, and how long each waited for its outcome."""
    return {
        "orders": measured.orders,
        "orders_per_s": measured.rate,
        "outcome_p50_ms": measured.latency_ms(50),
        "outcome_p99_ms": measured.latency_ms(99),
    }


def measure(kind: Kind, stack: Stack, traffic: Traffic, books: Books) -> dict[str, float]:
    """One row, in turns; each ratio is end to end ÷ a COPY."""
    copies = [BareCopy(stack, books, of_bytes=of_bytes) for of_bytes in (True, False)]
    turns = [take_turn(kind, traffic, books, copies) for _ in range(TURNS)]
    news, agains, of_bytes, of_rows = zip(*turns, strict=True)
    fresh, again = Measured.together(news), Measured.together(agains)
    copied, written = Copied.together(of_bytes), Copied.together(of_rows)
    return {
        "orders": fresh.orders,
        "orders_per_s": fresh.rate,
        "bare_copy_orders_per_s": copied.rate,
        "to_bare_copy_ratio": fresh.rate / copied.rate,
        "rows_copy_orders_per_s": written.rate,
        "to_rows_copy_ratio": fresh.rate / written.rate,
        "known_again_orders_per_s": again.rate,
        "accept_p50_ms": fresh.latency_ms(50),
        "accept_p99_ms": fresh.latency_ms(99),
    }


def take_turn(
    kind: Kind, traffic: Traffic, books: Books, copies: Sequence[BareCopy]
) -> tuple[Measured, Measured, Copied, Copied]:
    """New orders, the same again, and their rows copied from bytes and from Python's values."""
    books.wait_until_tidy()
    fresh, orders = traffic.send(size=kind.size, batches=kind.batches // TURNS, make_order=kind.make_order)
    copied, written = (copy.copy(last_orders=fresh.orders) for copy in copies)
    return fresh, traffic.send_again(orders, size=kind.size), copied, written


def show(rows: Mapping[str, Mapping[str, float]], live: Mapping[str, Mapping[str, float]]) -> None:
    """The table on stdout, and a sentence for each way in which live orders came."""
    table = Table(
        title="Orders of 3 lines, 3 taxes and 1 payment; fsync on; client, web, workers and PostgreSQL share this machine"
    )
    for heading in ("batch", *(heading for heading, _, _ in COLUMNS)):
        table.add_column(heading, justify="right")
    for name, row in rows.items():
        table.add_row(name, *(format(row[figure], spelling) for _, figure, spelling in COLUMNS))
    wide = Console(width=136)
    if rows:
        wide.print(table)
    for name, row in live.items():
        wide.print(
            f"Live orders (batch of 1, Prefer: wait), {name.removeprefix('live, ')} at {row['orders_per_s']:.0f} a second: "
            f"answered with their outcome in p50 {row['outcome_p50_ms']:.1f} ms, p99 {row['outcome_p99_ms']:.1f} ms."
        )


if __name__ == "__main__":
    sys.exit(main())
