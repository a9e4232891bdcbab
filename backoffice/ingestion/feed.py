"""What the terminals of a store see of each other's sales: every posted paid order once, none skipped (protocol §8).

Transactions commit in another order than they begin. A reader that follows ids, or times, would pass over an order
whose transaction commits late. So each posting notes its transaction id, and a page stops before the oldest
transaction that may still be under way: what commits later has a higher one. ADR 10.
"""

import base64
import binascii
import re
from typing import Any, NamedTuple

from django.db import connection

MAX_PAGE = 1000
DEFAULT_PAGE = 200
POSITION = re.compile(r"(\d{1,20})\.(\d{1,19})")

# Posting by posting in the order of the index, each with its own orders: joined as a whole, the planner would rather read
# all months from end to end than believe that a page is short. The inner LIMIT keeps it from trying.
SELECT_PAGE = """
SELECT o.order_id, o.number, t.uuid, o.kind, o.total, o.mode, o.closed_at, o.posted_at, p.xid::text, o.id
FROM sales_posting p
CROSS JOIN LATERAL (
    SELECT * FROM sales_order posted
    WHERE posted.id BETWEEN p.first_id AND p.last_id AND posted.business_date = p.business_date
        AND posted.batch_id = p.batch_id AND posted.status = 'paid'
        AND (p.xid > %(xid)s::text::xid8 OR posted.id > %(order_id)s)
    ORDER BY posted.id LIMIT %(limit)s
) o
JOIN fleet_terminal t ON t.id = o.terminal_id
WHERE p.store_id = %(store_id)s AND p.xid >= %(xid)s::text::xid8 AND p.xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY p.xid, o.id LIMIT %(limit)s
"""


class CursorInvalid(Exception):
    """The cursor is none that this service gave."""


class Position(NamedTuple):
    """Behind which transaction and order a reader stands."""

    xid: int
    order_id: int


START = Position(0, 0)


def read_cursor(text: str) -> Position:
    """The position that a cursor stands for; an empty one is the beginning. Raises CursorInvalid."""
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
    if write_cursor(position) != text:  # base64 passes over characters that are not its own
        raise CursorInvalid
    return position


def write_cursor(position: Position) -> str:
    """The opaque text for a position: letters, digits, `-` and `_`."""
    return base64.urlsafe_b64encode(f"{position.xid}.{position.order_id}".encode()).decode().rstrip("=")


def store_orders(*, store_id: int, after: Position, limit: int) -> dict[str, Any]:
    """One page of a store's orders in the order in which they can be followed; `more` says that another is ready.

    Raises CursorInvalid for a cursor from the future: the database was restored to an earlier point since.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text::xid8 >= pg_snapshot_xmax(pg_current_snapshot())", [str(after.xid)])
        if (cursor.fetchone() or (False,))[0]:
            raise CursorInvalid
        cursor.execute(
            SELECT_PAGE, {"store_id": store_id, "xid": str(after.xid), "order_id": after.order_id, "limit": limit + 1}
        )
        rows = cursor.fetchall()
    page = rows[:limit]
    last = Position(int(page[-1][8]), page[-1][9]) if page else after
    return {
        "orders": [
            {
                "order_id": str(row[0]),
                "number": row[1],
                "terminal": str(row[2]),
                "kind": row[3],
                "total": row[4],
                "mode": row[5],
                "closed_at": row[6],
                "posted_at": row[7],
            }
            for row in page
        ],
        "next": write_cursor(last),
        "more": len(rows) > limit,
    }
