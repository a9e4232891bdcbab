"""Writing rows of several tables at once: by binary COPY where they are many, in one statement where they are few.

COPY is the fastest for a whole batch, but takes several round trips a table, and a live order would wait for each. The
few go as JSON into one prepared statement that inserts into all tables.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from itertools import chain, repeat
from struct import Struct
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import Copy, Pipeline, postgres
from psycopg.abc import AdaptContext, Buffer, PQGen
from psycopg.adapt import Dumper, PyFormat, Transformer
from psycopg.pq import Format
from psycopg.types.numeric import DecimalBinaryDumper

from backoffice.domain.wire.scalars import Scaled
from backoffice.failpoints import failpoint

FEW = 64
BYTES_BEGIN = r"\\x"  # bytea's own, with the backslash that an array's element needs

_encode = msgspec.json.Encoder(enc_hook=str).encode

Row = Sequence[Any]


class Shared:
    """The last columns of many rows of a table, the same in all of them; what a COPY takes of them is made once."""

    __slots__ = ("copied", "values")

    def __init__(self, values: Row) -> None:
        self.values = values
        self.copied: bytes | None = None


@lru_cache(maxsize=64)
def _days(day: date) -> int:
    """A date as PostgreSQL's binary form has it: days since 2000."""
    return day.toordinal() - date(2000, 1, 1).toordinal()


def _bytes_of(identifier: UUID) -> bytes:
    return identifier.bytes


# Of a type: the bytes of its binary form, how `struct` names it, and what makes it of a value.
FIXED: Mapping[str, tuple[int, str, Callable[[Any], Any] | None]] = {
    "int2": (2, "h", None),
    "int4": (4, "i", None),
    "int8": (8, "q", None),
    "date": (4, "i", _days),
    "uuid": (16, "16s", _bytes_of),
}
NULL = b"\xff\xff\xff\xff"
LENGTH = Struct("!i").pack
COPY_BEGINS = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_ENDS = b"\xff\xff"


class Table:
    """A table as it is written: its name, and its columns with their types, in the order of the rows.

    Values of `jsonb` columns are encoded already, as `msgspec.Raw`, those of `numeric` columns are `Scaled`; or None.
    Where the first `own` columns are given as those that differ from row to row, of `FIXED` types and never None, rows are
    these and one `Shared`.
    """

    def __init__(self, name: str, columns: Mapping[str, str], *, own: int | None = None) -> None:
        names = ", ".join(columns)
        definitions = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        self.name = name
        self.columns = tuple(columns)
        self.types = tuple(columns.values())
        self.own = own
        self._fixed = [FIXED[kind] for kind in self.types[:own]] if own is not None else []
        self._pack = Struct("!h" + "".join(f"i{form}" for _, form, _ in self._fixed)).pack
        self.copy = f"COPY {name} ({names}) FROM STDIN (FORMAT BINARY)"
        # The names are those of this program, never of a request.
        self.insert = (
            f"INSERT INTO {name} ({names}) SELECT {names} FROM jsonb_to_recordset(%s::jsonb) AS row ({definitions})"  # noqa: S608  # nosec B608
        )

    def write(self, copy: Copy, rows: Sequence[Row]) -> None:
        """Rows into a COPY of this table."""
        if self.own is not None:
            copy.write(self._binary(rows, copy.cursor))
            return
        copy.set_types(self.types)
        for row in rows:
            copy.write_row(row)

    def _binary(self, rows: Sequence[Row], context: AdaptContext) -> bytes:
        """All rows in COPY's binary form. Column by column a row costs two to six times less than in a loop."""
        *own, shared = zip(*rows, strict=True)
        fields: list[Iterable[Any]] = [repeat(len(self.columns))]
        for (width, _, convert), column in zip(self._fixed, own, strict=True):
            fields += [repeat(width), column if convert is None else map(convert, column)]
        encode = self._encoder(context)
        copied = [part.copied or encode(part) for part in shared]
        return b"".join(
            [COPY_BEGINS, *chain.from_iterable(zip(map(self._pack, *fields), copied, strict=True)), COPY_ENDS]
        )

    def _encoder(self, context: AdaptContext) -> Callable[[Shared], bytes]:
        types = self.types[self.own :]
        formats = [PyFormat.BINARY] * len(types)
        transformer = Transformer(context)
        transformer.set_dumper_types([postgres.types[kind].oid for kind in types], Format.BINARY)

        def encode(shared: Shared) -> bytes:
            dumped = transformer.dump_sequence(shared.values, formats)
            parts = [NULL if value is None else LENGTH(len(value)) + value for value in dumped]
            shared.copied = b"".join(parts)
            return shared.copied

        return encode

    def as_object(self, row: Row) -> dict[str, Any]:
        """A row by the names of its columns."""
        values = row if self.own is None else (*row[: self.own], *row[self.own].values)
        return dict(zip(self.columns, values, strict=True))


class _EncodedJson(Dumper):
    """JSON that is encoded already goes into a COPY as it stands, after the version of jsonb's binary form."""

    oid = postgres.types["jsonb"].oid
    format = Format.BINARY

    def dump(self, obj: msgspec.Raw) -> bytes:
        return b"\x01" + bytes(obj)


class _RememberedNumeric(Dumper):
    """Tills send the same few quantities and prices all day; psycopg takes as long for one as for ten integers.

    Two that are equal but spelled with more or fewer decimals are kept apart, as PostgreSQL does.
    """

    oid = postgres.types["numeric"].oid
    format = Format.BINARY
    most = 4096
    _remembered: ClassVar[dict[tuple[int, int, int], Buffer | None]] = {}

    def dump(self, obj: Scaled) -> Buffer | None:
        key = obj.scaled, obj.places, obj.decimals
        if (dumped := self._remembered.get(key)) is None:
            if len(self._remembered) >= self.most:
                self._remembered.clear()
            dumped = self._remembered[key] = DecimalBinaryDumper(Scaled).dump(obj)
        return dumped


class Update(NamedTuple):
    """A statement that goes with the rows, of a table that none of them is of; `parameters` by position."""

    statement: str
    parameters: Sequence[Any]


def uuid_array(values: Iterable[UUID]) -> str:
    """A parameter for `%s::uuid[]`. psycopg dumps lists element by element, which for 500 orders takes ten times longer."""
    return f"{{{','.join([value.hex for value in values])}}}"


def integer_array(values: Iterable[int | None]) -> str:
    """A parameter for `%s::bigint[]` or `%s::integer[]`; None is NULL."""
    return f"{{{','.join(['NULL' if value is None else str(value) for value in values])}}}"


def bytes_array(values: Iterable[bytes]) -> str:
    """A parameter for `%s::bytea[]`."""
    return f"{{{','.join([f'{BYTES_BEGIN}{value.hex()}' for value in values])}}}"


def write_rows(
    cursor: CursorWrapper, writes: Sequence[tuple[Table, Sequence[Row]]], update: Update | None = None
) -> None:
    """Writes rows: by COPY where they are many; tables after the last with many go into one statement, with `update`.

    Where no table has many rows, that is all of them.
    The tables stand in the order in which their keys allow. Raises what the database refuses; where it was a COPY, as
    psycopg's own error: `diag.constraint_name` names the broken rule.
    """
    writes = [(table, rows) for table, rows in writes if rows]
    few: list[tuple[Table, Sequence[Row]]] = []
    while writes and len(writes[-1][1]) <= FEW:
        few.insert(0, writes.pop())
    if writes:
        for dumper in (_EncodedJson, _RememberedNumeric):
            cursor.adapters.register_dumper(None, dumper)
    for table, rows in writes:
        with cursor.copy(table.copy) as copy:
            table.write(copy, rows)
        failpoint("process-between-tables")
    if few or update is not None:
        _insert(cursor, few, update)


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
    parameters: list[Any] = [_encode([table.as_object(row) for row in rows]).decode() for table, rows in writes]
    if update is not None:
        parts.append(update.statement)
        parameters += update.parameters
    *others, last = parts
    with_others = ", ".join(f"part_{place} AS ({part})" for place, part in enumerate(others))
    cursor.execute(f"WITH {with_others} {last}" if others else last, parameters)
