"""The members of a stored body one by one: of what is large, no more than one is a value at a time.

As Python's objects a body may be sixty times as large as its bytes.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from backoffice.audit.reading import ReadingError, no_constant, read_batch_body, read_integer

MAX_MEMBER_BYTES = 256 * 1024
USUAL_CHARACTERS = 8 * 1024

_LISTS = {"orders": "order", "cash_movements": "movement"}
_BLANKS = " \t\n\r"

_plain = json.JSONDecoder(parse_constant=no_constant).raw_decode
_with_long_numbers = json.JSONDecoder(parse_constant=no_constant, parse_int=read_integer).raw_decode


def _nothing(_: object) -> None:
    """In place of a value."""


_pass_over = json.JSONDecoder(
    object_pairs_hook=_nothing, parse_int=_nothing, parse_float=_nothing, parse_constant=no_constant
).raw_decode


class Piece(NamedTuple):
    """One member: its JSON value or, where it is larger than today's limit, None and its bytes."""

    value: Any
    large: bytes | None


Read = Callable[[str, int, Piece], Any]
"""What becomes of a member: an `order` or a `movement`, its position, and what it is."""


def split_body(body: bytes, read: Read) -> list[Any]:
    """What `read` makes of the orders and then of the cash movements, in the order sent. Raises ReadingError."""
    if len(body) <= MAX_MEMBER_BYTES:
        orders, movements = read_batch_body(body)
        return [
            read(what, position, Piece(value, None))
            for what, values in (("order", orders), ("movement", movements))
            for position, value in enumerate(values)
        ]
    try:
        lists = _lists(body.decode(), read)
    except (ValueError, RecursionError, IndexError) as error:
        raise ReadingError(f"the stored body is not JSON: {error}") from None
    if None in lists.values():
        raise ReadingError("the stored body is not a batch")
    return [member for members in lists.values() for member in members or ()]


def parse_large(raw: bytes) -> Any:
    """The JSON value of a member above the limit, as it was read in its day."""
    return _decode(raw.decode(), 0)[0]


def _lists(text: str, read: Read) -> dict[str, list[Any] | None]:
    """The members of both lists; None in place of what is no list. Of two with one name the last counts."""
    lists: dict[str, list[Any] | None] = {name: [] for name in _LISTS}
    position = _skip(text, 0)
    if text[position] != "{":
        _, end = _pass_over(text, position)
        _expect_end(text, end)
        return dict.fromkeys(lists)
    position, more = _first(text, position, "}")
    while more:
        name, position = _name(text, position)
        if name in lists and text[position] == "[":
            lists[name], position = _members(text, position, _LISTS[name], read)
        else:
            if name in lists:
                lists[name] = None
            _, position = _pass_over(text, position)
        position, more = _next(text, position, "}")
    _expect_end(text, position)
    return lists


def _name(text: str, position: int) -> tuple[str, int]:
    """The name of the field at `position`, and where its value begins."""
    if text[position] != '"':
        raise ValueError(f"no name at character {position}")
    name, position = _plain(text, position)
    position = _skip(text, position)
    if text[position] != ":":
        raise ValueError(f"no colon at character {position}")
    return name, _skip(text, position + 1)


def _members(text: str, position: int, what: str, read: Read) -> tuple[list[Any], int]:
    members: list[Any] = []
    position, more = _first(text, position, "]")
    while more:
        piece, position = _piece(text, position)
        members.append(read(what, len(members), piece))
        position, more = _next(text, position, "]")
    return members, position


def _piece(text: str, start: int) -> tuple[Piece, int]:
    for most in (USUAL_CHARACTERS, MAX_MEMBER_BYTES):
        window = text[start : start + most + 1]
        try:
            value, length = _decode(window, 0)
        except json.JSONDecodeError:
            continue  # cut off, or what is wrong with it, passing over it tells
        if length < len(window) and (window.isascii() or len(window[:length].encode()) <= MAX_MEMBER_BYTES):
            return Piece(value, None), start + length
    _, end = _pass_over(text, start)
    raw = text[start:end].encode()
    return (Piece(None, raw) if len(raw) > MAX_MEMBER_BYTES else Piece(_decode(text, start)[0], None)), end


def _decode(text: str, position: int) -> tuple[Any, int]:
    try:
        return _plain(text, position)
    except json.JSONDecodeError:
        raise
    except ValueError:  # thousands of digits: the slower way is exact as well
        return _with_long_numbers(text, position)


def _first(text: str, position: int, closing: str) -> tuple[int, bool]:
    position = _skip(text, position + 1)
    return (position + 1, False) if text[position] == closing else (position, True)


def _next(text: str, position: int, closing: str) -> tuple[int, bool]:
    """To the next of a list, or past its end and False."""
    position = _skip(text, position)
    if text[position] == closing:
        return position + 1, False
    if text[position] != ",":
        raise ValueError(f"neither a comma nor an end at character {position}")
    return _skip(text, position + 1), True


def _skip(text: str, position: int) -> int:
    while text[position] in _BLANKS:
        position += 1
    return position


def _expect_end(text: str, position: int) -> None:
    if text[position:].strip(_BLANKS):
        raise ValueError(f"something behind it at character {position}")
