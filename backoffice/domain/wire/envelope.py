"""Bytes to members: what is JSON, what is an envelope, and which member alone is at fault (protocol §5, §9).

Cheap enough for the door and the worker both: members stay bytes, exactly as they were sent.
"""

from collections.abc import Sequence
from typing import Any, Never

import msgspec
from msgspec import UNSET, UnsetType

from backoffice.domain import json_values
from backoffice.domain.wire.conversion import Violation
from backoffice.domain.wire.scanning import find_members, without_surrogates, without_texts

MAX_DEPTH = 32
MOST_FAULTS = 20
"""So many faults of one message are named; who sees more has read enough (protocol §9)."""

_BRACKETS_ALIKE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
# With so few commas a body has no more members than memory bears; orders have far fewer in 8 MiB.
_MOST_COMMAS = 500_000
# A close that names as many batches as it may has half as many. What is built of a message is bounded by it.
_MOST_COMMAS_OF_A_MESSAGE = 20_000


class BodyMalformed(Exception):
    """400 `body-malformed`: the bytes are not RFC 8259 JSON in UTF-8, or nested deeper than 32."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class EnvelopeInvalid(Exception):
    """422 `envelope-invalid`: JSON, but not the message it should be. `pointer` is a JSON Pointer into the body.

    `others` are further faults of the same message, at most `MOST_FAULTS` with the first.
    """

    def __init__(self, *, pointer: str, code: str, detail: str, others: Sequence[Violation] = ()) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.code = code
        self.detail = detail
        self.others = others


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
    orders: list[msgspec.Raw] | UnsetType = UNSET
    cash_movements: list[msgspec.Raw] | UnsetType = UNSET


class _Lists(msgspec.Struct):
    """As `_Wire`, without a look inside: of duplicate names the last counts, whatever the others are."""

    orders: msgspec.Raw | UnsetType = UNSET
    cash_movements: msgspec.Raw | UnsetType = UNSET


_WIRE_DECODER = msgspec.json.Decoder(_Wire)
_LISTS_DECODER = msgspec.json.Decoder(_Lists)
_ANY_DECODER = msgspec.json.Decoder(msgspec.Raw)


def decode_batch(body: bytes, *, max_orders: int, is_checked: bool = False) -> Envelope:
    """The members of the batch in `body` (what is left when `Content-Encoding` is undone).

    A member is only known to be JSON here: whether it is an order is for `read_order`, so that one that nobody can
    read never touches its neighbours. Raises `BodyMalformed`, `EnvelopeInvalid`, and `TooManyOrders` when either
    list has more than `max_orders` members. `is_checked` is for what was checked when it came, and stored: there may
    be bodies without either list, which were taken once.
    """
    if not is_checked:
        check_text(body)
    wire = _read_lists(body)
    if wire is None:
        return _find_lists(body, most=max_orders, is_checked=is_checked)
    if not is_checked:
        _check_lists(wire)
    orders, movements = wire.orders or [], wire.cash_movements or []
    for pointer, raws in (("/orders", orders), ("/cash_movements", movements)):
        if len(raws) > max_orders:
            raise TooManyOrders(pointer=pointer, count=len(raws), limit=max_orders)
    return Envelope(orders=[bytes(raw) for raw in orders], movements=[bytes(raw) for raw in movements])


def _check_lists(lists: _Wire | _Lists) -> None:
    """A bare order, sent by mistake, must not look like an empty batch."""
    if lists.orders is UNSET and lists.cash_movements is UNSET:
        raise EnvelopeInvalid(
            pointer="/orders", code="missing", detail="There is neither a list of orders nor one of cash movements"
        )


def _read_lists(body: bytes) -> _Wire | None:
    """The usual road. None where it ends: the body is not JSON, no envelope, JSON that msgspec cannot read (a lone
    surrogate, of duplicate names the first), or it has commas for more members than memory bears.
    """
    if len(body) > 2 * _MOST_COMMAS and body.count(b",") > _MOST_COMMAS:
        return None
    try:
        return _WIRE_DECODER.decode(body)
    except msgspec.DecodeError:
        return None


def _find_lists(body: bytes, *, most: int, is_checked: bool) -> Envelope:
    """The members by position: exact whatever the body contains, about ten times slower, and nothing is built."""
    readable = _check_json(body)
    try:
        lists = _LISTS_DECODER.decode(readable)
    except msgspec.ValidationError:
        _invalid(pointer="", detail="The body must be a JSON object")
    if not is_checked:
        _check_lists(lists)
    wrong = [
        Violation(f"/{name}", "invalid", f"{name} must be an array")
        for name, raw in (("orders", lists.orders), ("cash_movements", lists.cash_movements))
        if raw is not UNSET and memoryview(raw)[0] != ord("[")
    ]
    if wrong:
        raise EnvelopeInvalid(**wrong[0]._asdict(), others=wrong[1:])
    found = find_members(body, names=("orders", "cash_movements"), most=most)
    for name, members in found.items():
        if members.total > most:
            raise TooManyOrders(pointer=f"/{name}", count=members.total, limit=most)
    return Envelope(orders=found["orders"].found, movements=found["cash_movements"].found)


def _check_json(body: bytes) -> bytearray:
    """Raises `BodyMalformed` where `body` is not JSON; otherwise it comes back as msgspec can read it."""
    readable = without_surrogates(body)
    try:
        _ANY_DECODER.decode(readable)
    except msgspec.DecodeError as error:
        raise BodyMalformed(str(error)) from None
    return readable


def decode_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`, of duplicate names the last; by the same rules as a batch.

    Raises `BodyMalformed`, and `EnvelopeInvalid` where it is JSON and no object, or has more fields and entries than
    any message of the protocol.
    """
    check_text(body)
    if body.count(b",") > _MOST_COMMAS_OF_A_MESSAGE:
        _check_json(body)
        _invalid(pointer="", detail=f"More than {_MOST_COMMAS_OF_A_MESSAGE} fields and entries")
    try:
        value = json_values.parse(body.decode())
    except json_values.NotJson as error:
        raise BodyMalformed(str(error)) from None
    if not isinstance(value, dict):
        _invalid(pointer="", detail="The body must be a JSON object")
    return value


def check_text(body: bytes) -> None:
    """Raises `BodyMalformed` unless `body` is UTF-8 and its brackets match and nest no deeper than 32, itself counted."""
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise BodyMalformed(f"Not UTF-8 at byte {error.start}") from None
    # Brackets within texts are not told apart at first: as a rule they are balanced, or there are none.
    if _unpaired(body) and (left := _unpaired(without_texts(body))):
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


def _invalid(*, pointer: str, detail: str) -> Never:
    raise EnvelopeInvalid(pointer=pointer, code="invalid", detail=detail)
