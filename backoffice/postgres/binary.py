"""Rows in the binary form that COPY takes (PostgreSQL's manual, "COPY", "Binary Format").

Column by column rather than value by value: what is the same in all rows is encoded once, numbers that stand beside each
other are packed together, and a text that comes often is encoded where it comes first. psycopg's `write_row` takes a
Python call for each date, time, UUID and JSON, and makes an object for each field (ADR 20).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from enum import Enum, auto
from functools import lru_cache
from itertools import chain, groupby, repeat
from struct import Struct
from typing import Any, TypeAlias

import msgspec

from backoffice.domain.scalars import Scaled

Row: TypeAlias = Sequence[Any]
Column: TypeAlias = Sequence[Any]

ROWS_AT_ONCE = 20_000
# Each part waits for the socket: a small COPY is sent in one, and memory stays bounded by the rows above.
ENOUGH_TO_SEND = 64 * 1024

_BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_length, _json_head = Struct("!i").pack, Struct("!iB").pack
_FIRST_DAY = date(2000, 1, 1).toordinal()
_FIRST_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
_NEGATIVE = 0x4000
_DIGIT, _DECIMALS = 10_000, 4  # a numeric's digits count to ten thousand, so four decimals are one of them
_numeric_head, _digit, _two_digits = Struct("!ihhHH").pack, Struct("!h").pack, Struct("!ihhHHhh").pack
_encode_json = msgspec.json.Encoder(enc_hook=str).encode


def encode_rows(chunks: Sequence[Sequence[Row]], types: Sequence[str]) -> Iterator[bytearray]:
    """All of the COPY's data, in parts. Rows come in chunks: what is the same in all rows of one is encoded once.

    `types` has one for each column: of `PACKED`, or `text`, `jsonb`, `numeric`; None is NULL. Values of `jsonb` columns
    are whatever msgspec encodes, those of `numeric` columns are `Scaled`.
    """
    data = bytearray(_BEGIN)
    for rows in chunks:
        # A batch may have 200 000 lines, and each value is an object of its own before they are joined.
        for start in range(0, len(rows), ROWS_AT_ONCE):
            if len(data) > ENOUGH_TO_SEND:
                yield data
                data = bytearray()
            data += b"".join(_encode_chunk(rows[start : start + ROWS_AT_ONCE], types))
    yield data + _END


def _encode_chunk(rows: Sequence[Row], types: Sequence[str]) -> Iterable[bytes]:
    fields: list[Iterable[bytes]] = [repeat(Struct("!h").pack(len(types)), len(rows))]
    columns = zip(types, zip(*rows, strict=True), strict=True)
    for way, neighbours in groupby(columns, key=_way):
        group = list(neighbours)
        if way is _Way.ONCE:
            once = b"".join([field for kind, column in group for field in _encode(kind, column[:1])])
            fields.append(repeat(once, len(rows)))
        elif way is _Way.PACKED:
            fields.append(_pack(group))
        else:
            fields += [_encode(kind, column) for kind, column in group]
    return chain.from_iterable(zip(*fields, strict=True))


class _Way(Enum):
    """How a column is encoded: once for all rows, packed with its neighbours, or by itself."""

    ONCE = auto()
    PACKED = auto()
    ALONE = auto()


def _way(described: tuple[str, Column]) -> _Way:
    kind, column = described
    if column[-1] is column[0] and _is_one_value(kind, column):
        return _Way.ONCE
    return _Way.PACKED if kind in PACKED and None not in column else _Way.ALONE


def _is_one_value(kind: str, column: Column) -> bool:
    first = column[0]
    if kind in {"numeric", "jsonb"}:  # what is equal may be spelled differently: "2" and "2.00"
        return all(value is first for value in column)
    return column.count(first) == len(column)


def _pack(columns: Sequence[tuple[str, Column]]) -> Iterable[bytes]:
    """The fields of neighbouring columns, those of a row in one piece."""
    pack = _packer(tuple(kind for kind, _ in columns))
    arguments: list[Iterable[Any]] = []
    for kind, column in columns:
        width, _, convert = PACKED[kind]
        arguments += [repeat(width), column if convert is None else map(convert, column)]
    return map(pack, *arguments)


@lru_cache
def _packer(kinds: tuple[str, ...]) -> Callable[..., bytes]:
    return Struct("!" + "".join(f"i{PACKED[kind][1]}" for kind in kinds)).pack


def _encode(kind: str, column: Column) -> Iterable[bytes]:
    """The fields of one column."""
    if None not in column:
        return _encode_present(kind, column)
    present = iter(_encode_present(kind, [value for value in column if value is not None]))
    return [_NULL if value is None else next(present) for value in column]


def _encode_present(kind: str, column: Column) -> Iterable[bytes]:
    match kind:
        case "text":
            texts = {text: _text(text) for text in set(column)}
            return map(texts.__getitem__, column)
        case "numeric":
            distinct = {id(value): value for value in column}
            decimals = {key: _decimal(value) for key, value in distinct.items()}
            return map(decimals.__getitem__, map(id, column))
        case "jsonb":
            # Behind its length comes the version of jsonb's binary form.
            return [_json_head(1 + len(text), 1) + text for text in map(_encode_json, column)]
    return _pack([(kind, column)])


def _text(text: str) -> bytes:
    data = text.encode()
    return _length(len(data)) + data


def _days(day: date) -> int:
    return day.toordinal() - _FIRST_DAY


def _microseconds(moment: datetime) -> int:
    span = moment - _FIRST_MOMENT
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def _decimal(value: Scaled) -> bytes:
    """Digits to the base of 10 000, the highest first; the last is the fraction."""
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


PACKED: Mapping[str, tuple[int, str, Callable[[Any], Any] | None]] = {
    "int2": (2, "h", None),
    "int4": (4, "i", None),
    "int8": (8, "q", None),
    "uuid": (16, "16s", lambda value: value.bytes),
    "date": (4, "i", _days),
    "timestamptz": (8, "q", _microseconds),
}
"""Types of fixed width: their bytes, what `struct` calls them, and what makes it of a value."""
