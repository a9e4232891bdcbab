"""One order of a store, for the till to which a customer brings it back, and what was given back of it (protocol §8).

Found by the unique indexes of identities, never by reading the sales tables; three statements, however much was sold. What
was given back is added up here for people and tills to see. Whether it is too much is asked again when a refund is
processed (`batch/refunds.py`), since two tills may look at the same moment.
"""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from backoffice.domain.cards.masking import mask_cards
from backoffice.domain.orders import Order
from backoffice.domain.wire.answers import GivenBackAnswer, GivingBackAnswer, OrderInBooks
from backoffice.domain.wire.envelope import decode_batch
from backoffice.domain.wire.members import read_order, read_order_of_before
from backoffice.inbox.packing import unpack
from backoffice.ingestion.batch.named import LINES_GIVING_BACK
from backoffice.postgres.rows import rows_as

# Orders in one answer that gave something back; the sum is of all.
MOST_LISTED = 1000

_SELECT = """
SELECT o.order_id, t.uuid AS terminal_id, t.name AS terminal_name, o.shift_id, o.posted_at, o.position, b.body,
    i.hash_version IS NULL AND o.batch_id = i.batch_id AS is_of_before, o.voided_by IS NOT NULL AS is_voided
FROM sales_identity i
JOIN fleet_terminal t ON t.id = i.terminal_id
JOIN sales_order o ON o.id = i.row_id AND o.business_date = i.business_date AND o.order_id = i.item_id
JOIN inbox_batch b ON b.batch_id = o.batch_id
WHERE o.store_id = %(store_id)s AND (o.status = 'paid' OR o.voided_by IS NOT NULL) AND """
SELECT_BY_IDENTIFIER = _SELECT + "i.item_id = %(order_id)s AND i.version = 0"
SELECT_BY_NUMBER = _SELECT + "t.uuid = %(terminal_id)s AND i.number = %(number)s"

# What may give it back is found by the two indexes, one order after the other (LATERAL with LIMIT): in a plain join the
# planner reads whole months where it believes that there is much. The columns are the fields of `_Returning`.
SELECT_GIVEN_BACK = """
SELECT o.order_id, t.uuid AS terminal_id, o.number, o.closed_at, given.amount, sum(given.amount) OVER ()::bigint AS whole
FROM (
    SELECT id, business_date FROM sales_order WHERE refund_of = %(order_id)s
    UNION
    SELECT order_id, business_date FROM sales_orderline WHERE refund_of = %(order_id)s
) found
CROSS JOIN LATERAL (
    SELECT * FROM sales_order posted
    WHERE posted.id = found.id AND posted.business_date = found.business_date
        AND posted.store_id = %(store_id)s AND posted.status = 'paid'
    LIMIT 1
) o
CROSS JOIN LATERAL (
    SELECT sum(line.amount)::bigint AS amount FROM sales_shift s CROSS JOIN LATERAL ({lines}) AS line
    WHERE s.shift_id = o.shift_id AND line.original = %(order_id)s
) given
JOIN fleet_terminal t ON t.id = o.terminal_id
WHERE given.amount <> 0
ORDER BY o.id LIMIT %(limit)s
""".replace("{lines}", LINES_GIVING_BACK)  # nosec B608


class NotInBooks(Exception):
    """The store has posted no such paid order."""


class _Found(NamedTuple):
    """Where an order is, the body that brought it, and whether that was before there was version 2 (ADR 27)."""

    order_id: UUID
    terminal_id: UUID
    terminal_name: str
    shift_id: UUID
    posted_at: datetime
    position: int
    body: bytes
    is_of_before: bool
    is_voided: bool


class _Returning(NamedTuple):
    """An order that gives something back, how much, and how much all of them do."""

    order_id: UUID
    terminal_id: UUID
    number: int
    closed_at: datetime
    amount: int
    whole: int


def find_store_order(*, store_id: int, order_id: UUID) -> OrderInBooks:
    """The order with this identifier. Raises NotInBooks, also for orders of other stores."""
    return _look_up(SELECT_BY_IDENTIFIER, {"store_id": store_id, "order_id": order_id})


def find_store_order_by_number(*, store_id: int, terminal_id: UUID, number: int) -> OrderInBooks:
    """The order that took this number of a terminal. Raises NotInBooks, also for terminals of other stores."""
    return _look_up(SELECT_BY_NUMBER, {"store_id": store_id, "terminal_id": terminal_id, "number": number})


def _look_up(statement: str, wanted: dict[str, Any]) -> OrderInBooks:
    with connection.cursor() as cursor:
        cursor.execute(statement, wanted)
        rows = rows_as(_Found, cursor)
        if not rows:
            raise NotInBooks
        (found,) = rows
        given_back = _given_back(cursor, store_id=wanted["store_id"], order_id=found.order_id)
    return OrderInBooks(
        order=_as_sent(found),
        state="voided" if found.is_voided else "posted",
        terminal_id=found.terminal_id,
        terminal_name=found.terminal_name,
        shift_id=found.shift_id,
        posted_at=found.posted_at,
        given_back=given_back,
    )


def _given_back(cursor: CursorWrapper, *, store_id: int, order_id: UUID) -> GivenBackAnswer:
    asked: dict[str, Any] = {"store_id": store_id, "order_id": order_id, "limit": MOST_LISTED}
    cursor.execute(SELECT_GIVEN_BACK, asked)
    rows = rows_as(_Returning, cursor)
    by = [GivingBackAnswer(*row[:-1]) for row in rows]
    return GivenBackAnswer(amount=rows[0].whole if rows else 0, by=by)


def _as_sent(found: _Found) -> Order:
    raw = unpack(found.body).orders[found.position]
    # An earlier version masked less (ADR 21).
    masked = decode_batch(mask_cards(b'{"orders":[%b]}' % raw).body, max_orders=1).orders[0]
    order = read_order_of_before(masked) if found.is_of_before else read_order(masked, max_bytes=len(masked))
    assert isinstance(order, Order)  # noqa: S101 - it was posted
    return order
