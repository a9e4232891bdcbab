"""Which order is which: the content of orders, and what members of a batch are beside those known (protocol §5).

A content hash is stored for ever and must give the same 33 bytes in twenty years. Version 1 is the byte 1 and the
SHA-256 of one MessagePack array, made of fixed positions rather than names, so that neither a new optional field nor
a renamed one moves it:

- order: "order", order_id, number, kind, status, type, opened_at, closed_at, cashier, customer, refund_of, note,
  lines, rounding, total, tip, payments
- line: kind, sku, name, quantity, unit_price, discount, amount, taxes — tax: code, rate, amount
- payment: method, amount, tendered, change, reference
- movement: "movement", movement_id, kind, amount, reason, occurred_at, cashier

Quantity and unit price are in ten-thousandths and the rate in millionths, so that "2" and "2.000" are one; instants
are MessagePack timestamps, so that the offset's spelling does not count; UUIDs are their lower-case text; a customer
is its canonical JSON; what is absent or null is nil.

Version 2 is the byte 2 and the same with more at the ends: an order's adjusts, a line's refund_of and a list of its
taxes' kinds. It is for orders that use one of these; any other has the hash of version 1. A later version adds a
function, and leaves these alone. What was stored before there was version 2 is compared by version 1: it passed over
the fields that came with these names, whatever was in them (ADR 27).
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec

from backoffice.domain.json_values import canonical_json
from backoffice.domain.orders import CashMovement, Order
from backoffice.domain.reasons import (
    CONTENT_DIFFERS,
    NUMBER_ALREADY_USED,
    ORDER_OF_ANOTHER_TERMINAL,
    OTHER_SHIFT,
    Reason,
)

HASH_VERSION = 2
"""The newest version of content hashes. The first byte of each is its own, stored for ever."""

_encode = msgspec.msgpack.Encoder().encode


def content_hash(order: Order) -> bytes:
    """33 bytes that are equal exactly where two orders have the same content; `mode` and `printed_to` do not count."""
    return _hash_2(order) if _uses_version_2(order) else hash_1(order)


def _uses_version_2(order: Order) -> bool:
    if order.adjusts is not None:
        return True
    for line in order.lines:
        if line.refund_of is not None:
            return True
        for tax in line.taxes:
            if tax.kind != "percent":
                return True
    return False


def hash_1(order: Order) -> bytes:
    """Version 1, of whatever it knows of the order."""
    return _hash(1, _encode(_content(order, _lines(order))))


def _hash_2(order: Order) -> bytes:
    known = zip(_lines(order), order.lines, strict=True)
    lines = [(*content, line.refund_of, [tax.kind for tax in line.taxes]) for content, line in known]
    return _hash(2, _encode((*_content(order, lines), order.adjusts)))


def _lines(order: Order) -> list[tuple[Any, ...]]:
    return [
        (
            line.kind,
            line.sku,
            line.name,
            line.quantity.scaled,
            line.unit_price.scaled,
            line.discount,
            line.amount,
            [(tax.code, tax.rate.scaled, tax.amount) for tax in line.taxes],
        )
        for line in order.lines
    ]


def _content(order: Order, lines: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    payments = [
        (
            payment.method,
            payment.amount,
            payment.tendered_minor,
            payment.change_minor,
            payment.reference,
        )
        for payment in order.payments
    ]
    return (
        "order",
        order.order_id,
        order.number,
        order.kind,
        order.status,
        order.type,
        order.opened_at,
        order.closed_at,
        order.cashier,
        None if order.customer is None else order.customer.canonical,
        order.refund_of,
        order.note,
        lines,
        order.rounding,
        order.total,
        order.tip,
        payments,
    )


def movement_hash(movement: CashMovement) -> bytes:
    """33 bytes that are equal exactly where two cash movements have the same content."""
    content = (
        "movement",
        movement.movement_id,
        movement.kind,
        movement.amount,
        movement.reason,
        movement.occurred_at,
        movement.cashier,
    )
    return _hash(1, _encode(content))


def unreadable_hash(value: Any) -> bytes:
    """33 bytes of a member that cannot be read: of its JSON value, so that key order and white space do not matter."""
    return _hash(1, b"json:" + canonical_json(value))


def unread_hash(raw: bytes) -> bytes:
    """33 bytes of a member that is too large to be read: of its bytes (protocol §4)."""
    return _hash(1, b"bytes:" + raw)


def _hash(version: int, content: bytes) -> bytes:
    return bytes([version]) + hashlib.sha256(content).digest()


def unreadable_id(*, terminal_id: int, content_hash: bytes) -> UUID:
    """The identifier of a member whose own could not be read: made of its content, so that it is known again.

    Two terminals that send the same rubbish send two things, so the terminal is part of it. A UUID of version 8
    (RFC 9562), which no terminal that follows the protocol's advice mints.
    """
    digest = hashlib.sha256(b"unreadable:%d:" % terminal_id + content_hash).digest()
    bits = int.from_bytes(digest[:16], "big")
    bits = bits & ~(0xF << 76) & ~(0x3 << 62) | (0x8 << 76) | (0x2 << 62)
    return UUID(int=bits)


_OTHER_SHIFT = Reason(OTHER_SHIFT, "", "Known under another shift, and stays there")
_CONTENT_DIFFERS = Reason(CONTENT_DIFFERS, "/order_id", "Known with other content")
_CONTENT_DIFFERS_IN_BATCH = Reason(CONTENT_DIFFERS, "/order_id", "Sent with other content in the same batch")
_ORDER_OF_ANOTHER_TERMINAL = Reason(ORDER_OF_ANOTHER_TERMINAL, "/order_id", "Belongs to another terminal")
_NUMBER_ALREADY_USED = Reason(NUMBER_ALREADY_USED, "/number", "Another order of this terminal has this number")


class Incoming(NamedTuple):
    """One member of a batch, by its order_id or movement_id. `number` is None for movements and unreadable members.

    `older_hash` is what it was known by before there was version 2, None where that is its content hash still.
    """

    item_id: UUID
    number: int | None
    content_hash: bytes
    older_hash: bytes | None = None


def incoming_order(order: Order) -> Incoming:
    """An order as a member of a batch."""
    content = content_hash(order)
    return Incoming(order.order_id, order.number, content, None if content[0] == 1 else hash_1(order))


class KnownItem(NamedTuple):
    """What is known of an identifier.

    `terminal_id` is that of the version received first. `shifts` has every content that the terminal of this batch ever
    sent, by its hash and in whatever state it is, with the shift under which it came. `of_before` are those of its hashes
    that were stored before there was version 2.
    """

    terminal_id: int
    shifts: Mapping[bytes, UUID]
    of_before: Collection[bytes] = ()

    def shift_of(self, member: Incoming) -> UUID | None:
        """The shift under which this very content came, None where it never did."""
        came_under = self.shifts.get(member.content_hash)
        if came_under is None and member.older_hash is not None and member.older_hash in self.of_before:
            return self.shifts[member.older_hash]
        return came_under


class Recognition(NamedTuple):
    """What a member is known as. `reasons` are those of the conflict, or `other-shift` of a duplicate.

    `takes_number`: its number was free and is now its own, whatever becomes of the order.
    """

    version: Literal["new", "duplicate", "conflict"]
    reasons: tuple[Reason, ...] = ()
    takes_number: bool = False


NEW = Recognition("new", takes_number=True)
_NEW_WITHOUT_NUMBER = Recognition("new")
_DUPLICATE = Recognition("duplicate")
_DUPLICATE_ELSEWHERE = Recognition("duplicate", (_OTHER_SHIFT,))


def identify(
    *,
    incoming: Sequence[Incoming],
    known: Mapping[UUID, KnownItem],
    numbers: Mapping[int, UUID],
    terminal_id: int,
    shift_id: UUID,
) -> list[Recognition]:
    """One recognition per member of a batch of `terminal_id` for `shift_id`, in the order sent (protocol §5).

    `known` has an entry for each identifier of the batch that was ever received, `numbers` one for each number of the
    batch that an order of this terminal took. Of several members with one new identifier and different contents every
    one is a conflict, since nothing says which is true; a content sent again is a duplicate of its first sending.
    """
    contents: dict[UUID, set[bytes]] = {}
    for member in incoming:
        contents.setdefault(member.item_id, set()).add(member.content_hash)
    taken = dict(numbers)
    sent: set[tuple[UUID, bytes]] = set()
    recognised = []
    for member in incoming:
        first = known.get(member.item_id)
        came_under = None if first is None else first.shift_of(member)
        if came_under is not None:
            recognised.append(_DUPLICATE if came_under == shift_id else _DUPLICATE_ELSEWHERE)
            continue
        version = (member.item_id, member.content_hash)
        if version in sent:
            recognised.append(_DUPLICATE)
            continue
        sent.add(version)
        takes_number = member.number is not None and member.number not in taken
        if takes_number and member.number is not None:
            taken[member.number] = member.item_id
        reasons = _conflicts(
            member, first=first, terminal_id=terminal_id, contents=contents[member.item_id], taken=taken
        )
        if reasons:
            recognised.append(Recognition("conflict", reasons, takes_number))
        else:
            recognised.append(NEW if takes_number else _NEW_WITHOUT_NUMBER)
    return recognised


def _conflicts(
    member: Incoming,
    *,
    first: KnownItem | None,
    terminal_id: int,
    contents: Collection[bytes],
    taken: Mapping[int, UUID],
) -> tuple[Reason, ...]:
    reasons: tuple[Reason, ...] = ()
    if first is not None:
        reasons += (_CONTENT_DIFFERS if first.terminal_id == terminal_id else _ORDER_OF_ANOTHER_TERMINAL,)
    elif len(contents) > 1:
        reasons += (_CONTENT_DIFFERS_IN_BATCH,)
    if member.number is not None and taken[member.number] != member.item_id:
        reasons += (_NUMBER_ALREADY_USED,)
    return reasons
