"""What is encoded for a COPY is what PostgreSQL reads, for every type, NULL, and any mixture of values."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.domain.scalars import MAX_MINOR, Quantity, Rate
from backoffice.postgres.binary import encode_rows
from backoffice.postgres.copy import Int2, Int4, Int8, Json, Table, copy_rows, insert_rows, many_and_few

# PostgreSQL's text holds neither U+0000 nor lone surrogates; such orders are held before anybody writes them.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
moments = st.datetimes(
    datetime(1999, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9))]),
)
quantities = st.tuples(st.integers(-MAX_MINOR, MAX_MINOR), st.text("0123456789", max_size=4)).map(
    lambda parts: Quantity(f"{parts[0]}.{parts[1]}" if parts[1] and abs(parts[0]) < MAX_MINOR else str(parts[0]))
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int2": st.integers(-(2**15), 2**15 - 1),
    "int4": st.integers(-(2**31), 2**31 - 1),
    "int8": st.integers(-(2**63), 2**63 - 1),
    "text": texts,
    "uuid": st.uuids(),
    "date": st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    "timestamptz": moments,
    "jsonb": st.dictionaries(texts, st.integers(-9, 9), max_size=2),
    "numeric": quantities,
}


def copied(rows: Sequence[Sequence[Any]], types: Sequence[str]) -> list[tuple[Any, ...]]:
    """The rows as PostgreSQL has them after the COPY, in their order."""
    columns = ", ".join(f"c{place} {kind}" for place, kind in enumerate(types))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE copied (row_number serial, {columns})")
        names = ", ".join(f"c{place}" for place in range(len(types)))
        with cursor.copy(f"COPY copied ({names}) FROM STDIN (FORMAT BINARY)") as copy:
            for data in encode_rows([rows[:3], [], rows[3:]], types):
                copy.write(data)
        # Its text says what the columns are, so that no plan of other ones is used.
        cursor.execute(f"SELECT {names} FROM copied ORDER BY row_number -- {columns}")
        rows = cursor.fetchall()
        cursor.execute("DROP TABLE copied")
        return rows


def expected(value: Any) -> Any:
    return Decimal(value) if isinstance(value, Quantity) else value


def read_back(value: Any, kind: str) -> Any:
    return msgspec.json.decode(value) if kind == "jsonb" and isinstance(value, str) else value


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_type_arrives_as_it_was(data: st.DataObject):
    types = data.draw(st.permutations(list(VALUES)))
    row = st.tuples(*(st.none() | VALUES[kind] for kind in types))
    rows = data.draw(st.lists(row, min_size=1, max_size=10))
    rows += data.draw(st.lists(st.sampled_from(rows), max_size=3))
    found = [[read_back(value, kind) for value, kind in zip(row, types, strict=True)] for row in copied(rows, types)]
    assert found == [[expected(value) for value in row] for row in rows]


@pytest.mark.django_db
def test_a_column_that_is_one_value_throughout_is_that_value_in_every_row():
    one = UUID(int=7)
    assert copied([(one, None)] * 5, ["uuid", "text"]) == [(one, None)] * 5


def test_decimals_of_another_scale_are_refused():
    with pytest.raises(ValueError, match="4 places"):
        list(encode_rows([[(Rate("0.2"),), (Rate("0.3"),)]], ["numeric"]))


class Row(NamedTuple):
    """A row of a table that there is not."""

    small: Int2
    usual: Int4 | None
    large: Int8
    said: Json | None
    name: str


def test_a_table_is_what_its_row_says():
    table = Table("things", Row)
    assert (table.columns, table.types) == (Row._fields, ("int2", "int4", "int8", "jsonb", "text"))


def test_few_rows_after_the_last_many_are_inserted_and_the_rest_copied():
    one, two, three, none = (Table(name, Row) for name in ("one", "two", "three", "none"))
    many, few = [[(1, 1, 1, None, "")] * 33] * 2, [[(1, 1, 1, None, "")]]
    assert many_and_few([(one, few), (none, [[]]), (two, many), (three, few)]) == (
        [(one, few), (two, many)],
        [(three, few)],
    )
    assert many_and_few([(one, few), (two, few)]) == ([], [(one, few), (two, few)])


@pytest.mark.django_db
def test_copied_and_inserted_rows_are_alike():
    table, rows = Table("alike", Row), [(1, None, -5, {"a": "é\n"}, "é"), (2, 3, 2**40, None, "")]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE alike (small int2, usual int4, large int8, said jsonb, name text) ON COMMIT DROP"
        )
        copy_rows(cursor, [(table, [rows])])
        insert_rows(cursor, [(table, [rows])])
        cursor.execute("SELECT count(*), small, usual, large, said, name FROM alike GROUP BY 2, 3, 4, 5, 6 ORDER BY 2")
        assert [row[0] for row in cursor.fetchall()] == [2, 2]
