"""The bytes of one member of a batch to an order or a cash movement (protocol §5).

Two roads lead to the same answer. The fast one decodes straight into the types and takes only what is beyond doubt.
Everything else takes the slow one, which either reads it after all or says why nobody can.

Fields that a newer terminal sends are passed over (protocol §2.6), but what cannot be carried counts in them too (§9).
msgspec refuses lone surrogates there; U+0000 and numbers beyond a double show in the bytes, and in doubt the slow road
decides.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from backoffice.domain import json_values
from backoffice.domain.identity import hash_1, unread_hash, unreadable_hash
from backoffice.domain.json_values import may_be_uncarriable
from backoffice.domain.limits import MAX_MEMBER_BYTES
from backoffice.domain.orders import CashMovement, Order, Unreadable
from backoffice.domain.reasons import LIMIT_EXCEEDED, UNREADABLE_MOVEMENT, UNREADABLE_ORDER, Reason
from backoffice.domain.returns import names_others
from backoffice.domain.scalars import MAX_NUMBER, is_canonical_uuid, is_in_years, is_spelled_canonically, read_scalar
from backoffice.domain.wire.conversion import NotReadable, Violation, check_carriable, to_type

Readable = TypeVar("Readable", Order, CashMovement)

_ORDER_DECODER = msgspec.json.Decoder(Order, dec_hook=read_scalar)
_MOVEMENT_DECODER = msgspec.json.Decoder(CashMovement, dec_hook=read_scalar)
# Longer ones may be beyond a double; msgspec itself refuses floats that are, where it reads them.
_LONG_INTEGER = re.compile(rb"(?<![0-9])[0-9]{309}")


def read_order(raw: bytes, *, max_bytes: int = MAX_MEMBER_BYTES) -> Order | Unreadable:
    """One member of `orders`, in the bytes that `decode_batch` gave. Raises `json_values.NotJson` for other bytes."""
    if len(raw) > max_bytes:
        return _unread(raw, max_bytes=max_bytes)
    try:
        order = _ORDER_DECODER.decode(raw)
    except msgspec.DecodeError:
        return _read_slowly(raw, Order)
    if (
        may_be_uncarriable(raw)
        or not is_in_years(order.opened_at)
        or not is_in_years(order.closed_at)
        or not is_spelled_canonically(order.order_id, name=b"order_id", raw=raw)
        or names_others(order)  # by UUIDs that may be anywhere in it: the slow road looks at each
    ):
        return _read_slowly(raw, Order)
    return order


def read_order_of_before(raw: bytes) -> Order | Unreadable:
    """One that was stored before there was version 2, as it was read then: what came under the new names is passed over."""
    fields = _without_version_2(json_values.parse(raw.decode()))
    body = json.dumps(fields).encode()
    return read_order(body, max_bytes=len(body))


def read_movement(raw: bytes, *, max_bytes: int = MAX_MEMBER_BYTES) -> CashMovement | Unreadable:
    """One member of `cash_movements`, in the bytes that `decode_batch` gave. Raises `json_values.NotJson` for others."""
    if len(raw) > max_bytes:
        return _unread(raw, max_bytes=max_bytes)
    try:
        movement = _MOVEMENT_DECODER.decode(raw)
    except msgspec.DecodeError:
        return _read_slowly(raw, CashMovement)
    if (
        may_be_uncarriable(raw)
        or not is_in_years(movement.occurred_at)
        or not is_spelled_canonically(movement.movement_id, name=b"movement_id", raw=raw)
    ):
        return _read_slowly(raw, CashMovement)
    return movement


def _read_slowly(raw: bytes, kind: type[Readable]) -> Readable | Unreadable:
    value, is_carriable = _decode_any(raw)
    try:
        if not is_carriable:
            check_carriable(value)
        member = to_type(value, kind)
        _check_spelling(value, member)
    except NotReadable as error:
        return _unreadable(json_values.parse(raw.decode()), kind, error.violation)
    return member


def _decode_any(raw: bytes) -> tuple[Any, bool]:
    """The value, and whether it is certain that everything in it can be carried.

    Every order of a terminal that spells its UUIDs in capitals comes by here, so this must be cheap for them.
    """
    if b"\\u0000" not in raw and _LONG_INTEGER.search(raw) is None:
        try:
            return msgspec.json.decode(raw), True
        except msgspec.DecodeError:
            pass
    return json_values.parse(raw.decode()), False


def _check_spelling(value: Mapping[str, Any], member: msgspec.Struct) -> None:
    """What msgspec reads and the protocol does not: other forms of UUIDs, and years out of bounds (§2.5)."""
    for name in member.__struct_fields__:
        read = getattr(member, name)
        if isinstance(read, UUID):
            _check_uuid(value[name], f"/{name}")
        if isinstance(read, datetime) and not is_in_years(read):
            raise NotReadable(Violation(f"/{name}", "invalid", "Expected a time between the years 2000 and 2099"))
    if isinstance(member, Order):
        for index, line in enumerate(member.lines):
            if line.refund_of is not None:
                _check_uuid(value["lines"][index]["refund_of"], f"/lines/{index}/refund_of")


def _check_uuid(spelled: str, pointer: str) -> None:
    if not is_canonical_uuid(spelled):
        raise NotReadable(Violation(pointer, "invalid", "Expected a UUID in the canonical 36-character form"))


def _unread(raw: bytes, *, max_bytes: int) -> Unreadable:
    reason = Reason(LIMIT_EXCEEDED, "", f"{len(raw)} bytes, at most {max_bytes} are read")
    return Unreadable(item_id=None, number=None, content_hash=unread_hash(raw), reasons=(reason,))


def _unreadable(value: Any, kind: type[msgspec.Struct], violation: Violation) -> Unreadable:
    fields = value if isinstance(value, dict) else {}
    identifier = fields.get("order_id" if kind is Order else "movement_id")
    number = fields.get("number") if kind is Order else None
    code = UNREADABLE_ORDER if kind is Order else UNREADABLE_MOVEMENT
    return Unreadable(
        item_id=UUID(identifier) if isinstance(identifier, str) and is_canonical_uuid(identifier) else None,
        number=number if type(number) is int and 1 <= number <= MAX_NUMBER else None,
        content_hash=unreadable_hash(value),
        older_hash=_older_hash(fields) if kind is Order else None,
        reasons=(Reason(code, violation.pointer, violation.detail),),
    )


def _older_hash(fields: Mapping[str, Any]) -> bytes | None:
    """The hash of the order which it was while the fields of version 2 were passed over, None where it was none."""
    passed_over = _without_version_2(fields)
    if passed_over == fields:
        return None
    try:
        check_carriable(fields)
        order = to_type(passed_over, Order)
        _check_spelling(passed_over, order)
    except NotReadable:
        return None
    return hash_1(order)


def _without_version_2(order: Mapping[str, Any]) -> dict[str, Any]:
    """The order without its `adjusts`, `refund_of` of lines and `kind` of taxes, whatever is in their places."""
    known = {name: value for name, value in order.items() if name != "adjusts"}
    if isinstance(lines := known.get("lines"), list):
        known["lines"] = [_line_without_version_2(line) if isinstance(line, dict) else line for line in lines]
    return known


def _line_without_version_2(line: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: value for name, value in line.items() if name != "refund_of"}
    if isinstance(taxes := known.get("taxes"), list):
        known["taxes"] = [
            {name: value for name, value in tax.items() if name != "kind"} if isinstance(tax, dict) else tax
            for tax in taxes
        ]
    return known
