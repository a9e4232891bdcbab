"""Writing rows of one table in one statement: by binary COPY where they are many, from one JSON value where they are few.

COPY is the fastest for a whole batch, but takes several round trips and cannot be pipelined; a live order would wait
for each. The few go as one parameter of a prepared INSERT, which can.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg.pq import PipelineStatus
from psycopg.types.json import Jsonb

FEW = 64
FEW_MEMBERS = 8

_encode = msgspec.json.Encoder(enc_hook=str).encode


class Table:
    """A table as it is written: its name, and its columns with their types, in the order of the rows.

    Values of `jsonb` columns are psycopg's `Jsonb`, or None.
    """

    def __init__(self, name: str, columns: Mapping[str, str]) -> None:
        names = ", ".join(columns)
        definitions = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        self.columns = tuple(columns)
        self.types = tuple(columns.values())
        self.copy = f"COPY {name} ({names}) FROM STDIN (FORMAT BINARY)"
        # The names are those of this program, never of a request.
        self.insert = (
            f"INSERT INTO {name} ({names}) SELECT {names} FROM jsonb_to_recordset(%s::jsonb) AS row ({definitions})"  # noqa: S608
        )


def write_rows(cursor: CursorWrapper, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Writes rows in one statement. Errors of a COPY are psycopg's own: `diag.constraint_name` names the broken rule."""
    if not rows:
        return
    if len(rows) <= FEW or _is_pipelining():
        cursor.execute(table.insert, [_encode([_as_object(table, row) for row in rows]).decode()])
        return
    with cursor.copy(table.copy) as copy:
        copy.set_types(table.types)
        for row in rows:
            copy.write_row(row)


@contextmanager
def pipelined(*, members: int) -> Iterator[None]:
    """Sends the statements within in one go, where a batch of so many members is written without COPY.

    Nothing within may ask for a result. An error is raised at the end at the latest.
    """
    if members > FEW_MEMBERS:
        yield
        return
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def _is_pipelining() -> bool:
    return bool(connection.connection.info.pipeline_status != PipelineStatus.OFF)


def _as_object(table: Table, row: Sequence[Any]) -> dict[str, Any]:
    values = ((value.obj if isinstance(value, Jsonb) else value) for value in row)
    return dict(zip(table.columns, values, strict=True))
