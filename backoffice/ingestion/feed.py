"""What the terminals of a store see of each other's sales: every posted paid order once, none skipped (protocol §8).

Transactions do not commit in the order in which they begin. A reader that followed ids or times would miss an order
whose transaction commits late. So each posting records its transaction id, and a page stops before the oldest
transaction that may still post for the store: whatever commits later has a higher id. ADR 10.
"""

import base64
import binascii
import re
from typing import Any, NamedTuple

from django.db import connection

from backoffice.domain.wire.answers import StoreOrder, StoreOrdersAnswer
from backoffice.ingestion.horizon import horizon

MAX_PAGE = 1000
DEFAULT_PAGE = 200
POSITION = re.compile(r"(\d{1,20})\.(\d{1,19})")

# One posting after the other in the order of the index, each with its own orders. In a plain join the planner would read
# all months from end to end, since it does not believe that a page is short; the inner LIMIT keeps it from that. The
# columns are the fields of `StoreOrder` in order, then the position behind the order.
SELECT_PAGE = """
SELECT o.order_id, o.number, t.uuid, t.uuid, t.name, o.kind, o.total, o.mode, o.closed_at, o.posted_at, p.xid::text, o.id
FROM sales_posting p
CROSS JOIN LATERAL (
    SELECT * FROM sales_order posted
    WHERE posted.id BETWEEN p.first_id AND p.last_id AND posted.business_date = p.business_date
        AND posted.batch_id = p.batch_id AND posted.status = 'paid'
        AND (p.xid > %(xid)s::text::xid8 OR posted.id > %(row_id)s)
    ORDER BY posted.id LIMIT %(limit)s
) o
JOIN fleet_terminal t ON t.id = o.terminal_id
WHERE p.store_id = %(store_id)s AND p.xid >= %(xid)s::text::xid8 AND p.xid < greatest(%(horizon)s::text::xid8, pg_snapshot_xmin(pg_current_snapshot()))
ORDER BY p.xid, o.id LIMIT %(limit)s
"""

# Whether the cursor is from the future, and whether something is there that the oldest running transaction holds back.
SELECT_STANDING = """
SELECT %(xid)s::text::xid8 >= pg_snapshot_xmax(pg_current_snapshot()), EXISTS (
    SELECT FROM sales_posting WHERE store_id = %(store_id)s
        AND xid >= greatest(%(xid)s::text::xid8, pg_snapshot_xmin(pg_current_snapshot()))
)
"""


class CursorInvalid(Exception):
    """This service did not issue that cursor."""


class Position(NamedTuple):
    """The last order that a reader has seen: its transaction, and its row."""

    xid: int
    row_id: int


START = Position(0, 0)


def read_cursor(text: str) -> Position:
    """The position in a cursor; an empty cursor is the beginning. Raises CursorInvalid."""
    if not text:
        return START
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        raise CursorInvalid from None
    found = POSITION.fullmatch(plain)
    if found is None or int(found[1]) >= 2**64 or int(found[2]) >= 2**63:
        raise CursorInvalid
    position = Position(int(found[1]), int(found[2]))
    if write_cursor(position) != text:  # the decoder skips characters that are not base64
        raise CursorInvalid
    return position


def write_cursor(position: Position) -> str:
    """A position as opaque text: letters, digits, `-` and `_`."""
    return base64.urlsafe_b64encode(f"{position.xid}.{position.row_id}".encode()).decode().rstrip("=")


def store_orders(*, store_id: int, after: Position, limit: int) -> StoreOrdersAnswer:
    """One page of a store's orders in the order in which they can be followed; `more` says that another is ready.

    Raises CursorInvalid for a cursor from the future: the database has been restored to an earlier point since.
    """
    with connection.cursor() as cursor:
        asked: dict[str, Any] = {"store_id": store_id, "xid": str(after.xid)}
        cursor.execute(SELECT_STANDING, asked)
        is_from_the_future, is_held_back = cursor.fetchone() or (False, False)
        if is_from_the_future:
            raise CursorInvalid
        asked |= {"row_id": after.row_id, "limit": limit + 1}
        asked["horizon"] = horizon(cursor, store_id=store_id) if is_held_back else None
        cursor.execute(SELECT_PAGE, asked)
        rows = cursor.fetchall()
    orders, last = [], after
    for *fields, xid, row_id in rows[:limit]:
        orders.append(StoreOrder(*fields))
        last = Position(int(xid), row_id)
    return StoreOrdersAnswer(orders=orders, next=write_cursor(last), more=len(rows) > limit)
