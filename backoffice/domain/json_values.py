"""JSON values as such: read exactly, searched for what nothing here can carry, and encoded canonically.

This is the slow and exact road. Normal traffic is decoded by msgspec straight into types; whatever msgspec refuses
comes here to be told apart, since it also refuses JSON that is valid (a lone surrogate, the first of duplicate keys).
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec

_UNCARRIABLE = re.compile("[\0\ud800-\udfff]")
# Integers up to 2^53 are exact in every JSON implementation; a float beyond it is spelled, not counted out.
_EXACT_FLOAT = 2.0**53
_LONGEST_POINTER = 200


NUL = b"\\u0000"
"""U+0000 as JSON spells it, or what looks like it."""

# Numbers of fewer characters than `_LONG`, and without an exponent of three, are within a double: below 10^199 · 10^99.
_NUMBERS = bytes.maketrans(b"123456789.+-E", b"000000000000e")
_LONG, _EXPONENT = b"0" * 200, b"0e000"
# Most of what looks like an exponent is in a UUID. A number follows one of these.
_BEFORE_NUMBERS = b":,[ \t\n\r"


class NotJson(ValueError):
    """The text is not RFC 8259 JSON."""


class Beyond:
    """A number that is valid JSON and more than a double can hold, such as 1e400 or one of 5 000 digits."""

    def __init__(self, spelling: str) -> None:
        self.spelling = spelling


def _integer(text: str) -> int | Beyond:
    # float() reads any length in linear time; int() refuses thousands of digits, and takes quadratic time for them.
    return int(text) if math.isfinite(float(text)) else Beyond(text)


def _float(text: str) -> float | Beyond:
    number = float(text)
    return number if math.isfinite(number) else Beyond(text)


def _refuse_constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is not JSON")


EXACT_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_refuse_constant)


class JsonObject:
    """An object that nobody looks into, as JSON: `text` as it was sent but for white space, and `canonical`.

    As Python's objects it could be sixty times as large, and there are as many as orders. Raises ValueError for values
    of other kinds, and for numbers of thousands of digits.
    """

    __slots__ = ("canonical", "text")

    def __init__(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise ValueError("Expected an object")  # noqa: TRY004 - to msgspec this is what a hook refuses with
        self.text = msgspec.json.encode(value)
        self.canonical = canonical_json(value)

    def __str__(self) -> str:
        return self.text.decode()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JsonObject) and self.canonical == other.canonical

    def __hash__(self) -> int:
        return hash(self.canonical)


def parse(text: str) -> Any:
    """The value of a JSON text; of duplicate keys the last counts, numbers too large become `Beyond`.

    Raises `NotJson` for everything that is not RFC 8259. A text nested deeper than the interpreter can follow is not
    JSON to us either.
    """
    try:
        return EXACT_DECODER.decode(text)
    except RecursionError:
        raise NotJson("Nested too deeply") from None
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg} at character {error.pos}") from None


def may_be_uncarriable(raw: bytes) -> bool:
    """False only where nothing in `raw`, which msgspec could read or pass over, is beyond what can be carried."""
    if NUL in raw:
        return True
    numbers = raw.translate(_NUMBERS)
    if _LONG in numbers:
        return True
    position = numbers.find(_EXPONENT)
    while position >= 0:
        start = max(position - len(_LONG), 0)
        start += len(numbers[start:position].rstrip(b"0"))
        if raw[start - 1 : start] in _BEFORE_NUMBERS:
            return True
        position = numbers.find(_EXPONENT, position + 1)
    return False


def pointer_to(*tokens: str | int) -> str:
    """The JSON Pointer (RFC 6901) with these tokens: `pointer_to("lines", 0)` is `/lines/0`.

    A lone surrogate in a key is shown as "?": a pointer travels in answers that are UTF-8.
    """
    escaped = (str(token).replace("~", "~0").replace("/", "~1") for token in tokens)
    return "".join("/" + token.encode("utf-8", "replace").decode().replace("\0", "?") for token in escaped)


def pointer_around(*tokens: str | int) -> str:
    """As `pointer_to`; where that would be longer than 200 characters, it names what is around the place.

    A name may be as long as a message, and the pointer is in every answer about it.
    """
    pointer = ""
    for token in tokens:
        step = pointer_to(token) if isinstance(token, int) or len(token) <= _LONGEST_POINTER else None
        if step is None or len(pointer) + len(step) > _LONGEST_POINTER:
            break
        pointer += step
    return pointer


def find_uncarriable(value: Any) -> tuple[str, str] | None:
    """Pointer and detail of the first of `uncarriables`."""
    return next(uncarriables(value), None)


def uncarriables(value: Any, *tokens: str | int) -> Iterator[tuple[str, str]]:
    """Pointer and detail of every text and number in `value` that can be neither stored nor computed with.

    That is U+0000 and lone surrogates (PostgreSQL's text has neither) and numbers beyond a double (protocol §9).
    """
    if isinstance(value, str):
        if _UNCARRIABLE.search(value):
            yield pointer_around(*tokens), _why_text_fails(value)
    elif isinstance(value, Beyond):
        yield pointer_around(*tokens), "A number beyond what a double can hold"
    elif isinstance(value, dict):
        for key, member in value.items():
            if _UNCARRIABLE.search(key):
                yield pointer_around(*tokens, key), f"In a name: {_why_text_fails(key)}"
            yield from uncarriables(member, *tokens, key)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from uncarriables(member, *tokens, index)


def _why_text_fails(text: str) -> str:
    return "The character U+0000" if "\0" in text else "Half of a surrogate pair"


def canonical_json(value: Any) -> bytes:
    """One spelling per JSON value: names sorted, no white space, ASCII, 1.0 and 1e0 as 1, -0.0 as 0.

    Two numbers are the same when their doubles are, integers when they are equal. A number beyond a double is
    compared by its spelling. Part of the content hash, so what it gives must never change.
    """
    return json.dumps(_plain_numbers(value), sort_keys=True, separators=(",", ":"), default=_spell).encode()


def _plain_numbers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT_FLOAT:
        return int(value)
    if isinstance(value, dict):
        return {key: _plain_numbers(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain_numbers(member) for member in value]
    return value


def _spell(number: Beyond) -> dict[str, str]:
    return {"beyond": number.spelling}
