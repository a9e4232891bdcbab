"""Set-based writes of what was sold: a batch is a handful of statements, whatever its size (architecture, "How it works" 6)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db.backends.utils import CursorWrapper

from backoffice.postgres.copying import Shared, Table, bytes_array, integer_array, uuid_array

# Sorted by the caller, so that batches of different terminals that overlap cannot deadlock.
INSERT_IDENTITIES = """
INSERT INTO sales_identity (item_id, version, terminal_id, shift_id, number, content_hash, batch_id, business_date, row_id)
SELECT item_id, version, (%(terminal_ids)s::integer[])[place], (%(shift_ids)s::uuid[])[place], number, content_hash,
    (%(batch_ids)s::uuid[])[place], (%(business_dates)s::date[])[place], row_id
FROM unnest(%(item_ids)s::uuid[], %(versions)s::integer[], %(numbers)s::bigint[], %(hashes)s::bytea[], %(row_ids)s::bigint[],
    %(places)s::integer[]) AS incoming (item_id, version, number, content_hash, row_id, place)
ON CONFLICT DO NOTHING
"""

SELECT_KNOWN = """
SELECT item_id, version, terminal_id, shift_id, number, content_hash FROM sales_identity
WHERE item_id = ANY(%(item_ids)s::uuid[]) OR (terminal_id = %(terminal_id)s AND number = ANY(%(numbers)s::bigint[]))
"""

ORDERS = Table(
    "sales_order",
    {
        "id": "int8",
        "business_date": "date",
        "store_id": "int4",
        "terminal_id": "int4",
        "shift_id": "uuid",
        "batch_id": "uuid",
        "position": "int4",
        "order_id": "uuid",
        "number": "int8",
        "mode": "text",
        "kind": "text",
        "status": "text",
        "type": "text",
        "opened_at": "timestamptz",
        "closed_at": "timestamptz",
        "cashier": "text",
        "customer": "jsonb",
        "printed_to": "text",
        "refund_of": "uuid",
        "note": "text",
        "currency": "text",
        "tax": "int8",
        "rounding": "int8",
        "total": "int8",
        "tip": "int8",
        "flags": "jsonb",
        "received_at": "timestamptz",
        "posted_at": "timestamptz",
    },
)
LINES = Table(
    "sales_orderline",
    {
        "order_id": "int8",
        "position": "int2",
        "business_date": "date",
        "kind": "text",
        "sku": "text",
        "name": "text",
        "quantity": "numeric",
        "unit_price": "numeric",
        "discount": "int8",
        "amount": "int8",
        "taxes": "jsonb",
    },
    own=3,
)
PAYMENTS = Table(
    "sales_payment",
    {
        "order_id": "int8",
        "position": "int2",
        "business_date": "date",
        "method": "text",
        "amount": "int8",
        "tendered": "int8",
        "change": "int8",
        "reference": "text",
    },
)


POSTINGS = Table(
    "sales_posting",
    {"store_id": "int4", "first_id": "int8", "last_id": "int8", "batch_id": "uuid", "business_date": "date"},
)


class IdentityRow(NamedTuple):
    """One version to be remembered; `number` only where it takes that number, `place` says of which batch, from 1."""

    item_id: UUID
    version: int
    number: int | None
    content_hash: bytes
    row_id: int
    place: int


class Origin(NamedTuple):
    """Where identities come from: one batch."""

    terminal_id: int
    shift_id: UUID
    batch_id: UUID
    business_date: date


class KnownVersion(NamedTuple):
    """One version that is remembered."""

    item_id: UUID
    version: int
    terminal_id: int
    shift_id: UUID
    number: int | None
    content_hash: bytes


class OrderRow(NamedTuple):
    """A row of `sales_order`; what is JSON is encoded already."""

    id: int
    business_date: date
    store_id: int
    terminal_id: int
    shift_id: UUID
    batch_id: UUID
    position: int
    order_id: UUID
    number: int
    mode: str
    kind: str
    status: str
    type: str | None
    opened_at: datetime
    closed_at: datetime
    cashier: str
    customer: msgspec.Raw | None
    printed_to: str
    refund_of: UUID | None
    note: str
    currency: str
    tax: int
    rounding: int
    total: int
    tip: int
    flags: msgspec.Raw | None
    received_at: datetime
    posted_at: datetime


OrderLineRow = tuple[int, int, date, Shared]
"""A row of `sales_orderline`: `order_id`, `position`, `business_date`, and what the line itself says."""


class PaymentRow(NamedTuple):
    """A row of `sales_payment`."""

    order_id: int
    position: int
    business_date: date
    method: str
    amount: int
    tendered: int | None
    change: int | None
    reference: str


class PostingRow(NamedTuple):
    """A row of `sales_posting`: this transaction posts orders of a batch, from one id to another."""

    store_id: int
    first_id: int
    last_id: int
    batch_id: UUID
    business_date: date


def insert_identities(cursor: CursorWrapper, rows: Sequence[IdentityRow], *, origins: Sequence[Origin]) -> None:
    """Remembers what is new among `rows`: the cursor's rowcount says how many. Waits for who inserts the same now."""
    ordered = sorted(rows, key=_by_identifier)
    cursor.execute(
        INSERT_IDENTITIES,
        {
            "terminal_ids": [origin.terminal_id for origin in origins],
            "shift_ids": [origin.shift_id for origin in origins],
            "batch_ids": [origin.batch_id for origin in origins],
            "business_dates": [origin.business_date for origin in origins],
            "item_ids": uuid_array(row.item_id for row in ordered),
            "versions": integer_array(row.version for row in ordered),
            "numbers": integer_array(row.number for row in ordered),
            "hashes": bytes_array(row.content_hash for row in ordered),
            "row_ids": integer_array(row.row_id for row in ordered),
            "places": integer_array(row.place for row in ordered),
        },
    )


def _by_identifier(row: IdentityRow) -> tuple[int, int]:
    return row.item_id.int, row.version


def select_known(
    cursor: CursorWrapper, *, terminal_id: int, item_ids: Sequence[UUID], numbers: Sequence[int]
) -> list[KnownVersion]:
    """Every remembered version of these items, and of whatever used these numbers of the terminal."""
    wanted: dict[str, Any] = {
        "terminal_id": terminal_id,
        "item_ids": uuid_array(item_ids),
        "numbers": integer_array(numbers),
    }
    cursor.execute(SELECT_KNOWN, wanted)
    return [KnownVersion(row[0], row[1], row[2], row[3], row[4], bytes(row[5])) for row in cursor.fetchall()]
