"""The stored batches of one terminal: their bytes are checked and parsed, with a bounded chunk in memory at a time."""

import hashlib
import json
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.backends.utils import CursorWrapper

from backoffice.audit.findings import Findings, Waiting
from backoffice.audit.fleet import AuditedTill
from backoffice.audit.reading import (
    ReadingError,
    is_text_throughout,
    item_identifier,
    order_of_before,
    read_movement,
    read_order,
)
from backoffice.audit.splitting import Piece, parse_large, split_body
from backoffice.audit.unread import Unread, hash_of_bytes
from backoffice.audit.values import Movement, Order, as_of_before

SELECT_BATCHES = """
SELECT batch_id::text, shift_id::text, received_at, state, size, order_count, movement_count, digest, body, outcomes,
    movement_outcomes
FROM inbox_batch WHERE terminal_id = %s AND NOT EXISTS (
    SELECT FROM sales_shift s
    JOIN sales_detachedmonth d ON s.business_date BETWEEN d.first_day AND d.last_day AND d.detached_at > s.received_at
    WHERE s.shift_id = inbox_batch.shift_id
) ORDER BY received_at, batch_id
"""
COUNT_ORDERS = (
    "SELECT terminal_id, sum(order_count)::bigint FROM inbox_batch WHERE state = 'processed' GROUP BY terminal_id"
)

# It takes a dozen statements to look up a chunk; a batch has at most 2 000 orders and 8 MiB.
MOST_MEMBERS = 1_000
MOST_BYTES = 8 * 1024 * 1024
FETCH = 100
NAMES = {"order": "order_id", "movement": "movement_id"}


class SentMember(NamedTuple):
    """One order or cash movement as sent. `read` is None if it cannot be read, and `why` says why not.

    What cannot be read is known by its `digest`: of its JSON value, or of its bytes if it is too large. It may still be an
    order that was read before all of its fields were known: `before` (ADR 27).
    """

    what: str
    position: int
    number: int | None
    item_id: str | None
    read: Order | Movement | None
    why: str = ""
    digest: bytes = b""
    before: Order | None = None

    def read_as(self, *, of_before: bool) -> Order | Movement | None:
        """As it is read today, or as it was before orders adjusted others."""
        if not of_before:
            return self.read
        return as_of_before(self.read) if isinstance(self.read, Order) else self.read or self.before


class SentBatch(NamedTuple):
    """One processed batch, parsed. `outcomes` is what its receipt says, for `order` and `movement`."""

    batch_id: str
    shift_id: str
    received_at: datetime
    members: list[SentMember]
    outcomes: dict[str, dict[str, int]]


def count_orders(cursor: CursorWrapper) -> dict[int, int]:
    """How many orders will be checked, including repeats, by terminal."""
    cursor.execute(COUNT_ORDERS)
    return dict(cursor.fetchall())


def chunks_of(till: AuditedTill, *, findings: Findings, waiting: Waiting) -> Iterator[list[SentBatch]]:
    """The processed batches of a terminal. Waiting batches are counted, and every body is compared with its digest."""
    chunk: list[SentBatch] = []
    members = size = 0
    unread = Unread(till.id)
    with connection.chunked_cursor() as cursor:
        cursor.execute(SELECT_BATCHES, [till.id])
        while rows := cursor.fetchmany(FETCH):
            for row in rows:
                batch = _open(row, till=till, unread=unread, findings=findings, waiting=waiting)
                if batch is None:
                    continue
                chunk.append(batch)
                members += len(batch.members)
                size += row[4]
                if members >= MOST_MEMBERS or size >= MOST_BYTES:
                    yield chunk
                    chunk, members, size = [], 0, 0
    if chunk:
        yield chunk


def where_batch(batch_id: str, till: AuditedTill, numbers: list[int] | None = None) -> str:
    """A batch in words, with the numbers of its orders if they are known."""
    orders = ""
    if numbers:
        first, last = min(numbers), max(numbers)
        orders = f" with order {first}" if first == last else f" with orders {first} to {last}"
    return f"batch {batch_id} of {till.name}{orders}"


def members_of(body: bytes, *, batch_id: str = "", unread: Unread | None = None) -> list[SentMember]:
    """Orders, then cash movements, in the order sent; what nobody read is not read here either.

    Raises ReadingError if the body as a whole cannot be read.
    """
    may_be_no_text = b"\\u" in body  # only an escape can spell U+0000 or half a surrogate pair

    def read(what: str, position: int, piece: Piece) -> SentMember:
        value = piece.value
        if piece.large is not None:
            content_hash = hash_of_bytes(piece.large)
            if unread is not None and unread.has((batch_id, what, position), content_hash):
                return SentMember(what, position, None, None, None, "it is too large to be read", content_hash)
            value = parse_large(piece.large)
        return _member(what, position, value, may_be_no_text=may_be_no_text)

    return split_body(body, read)


def _open(
    row: tuple[Any, ...], *, till: AuditedTill, unread: Unread, findings: Findings, waiting: Waiting
) -> SentBatch | None:
    batch_id, shift_id, received_at, state, size, order_count, movement_count, digest, packed, *receipt = row
    try:
        body = zlib.decompress(packed)
        members = members_of(body, batch_id=batch_id, unread=unread)
    except (zlib.error, ReadingError) as error:
        findings.add(till.store_code, where_batch(batch_id, till), "stored body", expected="a batch", found=error)
        return None
    numbers = [member.read.number for member in members if isinstance(member.read, Order)]
    where = where_batch(batch_id, till, numbers)
    found = hashlib.sha256(body).hexdigest()
    if found != bytes(digest).hex():
        findings.add(till.store_code, where, "digest of the stored body", expected=bytes(digest).hex(), found=found)
    counts = {what: sum(member.what == what for member in members) for what in NAMES}
    for what, one, other in (
        ("bytes", len(body), size),
        ("number of orders", counts["order"], order_count),
        ("number of cash movements", counts["movement"], movement_count),
    ):
        if one != other:
            findings.add(till.store_code, where, f"{what} of the stored body", expected=one, found=other)
    if state != "processed":
        waiting.batches += 1
        waiting.failed += state == "failed"
        waiting.orders += counts["order"]
        return None
    outcomes = {what: json.loads(text) for what, text in zip(NAMES, receipt, strict=True)}
    return SentBatch(batch_id, shift_id, received_at, members, outcomes)


def _member(what: str, position: int, value: Any, *, may_be_no_text: bool) -> SentMember:
    item_id = item_identifier(value, NAMES[what])
    number = value.get("number") if isinstance(value, dict) and isinstance(value.get("number"), int) else None
    why = "it holds U+0000 or half a surrogate pair"
    has_no_text = may_be_no_text and not is_text_throughout(value)
    if not has_no_text:
        try:
            read = read_order(value) if what == "order" else read_movement(value)
        except ReadingError as error:
            why = str(error)
        else:
            return SentMember(what, position, number, item_id, read)
    before = order_of_before(value) if what == "order" and not has_no_text else None
    return SentMember(what, position, number, item_id, None, why, _digest(value), before)


def _digest(value: Any) -> bytes:
    """The digest of a JSON value, regardless of the order of names, white space and the spelling of numbers."""
    return hashlib.sha256(json.dumps(_plain(value), sort_keys=True).encode()).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value
