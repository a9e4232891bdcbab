"""Writing rows of several tables: by binary COPY where they are many, in one statement where they are few.

COPY is the fastest for a whole batch, but takes several round trips a table, and a live order would wait for each. The
few go as JSON into one prepared statement that inserts into all tables.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import chain
from typing import Annotated, Any, NamedTuple, TypeAlias, get_args, get_type_hints
from uuid import UUID

import msgspec
from django.db.backends.utils import CursorWrapper

from backoffice.domain.scalars import Quantity, UnitPrice
from backoffice.failpoints import failpoint
from backoffice.postgres.binary import Row, encode_rows

FEW = 64

_encode_json = msgspec.json.Encoder(enc_hook=str).encode


Int2: TypeAlias = Annotated[int, "int2"]
Int4: TypeAlias = Annotated[int, "int4"]
Int8: TypeAlias = Annotated[int, "int8"]
Json: TypeAlias = Annotated[Any, "jsonb"]
"""Whatever msgspec encodes as JSON."""

SQL_TYPES: Mapping[Any, str] = {
    Int2: "int2",
    Int4: "int4",
    Int8: "int8",
    Json: "jsonb",
    Quantity: "numeric",
    UnitPrice: "numeric",
    UUID: "uuid",
    date: "date",
    datetime: "timestamptz",
    str: "text",
}


class Table:
    """A table as it is written: `row`, a NamedTuple, has its columns with their types, in the order of the rows."""

    def __init__(self, name: str, row: type[NamedTuple]) -> None:
        hints = get_type_hints(row, include_extras=True)
        self.name = name
        self.columns = tuple(hints)
        self.types = tuple(SQL_TYPES[_not_null(hint)] for hint in hints.values())
        names = ", ".join(self.columns)
        definitions = ", ".join(f"{column} {kind}" for column, kind in zip(self.columns, self.types, strict=True))
        # The names are those of this program, never of a request.
        self.copy = f"COPY {name} ({names}) FROM STDIN (FORMAT BINARY)"
        self.insert = (
            f"INSERT INTO {name} ({names}) SELECT {names} FROM jsonb_to_recordset(%s::jsonb) AS row ({definitions})"  # noqa: S608  # nosec B608
        )

    def as_object(self, row: Row) -> dict[str, Any]:
        """A row by the names of its columns."""
        return dict(zip(self.columns, row, strict=True))


def _not_null(hint: Any) -> Any:
    """The type of a column that may be NULL, or the hint itself."""
    if hint in SQL_TYPES:
        return hint
    (kind,) = [argument for argument in get_args(hint) if argument is not type(None)]
    return kind


Writes = Sequence[tuple[Table, Sequence[Sequence[Row]]]]
"""Rows by their table, tables in the order that their keys allow. Rows come in chunks, as a rule one for each batch."""


def many_and_few(writes: Writes) -> tuple[Writes, Writes]:
    """Splits writes: those to copy, and those after the last table with many rows, to insert. Empty ones are left out."""
    writes = [(table, chunks) for table, chunks in writes if any(chunks)]
    last = max((place for place, (_, chunks) in enumerate(writes, start=1) if sum(map(len, chunks)) > FEW), default=0)
    return writes[:last], writes[last:]


def copy_rows(cursor: CursorWrapper, writes: Writes) -> None:
    """Writes rows by COPY, table by table.

    Raises what the database refuses as psycopg's own error: `diag.constraint_name` names the broken rule.
    """
    for table, chunks in writes:
        with cursor.copy(table.copy) as copy:
            for data in encode_rows(chunks, table.types):
                copy.write(data)
        failpoint("process-between-tables")


def insert_rows(cursor: CursorWrapper, writes: Writes) -> None:
    """Writes rows of all tables in one statement: triggers and keys look at its end, when all of them are there."""
    if not writes:
        return
    *others, last = [table.insert for table, _ in writes]
    parameters = [
        _encode_json([*map(table.as_object, chain.from_iterable(chunks))]).decode() for table, chunks in writes
    ]
    with_others = ", ".join(f"part_{place} AS ({part})" for place, part in enumerate(others))
    cursor.execute(f"WITH {with_others} {last}" if others else last, parameters)


def write_rows(cursor: CursorWrapper, writes: Writes) -> None:
    """Writes rows, each table's the faster way. Raises as the two functions above do."""
    many, few = many_and_few(writes)
    copy_rows(cursor, many)
    insert_rows(cursor, few)
