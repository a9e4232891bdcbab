"""What was posted and held for a chunk of batches, read in a handful of statements, each using an index.

Rows come back in the shapes of `values`, so that they can be compared with what the bytes say.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

from backoffice.audit.values import Customer, Line, Movement, Order, Payment, Tax

# A held item has the time at which its batch was received, which is indexed.
SELECT_HELD = """
SELECT id, batch_id::text, what, position, outcome, item_id::text, order_id::text, number, content_hash, store_id,
    terminal_id, shift_id::text, decision_id::text
FROM sales_helditem WHERE received_at = ANY(%s) AND batch_id = ANY(%s::uuid[])
"""

SELECT_VERSIONS = """
SELECT item_id::text, version, terminal_id, number, content_hash, batch_id::text, business_date, row_id, hash_version
FROM sales_identity WHERE item_id = ANY(%s::uuid[])
"""

SELECT_ORDERS = """
SELECT id, business_date, store_id, terminal_id, shift_id::text, batch_id::text, position, currency, received_at, tax,
    lines_refund, order_id::text, number, mode, kind, status, type, opened_at, closed_at, cashier, customer, printed_to,
    refund_of::text, adjusts::text, note, rounding, total, tip
FROM sales_order WHERE id = ANY(%s) AND business_date = ANY(%s)
"""

SELECT_LINES = """
SELECT order_id, kind, sku, name, quantity, unit_price, discount, amount, refund_of::text, taxes
FROM sales_orderline WHERE order_id = ANY(%s) AND business_date = ANY(%s) ORDER BY order_id, position
"""

SELECT_PAYMENTS = """
SELECT order_id, method, amount, tendered, change, reference
FROM sales_payment WHERE order_id = ANY(%s) AND business_date = ANY(%s) ORDER BY order_id, position
"""

SELECT_MOVEMENTS = """
SELECT store_id, terminal_id, shift_id::text, batch_id::text, position, movement_id::text, kind, amount, reason,
    occurred_at, cashier
FROM sales_cashmovement WHERE movement_id = ANY(%s::uuid[])
"""


class Held(NamedTuple):
    """One held item; `item_id` is the key of its identity, `decision_id` says by what it is held no more."""

    id: int
    batch_id: str
    what: str
    position: int
    outcome: str
    item_id: str
    order_id: str | None
    number: int | None
    content_hash: bytes
    store_id: int
    terminal_id: int
    shift_id: str
    decision_id: str | None


class Version(NamedTuple):
    """One known version of an order or movement, from `sales_identity`."""

    item_id: str
    version: int
    terminal_id: int
    number: int | None
    content_hash: bytes
    batch_id: str
    business_date: date
    row_id: int
    hash_version: int | None

    @property
    def is_of_before(self) -> bool:
        """Whether it was decided by the rules which there were before orders adjusted others."""
        return self.hash_version is None


class OrderPlace(NamedTuple):
    """The columns of an order that come from its batch, and two that sum it up.

    These are its taxes, and what its lines give back: a JSON array of identifiers, None if they name none.
    """

    business_date: date
    store_id: int
    terminal_id: int
    shift_id: str
    batch_id: str
    position: int
    currency: str
    received_at: datetime
    tax: int
    lines_refund: str | None


class MovementPlace(NamedTuple):
    """The columns of a cash movement that come from its batch."""

    store_id: int
    terminal_id: int
    shift_id: str
    batch_id: str
    position: int


class FoundOrder(NamedTuple):
    """A row of `sales_order` with its lines and payments."""

    place: OrderPlace
    order: Order


class FoundMovement(NamedTuple):
    """A row of `sales_cashmovement`."""

    place: MovementPlace
    movement: Movement


def load_held(
    cursor: CursorWrapper, received: Sequence[datetime], batch_ids: Sequence[str]
) -> dict[tuple[str, str, int], Held]:
    """The held items of these batches, by batch, `order` or `movement`, and position."""
    cursor.execute(SELECT_HELD, [list(received), list(batch_ids)])
    rows = (Held._make((*row[:8], bytes(row[8]), *row[9:])) for row in cursor.fetchall())
    return {(held.batch_id, held.what, held.position): held for held in rows}


def load_versions(cursor: CursorWrapper, item_ids: Collection[str]) -> dict[str, list[Version]]:
    """Every known version of these items."""
    cursor.execute(SELECT_VERSIONS, [list(item_ids)])
    versions: dict[str, list[Version]] = defaultdict(list)
    for row in cursor.fetchall():
        versions[row[0]].append(Version._make((*row[:4], bytes(row[4]), *row[5:])))
    return versions


def load_orders(cursor: CursorWrapper, ids: Sequence[int], dates: Sequence[date]) -> dict[int, FoundOrder]:
    """The orders with these row ids, which are booked on these dates."""
    key: list[Any] = [list(ids), list(dates)]
    lines: dict[int, list[Line]] = defaultdict(list)
    cursor.execute(SELECT_LINES, key)
    for order_id, *columns, taxes in cursor.fetchall():
        lines[order_id].append(Line._make((*columns, _taxes(taxes))))
    payments: dict[int, list[Payment]] = defaultdict(list)
    cursor.execute(SELECT_PAYMENTS, key)
    for order_id, *columns in cursor.fetchall():
        payments[order_id].append(Payment(*columns))
    cursor.execute(SELECT_ORDERS, key)
    return {row[0]: _found_order(row, tuple(lines[row[0]]), tuple(payments[row[0]])) for row in cursor.fetchall()}


def load_movements(cursor: CursorWrapper, movement_ids: Collection[str]) -> dict[str, FoundMovement]:
    """The cash movements with these identifiers."""
    cursor.execute(SELECT_MOVEMENTS, [list(movement_ids)])
    return {row[5]: FoundMovement(MovementPlace(*row[:5]), Movement(*row[5:])) for row in cursor.fetchall()}


def _found_order(row: tuple[Any, ...], lines: tuple[Line, ...], payments: tuple[Payment, ...]) -> FoundOrder:
    customer = None if row[20] is None else Customer(row[20])
    return FoundOrder(OrderPlace._make(row[1:11]), Order._make((*row[11:20], customer, *row[21:], lines, payments)))


# The lines of a whole day share a handful of taxes.
@lru_cache(maxsize=8192)
def _taxes(text: str) -> tuple[Tax, ...]:
    try:
        return tuple(
            Tax(tax["code"], Decimal(tax["rate"]), tax["amount"], tax.get("kind", "percent"))
            for tax in json.loads(text)
        )
    except (KeyError, TypeError, AttributeError, ArithmeticError):
        return (Tax(f"unreadable: {text}", Decimal(0), 0),)
