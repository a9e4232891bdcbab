"""The limit: the same rows by bare binary COPY, with no deduplication and nothing else, beside the measured run.

Two processes, a commit per 500 orders, the same tables with the same keys, constraints and triggers in a second
database on the same server.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import psycopg

from backoffice.embedded.stack import Stack
from tests.bench.books import Books

PROCESSES = 2
ORDERS_PER_COMMIT = 500
DATABASE = "bench_copy"

# In the order in which the keys between them allow; each with how its rows of a range of orders are found.
OF_ORDERS = "order_id BETWEEN %(first)s AND %(last)s"
OF_ENTRIES = (
    "{key} IN (SELECT entry_id FROM ledger_entrysource s JOIN sales_identity i ON i.item_id = s.source_id "
    "WHERE i.row_id BETWEEN %(first)s AND %(last)s)"
)
TABLES = {
    "sales_identity": "row_id BETWEEN %(first)s AND %(last)s",
    "sales_order": "id BETWEEN %(first)s AND %(last)s",
    "sales_orderline": OF_ORDERS,
    "sales_payment": OF_ORDERS,
    "ledger_journalentry": OF_ENTRIES.format(key="id"),
    "ledger_journalline": OF_ENTRIES.format(key="entry_id"),
}
Chunk = dict[str, bytes]


@dataclass(frozen=True)
class Copied:
    """What bare COPY did."""

    orders: int
    seconds: float

    @property
    def rate(self) -> float:
        """Orders a second."""
        return self.orders / self.seconds


def copy_bare(stack: Stack, books: Books, *, last_orders: int) -> Copied:
    """Reads the rows of the newest orders as binary, and copies them into a fresh database of the same schema."""
    chunks = _read_chunks(books.database_url, last_orders)
    target = _fresh_database(stack, books.database_url)
    shares = [chunks[start::PROCESSES] for start in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        list(pool.map(_touch, [target] * PROCESSES))
        began = time.perf_counter()
        list(pool.map(_copy_chunks, [target] * PROCESSES, shares))
        seconds = time.perf_counter() - began
    return Copied(last_orders, seconds)


def _read_chunks(database_url: str, last_orders: int) -> list[Chunk]:
    with psycopg.connect(database_url) as connection:
        ids = [
            row[0]
            for row in connection.execute(
                "SELECT id FROM sales_order ORDER BY id DESC LIMIT %s", [last_orders]
            ).fetchall()
        ][::-1]
        return [
            _read_chunk(connection, ids[start], ids[min(start + ORDERS_PER_COMMIT, len(ids)) - 1])
            for start in range(0, len(ids), ORDERS_PER_COMMIT)
        ]


def _read_chunk(connection: psycopg.Connection, first: int, last: int) -> Chunk:
    chunk = {}
    for table, condition in TABLES.items():
        statement = f"COPY (SELECT * FROM {table} WHERE {condition}) TO STDOUT (FORMAT BINARY)"
        with connection.cursor().copy(statement, {"first": first, "last": last}) as copy:
            chunk[table] = b"".join(bytes(part) for part in copy)
    return chunk


def _fresh_database(stack: Stack, database_url: str) -> str:
    target = database_url.rsplit("/", 1)[0] + f"/{DATABASE}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        connection.execute(f"CREATE DATABASE {DATABASE}")
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        env={**os.environ, **stack.environment, "DATABASE_URL": target},
        check=True,
    )
    return target


def _touch(database_url: str) -> None:
    """Starts the process, so that it is not timed."""
    with psycopg.connect(database_url):
        pass


def _copy_chunks(database_url: str, chunks: Sequence[Chunk]) -> None:
    with psycopg.connect(database_url) as connection:
        for chunk in chunks:
            for table, rows in chunk.items():
                with connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
                    copy.write(rows)
            connection.commit()
