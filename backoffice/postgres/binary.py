"""Rows in the binary form that COPY takes (PostgreSQL's manual, "COPY", "Binary Format").

Column by column rather than value by value: what is the same in all rows is encoded once, and what differs by functions
of C. psycopg's `write_row` takes a Python call for each date, time, UUID and JSON.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import chain, repeat
from struct import Struct
from typing import Any, TypeAlias
from uuid import UUID

from backoffice.domain.scalars import Scaled

Row: TypeAlias = Sequence[Any]
Encoder: TypeAlias = Callable[[Sequence[Any]], Iterable[bytes]]
"""From the values of a column, none of them NULL, to their fields: each its length and its data."""

_BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_length = Struct("!i").pack
_columns = Struct("!h").pack
_day, _moment = Struct("!ii").pack, Struct("!iq").pack
_numeric_head, _digit, _two_digits = Struct("!ihhHH").pack, Struct("!h").pack, Struct("!ihhHHhh").pack
_FIRST_DAY = date(2000, 1, 1).toordinal()
_FIRST_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
_NEGATIVE = 0x4000
_DIGIT, _DECIMALS = 10_000, 4


def encode_rows(rows: Sequence[Row], types: Sequence[str]) -> bytes:
    """All of the COPY's data. `types` are those of `ENCODERS`, one for each column; None is NULL.

    Values of `jsonb` columns are encoded already, as bytes or `msgspec.Raw`; those of `numeric` columns are `Scaled`.
    """
    fields = [
        _encode_column(column, ENCODERS[kind]) for column, kind in zip(zip(*rows, strict=True), types, strict=True)
    ]
    counts = repeat(_columns(len(types)), len(rows))
    return b"".join([_BEGIN, *chain.from_iterable(zip(counts, *fields, strict=False)), _END])


def _encode_column(column: Sequence[Any], encode: Encoder) -> Iterable[bytes]:
    first = column[0]
    if all(value is first for value in column):
        return repeat(_NULL if first is None else next(iter(encode([first]))), len(column))
    if None not in column:
        return encode(column)
    present = iter(encode([value for value in column if value is not None]))
    return [_NULL if value is None else next(present) for value in column]


def _texts(column: Sequence[str]) -> Iterable[bytes]:
    known = {text: _with_length(text.encode()) for text in set(column)}
    return map(known.__getitem__, column)


def _with_length(data: bytes) -> bytes:
    return _length(len(data)) + data


def _uuids(column: Sequence[UUID]) -> Iterable[bytes]:
    return [b"\0\0\0\x10" + value.bytes for value in column]


def _dates(column: Sequence[date]) -> Iterable[bytes]:
    return [_day(4, value.toordinal() - _FIRST_DAY) for value in column]


def _moments(column: Sequence[datetime]) -> Iterable[bytes]:
    """Microseconds since the year 2000."""
    spans = [value - _FIRST_MOMENT for value in column]
    return [_moment(8, (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds) for span in spans]


def _json(column: Sequence[Any]) -> Iterable[bytes]:
    """After the version of jsonb's binary form."""
    return [_length(1 + len(value)) + b"\x01" + bytes(value) for value in column]


def _decimals(column: Sequence[Scaled]) -> Iterable[bytes]:
    return list(map(_decimal, column))


def _decimal(value: Scaled) -> bytes:
    """Digits to the base of 10 000, the highest first: of what has four decimals, the last is the fraction."""
    if value.decimals != _DECIMALS:
        raise ValueError(f"Only decimals with {_DECIMALS} places are written")
    sign = _NEGATIVE if value.scaled < 0 else 0
    whole, fraction = divmod(abs(value.scaled), _DIGIT)
    if whole < _DIGIT:
        return _two_digits(12, 2, 0, sign, value.places, whole, fraction)
    digits = [fraction]
    while whole:
        whole, digit = divmod(whole, _DIGIT)
        digits.append(digit)
    digits.reverse()
    head = _numeric_head(8 + 2 * len(digits), len(digits), len(digits) - 2, sign, value.places)
    return head + b"".join([_digit(digit) for digit in digits])


def _integers(pack: Callable[[int, Any], bytes], size: int) -> Encoder:
    return lambda column: map(pack, repeat(size), column)


ENCODERS: Mapping[str, Encoder] = {
    "int2": _integers(Struct("!ih").pack, 2),
    "int4": _integers(Struct("!ii").pack, 4),
    "int8": _integers(Struct("!iq").pack, 8),
    "text": _texts,
    "uuid": _uuids,
    "date": _dates,
    "timestamptz": _moments,
    "jsonb": _json,
    "numeric": _decimals,
}
