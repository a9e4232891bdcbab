"""What is waiting: batches for a worker, entries for a seal, silent terminals, shifts that lack something.

Read from indexes that hold little else.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from backoffice.inbox.claims import oldest_waiting

# An older waiting batch means that nothing is being processed.
WAITED_TOO_LONG_S = 300
# The sealer runs every minute, and lets uploads go first.
UNSEALED_TOO_LONG_S = 900
# A till that sells is heard from far more often; one that sells offline is silent, and that is what this should find.
SILENT_AFTER = timedelta(minutes=settings.SILENT_AFTER_MINUTES)
# Uploads follow a close within seconds, or minutes on a bad line.
CLOSING_TOO_LONG = timedelta(hours=1)

COUNT_WAITING = """
SELECT count(*) FILTER (WHERE state = 'received'), count(*) FILTER (WHERE state = 'failed')
FROM inbox_batch WHERE state <> 'processed'
"""
COUNT_SILENT = """
SELECT count(*) FROM (SELECT DISTINCT terminal_id FROM sales_shift WHERE state = 'open' AND recorded_end IS NULL) AS at_work
LEFT JOIN fleet_heartbeat h USING (terminal_id)
WHERE coalesce(h.received_at, '-infinity') < %(since)s
    AND NOT EXISTS (SELECT FROM inbox_batch b WHERE b.terminal_id = at_work.terminal_id AND b.received_at >= %(since)s)
    AND NOT EXISTS (SELECT FROM sales_shift s WHERE s.terminal_id = at_work.terminal_id AND s.received_at >= %(since)s)
"""
COUNT_SHIFTS = """
SELECT count(*) FILTER (WHERE state = 'closing' AND close_received_at < %(since)s),
    count(*) FILTER (WHERE state = 'discrepant')
FROM sales_shift WHERE state NOT IN ('reconciled', 'approved')
"""
# What goes to people and their programs, from indexes of what is open or waiting; what was given up, of the last day.
COUNT_TOLD = """
SELECT (SELECT count(*) FROM alerts_alert WHERE place >= 2),
    (SELECT count(*) FROM alerts_webhookdelivery WHERE state = 'waiting'),
    (SELECT count(*) FROM alerts_webhookdelivery WHERE state = 'failed' AND ended_at > %(since)s),
    (SELECT count(*) FROM alerts_alertmail WHERE sent_at IS NULL AND failed_at IS NULL)
"""
A_DAY = timedelta(days=1)
# An authority may be away for a night, and the stamp is no worse for it.
UNSTAMPED_TOO_LONG_S = 24 * 3600
SELECT_UNSTAMPED = "SELECT began_at, error FROM evidence_stamptry ORDER BY began_at LIMIT 1"
# The first entry behind the sealer's mark that has no seal. A mark that no transaction has reached came with a dump from
# another cluster, as did entries that seem to be of later ones: those have had their seals.
SELECT_UNSEALED = """
WITH next AS (
    SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xid
), mark AS (
    SELECT (CASE WHEN m.xid < next.xid THEN m.xid ELSE 0 END)::text::xid8 AS xid, m.row_id, next.xid::text::xid8 AS next
    FROM evidence_sealmark m, next WHERE m.source = 'entry'
)
SELECT e.posted_at FROM ledger_journalentry e
WHERE (e.xid, e.id) > (SELECT xid, row_id FROM mark) AND e.xid < (SELECT next FROM mark)
    AND NOT EXISTS (SELECT FROM evidence_leaf f WHERE f.kind = 'entry' AND f.row_id = e.id)
ORDER BY e.xid, e.id LIMIT 1
"""


class Unstamped(NamedTuple):
    """For how many seconds a checkpoint has waited for its time stamp, and why; 0 where none waits."""

    seconds: float = 0.0
    error: str = ""


class Backlog(NamedTuple):
    """Counts as of now. `oldest_s` is the age of the oldest batch that is due, `unsealed_s` of the oldest entry without a
    seal; or 0. `unstamped` is the checkpoint that waits for its time stamp.
    """

    waiting: int
    failed: int
    oldest_s: float
    held: int
    silent_terminals: int
    closing_too_long: int
    discrepant: int
    unsealed_s: float
    unstamped: Unstamped
    alerts: int
    webhooks_waiting: int
    webhooks_failed: int
    mails_waiting: int


def read_backlog(*, now: datetime) -> Backlog:
    """Counts what is unsettled, in eight statements. Raises DatabaseError."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_WAITING)
        waiting, failed = cursor.fetchone() or (0, 0)
        cursor.execute(COUNT_SHIFTS, _since(now - CLOSING_TOO_LONG))
        closing, discrepant = cursor.fetchone() or (0, 0)
        cursor.execute(COUNT_SILENT, _since(now - SILENT_AFTER))
        (silent,) = cursor.fetchone() or (0,)
        cursor.execute("SELECT count(*) FROM sales_helditem WHERE decision_id IS NULL")
        (held,) = cursor.fetchone() or (0,)
        cursor.execute(COUNT_TOLD, _since(now - A_DAY))
        alerts, webhooks_waiting, webhooks_failed, mails_waiting = cursor.fetchone() or (0, 0, 0, 0)
    return Backlog(
        waiting=waiting,
        failed=failed,
        oldest_s=oldest_waiting_s(now=now),
        held=held,
        silent_terminals=silent,
        closing_too_long=closing,
        discrepant=discrepant,
        unsealed_s=oldest_unsealed_s(now=now),
        unstamped=newest_unstamped(now=now),
        alerts=alerts,
        webhooks_waiting=webhooks_waiting,
        webhooks_failed=webhooks_failed,
        mails_waiting=mails_waiting,
    )


def oldest_waiting_s(*, now: datetime) -> float:
    """How long the oldest batch that is due has waited, in seconds, or 0. Raises DatabaseError."""
    waited = oldest_waiting(now=now)
    return 0.0 if waited is None else waited.total_seconds()


def oldest_unsealed_s(*, now: datetime) -> float:
    """For how long the oldest entry without a seal has stood in the books, in seconds, or 0. Raises DatabaseError."""
    with connection.cursor() as cursor:
        cursor.execute(SELECT_UNSEALED)
        row = cursor.fetchone()
    return 0.0 if row is None else max(0.0, (now - row[0]).total_seconds())


def newest_unstamped(*, now: datetime) -> Unstamped:
    """How long, and why, a checkpoint has waited for its time stamp. None waits where no authority is asked."""
    with connection.cursor() as cursor:
        cursor.execute(SELECT_UNSTAMPED)
        row = cursor.fetchone()
    return Unstamped() if row is None else Unstamped(max(0.0, (now - row[0]).total_seconds()), row[1])


def _since(moment: datetime) -> dict[str, Any]:
    return {"since": moment}
