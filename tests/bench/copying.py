"""The limit: the same rows by bare binary COPY, with no deduplication and nothing else, beside the measured run.

Two processes, a commit per 500 orders, the same tables with the same keys, constraints and triggers in a second
database on the same server. Twice: from bytes that were made before the clock started, which is what PostgreSQL can do,
and from rows of Python values, which is what a program in Python can do that does nothing else.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, NamedTuple

import psycopg
from psycopg import postgres
from psycopg.types.json import Jsonb

from backoffice.workbench.embedded.stack import Stack
from tests.bench.books import Books

PROCESSES = 2
ORDERS_PER_COMMIT = 500
JSONB = postgres.types["jsonb"].oid

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


class Rows(NamedTuple):
    """Rows of a table as Python values, with their types by oid."""

    types: Sequence[int]
    rows: Sequence[Sequence[Any]]


Chunk = dict[str, bytes | Rows]


@dataclass(frozen=True)
class Copied:
    """What bare COPY did."""

    orders: int
    seconds: float

    @classmethod
    def together(cls, turns: "Sequence[Copied]") -> "Copied":
        """What was copied in several turns, as one."""
        return cls(sum(turn.orders for turn in turns), sum(turn.seconds for turn in turns))

    @property
    def rate(self) -> float:
        """Orders a second."""
        return self.orders / self.seconds


class BareCopy:
    """A database like ours, empty at first, into which rows of ours are copied: from bytes, or from Python's values."""

    def __init__(self, stack: Stack, books: Books, *, of_bytes: bool) -> None:
        self._books = books
        self._read = _read_bytes if of_bytes else _read_rows
        self._database = _fresh_database(stack, books.database_url, name="bench_bytes" if of_bytes else "bench_rows")

    def copy(self, *, last_orders: int) -> Copied:
        """Reads the rows of the newest orders before the clock starts, and copies them."""
        chunks = _read_chunks(self._books.database_url, last_orders, self._read)
        shares = [chunks[start::PROCESSES] for start in range(PROCESSES)]
        self._books.wait_until_tidy()
        with get_context("spawn").Manager() as manager, ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
            gate = manager.Barrier(PROCESSES)
            began = min(pool.map(_copy_chunks, [self._database] * PROCESSES, shares, [gate] * PROCESSES))
            seconds = time.perf_counter() - began
        return Copied(last_orders, seconds)


def _read_chunks(database_url: str, last_orders: int, read: Callable[..., bytes | Rows]) -> list[Chunk]:
    with psycopg.connect(database_url) as connection:
        ids = [
            row[0]
            for row in connection.execute(
                "SELECT id FROM sales_order ORDER BY id DESC LIMIT %s", [last_orders]
            ).fetchall()
        ][::-1]
        return [
            _read_chunk(connection, ids[start], ids[min(start + ORDERS_PER_COMMIT, len(ids)) - 1], read)
            for start in range(0, len(ids), ORDERS_PER_COMMIT)
        ]


def _read_chunk(connection: psycopg.Connection, first: int, last: int, read: Callable[..., bytes | Rows]) -> Chunk:
    return {
        table: read(connection, f"SELECT * FROM {table} WHERE {condition}", {"first": first, "last": last})
        for table, condition in TABLES.items()
    }


def _read_bytes(connection: psycopg.Connection, select: str, ids: dict[str, int]) -> bytes:
    with connection.cursor().copy(f"COPY ({select}) TO STDOUT (FORMAT BINARY)", ids) as copy:
        return b"".join(bytes(part) for part in copy)


def _read_rows(connection: psycopg.Connection, select: str, ids: dict[str, int]) -> Rows:
    cursor = connection.execute(select, ids)
    types = [column.type_code for column in cursor.description or ()]
    json = [place for place, oid in enumerate(types) if oid == JSONB]
    rows = [list(row) for row in cursor.fetchall()]
    for row in rows:
        for place in json:
            row[place] = None if row[place] is None else Jsonb(row[place])
    return Rows(types, rows)


def _fresh_database(stack: Stack, database_url: str, *, name: str) -> str:
    target = database_url.rsplit("/", 1)[0] + f"/{name}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        env={**os.environ, **stack.environment, "DATABASE_URL": target},
        check=True,
    )
    return target


def _copy_chunks(database_url: str, chunks: Sequence[Chunk], gate: threading.Barrier) -> float:
    """Copies once every process is ready; when that was."""
    with psycopg.connect(database_url) as connection:
        gate.wait(timeout=120)
        began = time.perf_counter()
        for chunk in chunks:
            for table, rows in chunk.items():
                with connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
                    if isinstance(rows, bytes):
                        copy.write(rows)
                        continue
                    copy.set_types(rows.types)
                    for row in rows.rows:
                        copy.write_row(row)
            connection.commit()
    return began
