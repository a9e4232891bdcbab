"""Writing rows of several tables at once: by binary COPY where they are many, in one statement where they are few.

COPY is the fastest for a whole batch, but takes several round trips a table, and a live order would wait for each. The
few go as JSON into one prepared statement that inserts into all tables.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import Pipeline
from psycopg.abc import PQGen
from psycopg.types.json import Jsonb

from backoffice.failpoints import failpoint

FEW = 64

_encode = msgspec.json.Encoder(enc_hook=str).encode

Row = Sequence[Any]


class Table:
    """A table as it is written: its name, and its columns with their types, in the order of the rows.

    Values of `jsonb` columns are psycopg's `Jsonb`, or None.
    """

    def __init__(self, name: str, columns: Mapping[str, str]) -> None:
        names = ", ".join(columns)
        definitions = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        self.name = name
        self.columns = tuple(columns)
        self.types = tuple(columns.values())
        self.copy = f"COPY {name} ({names}) FROM STDIN (FORMAT BINARY)"
        # The names are those of this program, never of a request.
        self.insert = (
            f"INSERT INTO {name} ({names}) SELECT {names} FROM jsonb_to_recordset(%s::jsonb) AS row ({definitions})"  # noqa: S608  # nosec B608
        )


class Update(NamedTuple):
    """A statement that goes with the rows, of a table that none of them is of; `parameters` by position."""

    statement: str
    parameters: Sequence[Any]


def write_rows(
    cursor: CursorWrapper, writes: Sequence[tuple[Table, Sequence[Row]]], update: Update | None = None
) -> None:
    """Writes the rows of each table in one statement, and those of all tables in a single one where they are few.

    `update` is made in the same statement where there is a single one, and after the rows otherwise.
    The tables stand in the order in which their keys allow. Raises what the database refuses; where it was a COPY, as
    psycopg's own error: `diag.constraint_name` names the broken rule.
    """
    writes = [(table, rows) for table, rows in writes if rows]
    if writes and max(len(rows) for _, rows in writes) <= FEW:
        _insert(cursor, writes, update)
        return
    for table, rows in writes:
        with cursor.copy(table.copy) as copy:
            copy.set_types(table.types)
            for row in rows:
                copy.write_row(row)
        failpoint("process-between-tables")
    if update is not None:
        cursor.execute(*update)


class _EndsWithSync(Pipeline):
    """psycopg's own ends with Sync and then Flush, after which PostgreSQL does not count idle time until the next statement.

    A worker that froze there would hold its claim for ever, whatever idle_in_transaction_session_timeout says. Sync alone
    brings the results as well.
    """

    def _exit_gen(self) -> PQGen[None]:
        try:
            self._enqueue_sync()
            yield from self._communicate_gen()
        finally:
            yield from self._fetch_gen(flush=False)


@contextmanager
def pipelined() -> Iterator[None]:
    """Sends the statements within in one go. Results are there at its end; so is an error, at the latest."""
    link = connection.connection
    with connection.wrap_database_errors:
        link._pipeline = _EndsWithSync(link)  # noqa: SLF001 - psycopg has no other way to name its pipeline's class
        with link.pipeline():
            yield


def _insert(cursor: CursorWrapper, writes: Sequence[tuple[Table, Sequence[Row]]], update: Update | None) -> None:
    """Triggers and keys look at the end of the statement, when the rows of all tables are there."""
    parts = [table.insert for table, _ in writes]
    parameters: list[Any] = [_encode([_as_object(table, row) for row in rows]).decode() for table, rows in writes]
    if update is not None:
        parts.append(update.statement)
        parameters += update.parameters
    *others, last = parts
    with_others = ", ".join(f"part_{place} AS ({part})" for place, part in enumerate(others))
    cursor.execute(f"WITH {with_others} {last}" if others else last, parameters)


def _as_object(table: Table, row: Row) -> dict[str, Any]:
    values = ((value.obj if isinstance(value, Jsonb) else value) for value in row)
    return dict(zip(table.columns, values, strict=True))
