"""Up to which transaction a store's feed may be read: the oldest that may still post for that store (ADR 10 and 24).

A reader cannot know for which stores a running transaction will post, so it stops before the oldest of all. A large one
would hold back every feed for seconds: it announces its stores, and the feeds of others need not wait for it. Only what
has announced all of its stores is passed over, so whoever announces nothing is waited for, as ever.
"""

from collections.abc import Collection

from django.db import connection
from django.db.backends.utils import CursorWrapper

from backoffice.postgres.arrays import integer_array
from backoffice.postgres.pipeline import pipelined
from backoffice.postgres.transactions import transaction_required

# Bytes of members from which on a transaction takes so long that others' feeds would notice.
LARGE = 1_000_000

# Shared locks, for which nobody ever waits: they are there to be read. The last says that the list is complete. Pairs of
# numbers beside the store's own lock, (1, store).
ANNOUNCE_STORES = "SELECT pg_advisory_xact_lock_shared(2, store_id) FROM unnest(%s::integer[]) AS store_id"
ANNOUNCE_END = "SELECT pg_advisory_xact_lock_shared(3, 0)"

# The locks are read once, so that they are those of one moment; the page is read by a statement after this one. Whoever
# begins later has a higher id than any here, and whoever ended meanwhile is seen in the page.
SELECT_HORIZON = """
WITH held AS MATERIALIZED (
    SELECT virtualtransaction AS holder, locktype, transactionid, classid, objid FROM pg_locks
    WHERE granted AND (locktype = 'transactionid' AND mode = 'ExclusiveLock' OR locktype = 'advisory' AND objsubid = 2
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
), elsewhere AS (
    SELECT one.transactionid FROM held one WHERE one.locktype = 'transactionid'
        AND EXISTS (SELECT FROM held e WHERE e.holder = one.holder AND e.locktype = 'advisory' AND e.classid = 3)
        AND NOT EXISTS (
            SELECT FROM held s WHERE s.holder = one.holder AND s.locktype = 'advisory' AND s.classid = 2
                AND s.objid = %s::integer::oid
        )
)
SELECT coalesce((
    SELECT running.xid FROM pg_snapshot_xip(pg_current_snapshot()) AS running (xid)
    WHERE running.xid::xid NOT IN (SELECT transactionid FROM elsewhere) ORDER BY running.xid LIMIT 1
), pg_snapshot_xmax(pg_current_snapshot()))::text
"""


@transaction_required
def announce_stores(cursor: CursorWrapper, store_ids: Collection[int]) -> None:
    """Says, until the transaction ends, that it posts for these stores and for no other."""
    with connection.cursor() as end, pipelined():
        cursor.execute(ANNOUNCE_STORES, [integer_array(sorted(store_ids))])
        end.execute(ANNOUNCE_END)


def horizon(cursor: CursorWrapper, *, store_id: int) -> str:
    """The oldest transaction that may still post for the store, or the next that begins. Ask before the page is read."""
    cursor.execute(SELECT_HORIZON, [store_id])
    row: tuple[str] = cursor.fetchone()
    return row[0]
