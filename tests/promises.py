"""What holds after everything that may happen, asked of PostgreSQL alone (docs/reliability.md).

Works on a cursor of Django's or of psycopg's, and reads none of the service's code.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Iterable
from typing import Any

MAX_MEMBER_BYTES = 256 * 1024
CANONICAL_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

# (1) Every order of a batch that was answered 2xx is posted or held.
LOST = """
SELECT sent.id FROM unnest(%s::uuid[]) AS sent (id)
WHERE NOT EXISTS (SELECT FROM sales_order o WHERE o.order_id = sent.id)
    AND NOT EXISTS (SELECT FROM sales_helditem h WHERE h.order_id = sent.id)
"""
# A member of a processed batch is posted, known already, or held: nothing is dropped, nothing counted twice.
UNACCOUNTED = """
SELECT b.batch_id FROM inbox_batch b
WHERE b.state = 'processed' AND (
    b.order_count <> (SELECT coalesce(sum(value::int), 0) FROM jsonb_each_text(b.outcomes))
    OR b.movement_count <> (SELECT coalesce(sum(value::int), 0) FROM jsonb_each_text(b.movement_outcomes))
    OR coalesce((b.outcomes ->> 'posted')::int, 0) <> (SELECT count(*) FROM sales_order o WHERE o.batch_id = b.batch_id)
    OR coalesce((b.outcomes ->> 'held')::int, 0) + coalesce((b.outcomes ->> 'conflict')::int, 0)
        <> (SELECT count(*) FROM sales_helditem h WHERE h.batch_id = b.batch_id AND h.what = 'order'))
"""
# (2) At most one journal entry per order.
POSTED_TWICE = "SELECT order_id FROM sales_order GROUP BY order_id HAVING count(*) > 1"
ENTERED_TWICE = """
SELECT source_kind, source_id, source_number FROM ledger_journalentry
GROUP BY source_kind, source_id, source_number HAVING count(*) > 1
"""
# (3) Every entry, and all accounts of a currency together, sum to zero.
UNBALANCED = """
SELECT entry_id::text FROM ledger_journalline GROUP BY entry_id, currency HAVING sum(debit) <> sum(credit)
UNION ALL
SELECT id::text FROM ledger_journalentry e WHERE NOT EXISTS (SELECT FROM ledger_journalline l WHERE l.entry_id = e.id)
UNION ALL
SELECT currency FROM ledger_journalline GROUP BY currency HAVING sum(debit) <> sum(credit)
"""


def broken_promises(cursor: Any, *, acknowledged: Iterable[str] = (), batches: Iterable[str] = ()) -> list[str]:
    """What is not as promised, in words; nothing where all four promises hold.

    `acknowledged` are the identifiers of orders whose batch was answered 2xx; nothing of it may be waiting any more.
    `batches` are those of batches that were answered 2xx: each must be there, and once it is processed so must be its
    orders. Those of a batch that still waits, or is failed, count as held.
    """
    cursor.execute("SELECT batch_id::text, body, digest, state FROM inbox_batch")
    stored = [(batch_id, zlib.decompress(body), bytes(digest), state) for batch_id, body, digest, state in cursor]
    promised = {str(batch_id) for batch_id in batches}
    broken = [f"lost: the batch {batch_id}" for batch_id in sorted(promised - {row[0] for row in stored})]
    sent = list(acknowledged)
    for batch_id, body, _, state in stored:
        if batch_id in promised and state == "processed":
            sent += order_ids(body)
    cursor.execute(LOST, [sent])
    broken += [f"lost: {row}" for row in cursor.fetchall()]
    for what, question in (
        ("unaccounted", UNACCOUNTED),
        ("posted twice", POSTED_TWICE),
        ("entered twice", ENTERED_TWICE),
        ("unbalanced", UNBALANCED),
    ):
        cursor.execute(question)
        broken += [f"{what}: {row}" for row in cursor.fetchall()]
    # (4) The stored body still hashes to its digest.
    broken += [
        f"changed: the body of {batch_id}"
        for batch_id, body, digest, _ in stored
        if hashlib.sha256(body).digest() != digest
    ]
    return broken


def order_ids(body: bytes) -> list[str]:
    """The identifiers in a batch's body, as far as they can be read: what has none is counted, see UNACCOUNTED.

    An order above 256 KiB is held unread, so it has none.
    """
    orders = json.loads(body, parse_int=str, parse_float=str).get("orders", [])
    if len(body) > MAX_MEMBER_BYTES:
        orders = [order for order in orders if len(json.dumps(order)) <= MAX_MEMBER_BYTES]
    found = [order.get("order_id") for order in orders if isinstance(order, dict)]
    return [name for name in found if isinstance(name, str) and CANONICAL_UUID.fullmatch(name)]
