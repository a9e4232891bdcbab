"""`make bench`: how fast this machine takes in orders, end to end, beside what its PostgreSQL could do at most.

Starts servers of its own. Every line is measured in this one run: orders over HTTP with authentication, stored, told to
Celery, posted in the ledger, receipts written; then the very same rows by bare binary COPY into the same tables, with
their constraints, in other databases on the same server: from bytes made beforehand, and from Python's rows; then the
same orders again under new batch ids. All of it in turns, since a machine is faster at one time than at another.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from backoffice.workbench.embedded.stack import Stack
from tests.bench.books import Books
from tests.bench.copying import BareCopy, Copied
from tests.bench.traffic import Measured, Traffic

# Ten seconds of each, so that what PostgreSQL puts off (checkpoints, vacuums) falls into every measurement alike.
BATCHES = {1: 1_000, 50: 1_500, 500: 300}
TURNS = 3


def main() -> int:
    """Runs every measurement and prints one table. Exit code 1 if an order is missing in the books."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(BATCHES), help="orders per batch")
    parser.add_argument("--clients", type=int, default=2, help="connections that send batches at once")
    parser.add_argument("--live-clients", type=int, default=24, help="connections that send live orders at once")
    parser.add_argument("--terminals", type=int, default=24)
    parser.add_argument("--workers", type=int, default=3, help="worker processes")
    parser.add_argument("--times", type=float, default=1.0, help="scale the number of batches")
    options = parser.parse_args()
    progress = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="backoffice-bench-") as folder:
        log = (Path(folder) / "log").open("w")
        progress.print("Starting PostgreSQL, Valkey, web and workers …")
        Path(folder).chmod(0o755)
        with Stack(Path(folder) / "stack", workers=options.workers, log=log) as stack:
            books = Books(stack.environment["DATABASE_URL"])
            traffic = Traffic(
                stack,
                clients=options.clients,
                live_clients=options.live_clients,
                terminals=options.terminals,
                books=books,
            )
            # First, while PostgreSQL does not yet vacuum what the large batches leave behind.
            progress.print("Live orders, steady and as many as can be …")
            traffic.send_live(rate_per_s=None, count=500)  # connections are opened, and statements planned
            live = traffic.send_live(rate_per_s=100, seconds=30)
            most = traffic.send_live(rate_per_s=None, count=3_000)
            rows = []
            for size in options.sizes:
                batches = max(TURNS, int(BATCHES.get(size, 30_000 // size) * options.times))
                progress.print(f"Batches of {size}, and the same rows by bare COPY: {batches * size} orders …")
                copies = [BareCopy(stack, books, of_bytes=of_bytes) for of_bytes in (True, False)]
                turns = [take_turn(traffic, books, copies, size=size, batches=batches // TURNS) for _ in range(TURNS)]
                fresh, again, copied, written = zip(*turns, strict=True)
                rows.append(
                    (
                        size,
                        Measured.together(fresh),
                        Measured.together(again),
                        Copied.together(copied),
                        Copied.together(written),
                    )
                )
            complete = books.orders() == traffic.sent
    show(rows, live, most)
    if not complete:
        sys.stderr.write("Orders are missing in the books: the figures mean nothing.\n")
    return 0 if complete else 1


def take_turn(
    traffic: Traffic, books: Books, copies: Sequence[BareCopy], *, size: int, batches: int
) -> tuple[Measured, Measured, Copied, Copied]:
    """New orders, the same again, and their rows copied from bytes and from Python's values."""
    books.wait_until_tidy()
    fresh, orders = traffic.send(size=size, batches=batches)
    copied, written = (copy.copy(last_orders=fresh.orders) for copy in copies)
    return fresh, traffic.send_again(orders, size=size), copied, written


def show(rows: list[tuple[int, Measured, Measured, Copied, Copied]], live: Measured, most: Measured) -> None:
    """The table on stdout; each `ratio` is end to end ÷ the COPY before it, in turns of one run."""
    table = Table(
        title="Orders of 3 lines, 3 taxes and 1 payment; fsync on; client, web, workers and PostgreSQL share this machine"
    )
    for heading in (
        "batch",
        "orders",
        "orders/s",
        "bare COPY/s",
        "ratio",
        "of Python's rows/s",
        "ratio",
        "known again/s",
        "accept p50 ms",
        "accept p99 ms",
    ):
        table.add_column(heading, justify="right")
    for size, fresh, again, copied, written in rows:
        table.add_row(
            str(size),
            f"{fresh.orders:,}",
            f"{fresh.rate:,.0f}",
            f"{copied.rate:,.0f}",
            f"{fresh.rate / copied.rate:.2f}",
            f"{written.rate:,.0f}",
            f"{fresh.rate / written.rate:.2f}",
            f"{again.rate:,.0f}",
            f"{fresh.latency_ms(50):.1f}",
            f"{fresh.latency_ms(99):.1f}",
        )
    wide = Console(width=120)
    wide.print(table)
    wide.print(
        f"Live orders (batch of 1, Prefer: wait) at {live.rate:.0f} a second: answered with their outcome in "
        f"p50 {live.latency_ms(50):.1f} ms, p99 {live.latency_ms(99):.1f} ms; at saturation {most.rate:.0f} a second, "
        f"p50 {most.latency_ms(50):.1f} ms, p99 {most.latency_ms(99):.1f} ms."
    )


if __name__ == "__main__":
    sys.exit(main())
