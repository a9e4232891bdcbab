"""The places of things in JSON, found by its texts, brackets and commas alone: nothing is decoded, and nothing built.

A body of 8 MiB would be 500 MB as Python's objects. The callers know already that the bytes are JSON.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+'
# A text that never ends counts as one to the end: so that no quote is looked at twice, however hostile the body.
_TEXTS = re.compile(_TEXT + rb'(?:"|\\?\Z)', re.DOTALL)
_BRACKETS = re.compile(_TEXT + rb'"|[\[\]{}]', re.DOTALL)
_BRACKETS_AND_COMMAS = re.compile(_TEXT + rb'"|[\[\]{},]', re.DOTALL)
_PLAIN = re.compile(_TEXT + rb'"|[^\s,\]}]++', re.DOTALL)
_BLANKS = b" \t\n\r"
_TO_NAME = re.compile(rb"[\s,{]*+")
_TO_VALUE = re.compile(rb"[\s:]*+")
# Behind an even number of backslashes, and looked at from the first of them only.
_SURROGATE = re.compile(rb"(?<!\\)(?:\\\\)*+\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_HEX_DIGITS, _NO_SURROGATE = 4, b"0020"

_DEEPER, _COMMA, _END = frozenset(b"[{"), ord(","), frozenset(b"]}")
_LEVELS = [(byte in _DEEPER) - (byte in _END) for byte in range(256)]

_read_name = msgspec.json.Decoder(str).decode


class Members(NamedTuple):
    """The members of a list as bytes: the first of them, and how many there are."""

    found: list[bytes]
    total: int


def without_texts(body: bytes) -> bytes:
    """What is left of `body`, which need not be JSON, when its texts are taken out."""
    left, done = bytearray(), 0
    for text in _TEXTS.finditer(body):
        left += body[done : text.start()]
        done = text.end()
    return bytes(left + body[done:])


def without_surrogates(body: bytes) -> bytearray:
    """`body` with a blank for each half of a surrogate pair, spelled as long as it was: msgspec refuses lone ones."""
    readable = bytearray(body)
    for escape in _SURROGATE.finditer(body):
        readable[escape.end() - _HEX_DIGITS : escape.end()] = _NO_SURROGATE
    return readable


def find_members(body: bytes, *, names: Iterable[str], most: int) -> dict[str, Members]:
    """The members of the lists with these `names` in the object `body`, `most` of each at most; of two lists with one
    name those of the last.
    """
    found = {name: Members([], 0) for name in names}
    position = _skip(_TO_NAME, body, 0)
    while body[position] != ord("}"):
        end = _end(body, position)
        name = _name(body[position:end])
        position = _skip(_TO_VALUE, body, end)
        if name in found and body[position] == ord("["):
            found[name], position = _members(body, position, most=most)
        else:
            position = _end(body, position)
        position = _skip(_TO_NAME, body, position)
    return found


def _name(spelled: bytes) -> str:
    return _read_name(without_surrogates(spelled) if b"\\" in spelled else spelled)


def _skip(what: re.Pattern[bytes], body: bytes, position: int) -> int:
    skipped = what.match(body, position)
    return skipped.end() if skipped else position


def _end(body: bytes, position: int) -> int:
    """Where the value ends that begins at `position`."""
    if body[position] not in _DEEPER:
        return _skip(_PLAIN, body, position)
    level = 0
    for token in _BRACKETS.finditer(body, position):
        level += _LEVELS[body[token.start()]]
        if level == 0:
            return token.end()
    raise ValueError("The value never ends")


def _members(body: bytes, position: int, *, most: int) -> tuple[Members, int]:
    """The members of the array that begins at `position`, and where it ends."""
    found: list[bytes] = []
    count = level = 0
    start = position + 1
    for token in _BRACKETS_AND_COMMAS.finditer(body, position):
        byte = body[token.start()]
        level += _LEVELS[byte]
        if level > 1 or (level == 1 and byte != _COMMA):
            continue
        if count < most:
            member = body[start : token.start()].strip(_BLANKS)
            if not member:  # an empty list; no other member is nothing
                return Members(found, count), token.end()
            found.append(member)
        count += 1
        start = token.end()
        if level == 0:
            return Members(found, count), start
    raise ValueError("The array never ends")
