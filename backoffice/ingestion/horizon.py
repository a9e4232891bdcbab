"""Up to which transaction a store's feed may be read: the oldest that may still post for that store (ADR 10 and 24).

A reader cannot know for which stores a running transaction will post, so it stops before the oldest of all. One that
posts a large batch, or waits for a processor, would hold back every feed for seconds: so each announces its stores as it
locks its batches, and the feeds of others need not wait for it. Only what has announced all of its stores is passed over,
so whoever announces nothing is waited for, as ever.
"""

from django.db.backends.utils import CursorWrapper

# Shared locks, for which only whoever locks a period waits (ADR 39): they are there to be read, until the transaction ends.
# Pairs of numbers beside the store's own lock, (1, store). `LOCK_BATCHES` takes those of the stores, (2, store); this one
# says that no more will come.
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


def horizon(cursor: CursorWrapper, *, store_id: int) -> str:
    """The oldest transaction that may still post for the store, or the next that begins. Ask before the page is read."""
    cursor.execute(SELECT_HORIZON, [store_id])
    row: tuple[str] = cursor.fetchone()
    return row[0]
