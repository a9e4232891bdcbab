"""Bytes to members: what is JSON, what is an envelope, and which member alone is at fault (protocol §5, §9).

Cheap enough for the door and the worker both: members stay bytes, exactly as they were sent.
"""

import re
from typing import Any, Never

import msgspec

from backoffice.domain import json_values

MAX_DEPTH = 32

_BRACKETS_ALIKE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
# A text that never ends counts as one to the end: so that no quote is looked at twice, however hostile the body.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_BLANKS = re.compile(r"[ \t\n\r]*")


class BodyMalformed(Exception):
    """400 `body-malformed`: the bytes are not RFC 8259 JSON in UTF-8, or nested deeper than 32."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class EnvelopeInvalid(Exception):
    """422 `envelope-invalid`: JSON, but not the message it should be. `pointer` is a JSON Pointer into the body."""

    def __init__(self, *, pointer: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.code = code
        self.detail = detail


class TooManyOrders(Exception):
    """413 `too-large`: more members in one list than a batch may carry. `pointer` names the list."""

    def __init__(self, *, pointer: str, count: int, limit: int) -> None:
        super().__init__(f"{count} members; at most {limit} are taken in one batch.")
        self.pointer = pointer
        self.count = count
        self.limit = limit


class Envelope(msgspec.Struct, kw_only=True, frozen=True):
    """The members of a batch as bytes, exactly as sent, in the order sent."""

    orders: list[bytes]
    movements: list[bytes]


class _Wire(msgspec.Struct):
    orders: list[msgspec.Raw] = []
    cash_movements: list[msgspec.Raw] = []


_LISTS = ("orders", "cash_movements")
_WIRE_DECODER = msgspec.json.Decoder(_Wire)


def decode_batch(body: bytes, *, max_orders: int, is_checked: bool = False) -> Envelope:
    """The members of the batch in `body` (what is left when `Content-Encoding` is undone).

    A member is only known to be JSON here: whether it is an order is for `read_order`, so that one that nobody can
    read never touches its neighbours. Raises `BodyMalformed`, `EnvelopeInvalid`, and `TooManyOrders` when either
    list has more than `max_orders` members. `is_checked` is for what was checked when it came, and stored.
    """
    if not is_checked:
        check_text(body)
    try:
        wire = _WIRE_DECODER.decode(body)
        orders, movements = [bytes(raw) for raw in wire.orders], [bytes(raw) for raw in wire.cash_movements]
    except msgspec.DecodeError:
        # Not JSON, no envelope, or JSON that msgspec cannot read (a lone surrogate, of duplicate keys the first).
        members = _split(body.decode())
        orders, movements = members["orders"], members["cash_movements"]
    for pointer, count in (("/orders", len(orders)), ("/cash_movements", len(movements))):
        if count > max_orders:
            raise TooManyOrders(pointer=pointer, count=count, limit=max_orders)
    return Envelope(orders=orders, movements=movements)


def decode_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`, of duplicate names the last; by the same rules as a batch.

    Raises `BodyMalformed`, and `EnvelopeInvalid` where it is JSON and no object.
    """
    check_text(body)
    return _object(_parse(body.decode()))


def check_text(body: bytes) -> None:
    """Raises `BodyMalformed` unless `body` is UTF-8 and its brackets match and nest no deeper than 32, itself counted."""
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise BodyMalformed(f"Not UTF-8 at byte {error.start}") from None
    # Brackets within texts are not told apart at first: as a rule they are balanced, or there are none.
    if _unpaired(body) and (left := _unpaired(_STRING.sub(b"", body))):
        raise BodyMalformed(
            f"Nested deeper than {MAX_DEPTH}" if b"[]" in left else "Brackets without their other half: cut off?"
        )


def _unpaired(text: bytes) -> bytes:
    """What is left of the brackets, all as `[` and `]`, when as many levels as are allowed are taken away from within."""
    brackets = text.translate(_BRACKETS_ALIKE, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        if b"[]" not in brackets:
            break
        brackets = brackets.replace(b"[]", b"")
    return brackets


def _parse(text: str) -> Any:
    try:
        return json_values.parse(text)
    except json_values.NotJson as error:
        raise BodyMalformed(str(error)) from None


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        _invalid(pointer="", detail="The body must be a JSON object")
    return value


def _invalid(*, pointer: str, detail: str) -> Never:
    raise EnvelopeInvalid(pointer=pointer, code="invalid", detail=detail)


def _split(text: str) -> dict[str, list[bytes]]:
    """The members of the envelope by position in `text`: exact whatever they contain, about ten times slower."""
    envelope = _object(_parse(text))
    for name in _LISTS:
        if not isinstance(envelope.get(name, []), list):
            _invalid(pointer=f"/{name}", detail=f"{name} must be an array")
    found: dict[str, list[bytes]] = {"orders": [], "cash_movements": []}
    position = _skip(text, text.index("{") + 1)
    while text[position] != "}":
        name, position = json_values.EXACT_DECODER.raw_decode(text, position)
        position = _skip(text, _skip(text, position) + 1)
        if name in _LISTS and text[position] == "[":
            found[name], position = _members(text, position)
        else:
            _, position = json_values.EXACT_DECODER.raw_decode(text, position)
        position = _next(text, position)
    return found


def _members(text: str, position: int) -> tuple[list[bytes], int]:
    """The members of the array that begins at `position`, and the position after it."""
    members = []
    position = _skip(text, position + 1)
    while text[position] != "]":
        start = position
        _, position = json_values.EXACT_DECODER.raw_decode(text, position)
        members.append(text[start:position].encode())
        position = _next(text, position)
    return members, position + 1


def _skip(text: str, position: int) -> int:
    blanks = _BLANKS.match(text, position)
    return blanks.end() if blanks else position


def _next(text: str, position: int) -> int:
    """From the end of a member past blanks and a comma, to the next member or the closing bracket."""
    position = _skip(text, position)
    return _skip(text, position + 1) if text[position] == "," else position
