"""The inbox as a queue: who may try which batch, and what a failed try leaves behind."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from backoffice.domain.wire.envelope import Envelope
from backoffice.postgres.rows import named_rows

ISOLATE_AFTER = 2  # attempts that crashed before a batch is taken order by order
MOST_COUNTED = 1000  # a failed batch is tried for ever
FAIL_AFTER = 5  # attempts that crashed before people are told
# A failed batch is retried at growing distances, each twice the one before (protocol §5): what kills its worker does so
# ever more rarely.
FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=10), timedelta(days=1)
# Between counting an attempt and locking the batch, its body is read. Others leave it alone this long, and as long again
# for every quarter of a megabyte; the lock takes over then. The slowest body, on a busy machine, takes a third of that.
CLAIM_GRACE = timedelta(seconds=1)

# What a transaction costs is shared by small batches: so many first tries share one, with so many members and bytes in
# all (ADR 13). Five hundred common orders have half as many bytes.
BATCHES_TOGETHER = 16
MEMBERS_TOGETHER = 500
BYTES_TOGETHER = 1_000_000
MOST_SAID = 2000  # characters of an error that are kept

# The terminal's row is locked with the batch, so that one terminal's batches run one after the other while nobody
# waits: what is being worked on is skipped, and stays where it is (ctid) once it is locked. What was tried before is tried
# alone: it may have killed its worker. What is put off for longer than any rule does was dated by a machine whose clock is
# ahead: it is due now, or it would wait until the other clocks have caught up. One that becomes `failed` here is not tried,
# so that is no attempt.
CLAIM_NEXT = """
WITH due AS (
    SELECT inbox_batch.ctid, batch_id, inbox_batch.state AS was, due_at, attempts AS before,
        order_count + movement_count AS members, size
    FROM inbox_batch JOIN fleet_terminal ON fleet_terminal.id = inbox_batch.terminal_id
    WHERE inbox_batch.state <> 'processed' AND (inbox_batch.due_at <= %(now)s
        OR inbox_batch.due_at > %(now)s + CASE WHEN inbox_batch.state = 'failed' THEN interval '10 minutes' + least(
            %(first_retry)s * 2 ^ least(greatest(attempts - %(fail_after)s, 0), 10), %(longest_retry)s) ELSE interval '1 minute' END)
    ORDER BY inbox_batch.due_at LIMIT %(most)s
    FOR NO KEY UPDATE OF inbox_batch, fleet_terminal SKIP LOCKED
), counted AS (
    SELECT *, row_number() OVER sooner AS place, max(before) OVER sooner AS tried,
        sum(members) OVER sooner AS members_so_far, sum(size) OVER sooner AS bytes_so_far
    FROM due WINDOW sooner AS (ORDER BY due_at, batch_id)
), next AS (
    SELECT * FROM counted WHERE place = 1 OR tried = 0 AND members_so_far <= %(members)s AND bytes_so_far <= %(bytes)s
)
UPDATE inbox_batch SET
    attempts = CASE WHEN attempts >= %(fail_after)s AND state <> 'failed' THEN attempts ELSE least(attempts + 1, %(most_counted)s) END,
    state = CASE WHEN attempts >= %(fail_after)s THEN 'failed' ELSE state END,
    due_at = %(now)s + CASE WHEN attempts < %(fail_after)s THEN %(grace)s * (1 + next.size / 250000) ELSE least(
        %(first_retry)s * 2 ^ least(attempts - %(fail_after)s + (state = 'failed')::integer, 10), %(longest_retry)s) END
FROM next WHERE inbox_batch.ctid = next.ctid
RETURNING inbox_batch.batch_id, inbox_batch.attempts, next.place, CASE WHEN next.was = inbox_batch.state THEN body END AS body,
    set_config('synchronous_commit', 'off', true)
"""

GIVE_BACK = """
UPDATE inbox_batch SET attempts = greatest(attempts - 1, 0), due_at = CASE WHEN state = 'failed' THEN %s ELSE received_at END
WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM inbox_batch WHERE batch_id = ANY(%s) AND state <> 'processed' FOR NO KEY UPDATE SKIP LOCKED
))
"""

COUNT_FAILURE = """
UPDATE inbox_batch SET last_error = %(error)s,
    state = CASE WHEN attempts >= %(fail_after)s THEN 'failed' ELSE state END,
    due_at = %(now)s + CASE WHEN attempts < %(fail_after)s THEN attempts * interval '1 second'
        ELSE least(%(first_retry)s * 2 ^ least(attempts - %(fail_after)s, 10), %(longest_retry)s) END
WHERE batch_id = %(batch_id)s AND state <> 'processed'
RETURNING state
"""

# Whoever waited in vain for a lock comes back soon, but not at once: after a quarter of the batch's age, half a minute at most.
PUT_OFF = """
UPDATE inbox_batch SET last_error = %(error)s, attempts = greatest(attempts - 1, 0),
    due_at = %(now)s + least(greatest((%(now)s - received_at) / 4, interval '1 second'), interval '30 seconds')
WHERE batch_id = %(batch_id)s AND state <> 'processed'
"""

# A failed batch waits from when it is due again: that it failed is told elsewhere.
SELECT_OLDEST = """
SELECT min(CASE WHEN state = 'failed' THEN due_at ELSE received_at END) FROM inbox_batch
WHERE state <> 'processed' AND (due_at <= %(now)s
    OR due_at > %(now)s + CASE WHEN state = 'failed' THEN interval '10 minutes' + least(
        %(first_retry)s * 2 ^ least(greatest(attempts - %(fail_after)s, 0), 10), %(longest_retry)s) ELSE interval '1 minute' END)
"""

RETRIES: Mapping[str, Any] = {"fail_after": FAIL_AFTER, "first_retry": FIRST_RETRY, "longest_retry": LONGEST_RETRY}


class Claim(NamedTuple):
    """A batch that this process may try now; `attempts` counts this try.

    `body` is what is to be tried: as stored, or as decoded where the request that brought it still waits; `request_id`
    names that request.
    """

    batch_id: UUID
    attempts: int
    body: bytes | Envelope | None
    request_id: str | None = None

    @property
    def gave_up(self) -> bool:
        """It killed whoever tried it until now, so instead of another try it became `failed`: there is no body to try."""
        return self.body is None


def claim_next(*, now: datetime, most: int = 1) -> list[Claim]:
    """Takes the batch that has waited longest and counts the attempt, committed before any work is done.

    With it come those that waited longest after it, `most` in all, as long as none was tried before and all are small.

    Call it outside a transaction. The count need not survive a crash of PostgreSQL itself, so its commit does not wait
    for the disk: the setting ends with the statement's own transaction.
    """
    with connection.cursor() as cursor:
        due: dict[str, Any] = {
            "now": now,
            "grace": CLAIM_GRACE,
            "most_counted": MOST_COUNTED,
            "most": most,
            "members": MEMBERS_TOGETHER,
            "bytes": BYTES_TOGETHER,
            **RETRIES,
        }
        cursor.execute(CLAIM_NEXT, due)
        rows = sorted(named_rows(cursor), key=itemgetter("place"))
    return [Claim(row["batch_id"], row["attempts"], row["body"]) for row in rows]


def give_back(batch_ids: Sequence[UUID], *, now: datetime) -> None:
    """Uncounts attempts that never began, because another worker had the terminal. They wait where they waited before.

    What another worker is at work on by now is left alone, without waiting for it.
    """
    with connection.cursor() as cursor:
        cursor.execute(GIVE_BACK, [now, list(batch_ids)])


def count_failure(*, batch_id: UUID, error: str, now: datetime) -> str | None:
    """Notes why a try failed and when the next is due; the batch's state now, None if it was processed after all."""
    failure = {"batch_id": batch_id, "error": error[:MOST_SAID], "now": now, **RETRIES}
    with connection.cursor() as cursor:
        cursor.execute(COUNT_FAILURE, failure)
        row = cursor.fetchone()
    return row[0] if row else None


def put_off(*, batch_id: UUID, error: str, now: datetime) -> None:
    """Uncounts an attempt that waited for a lock in vain. Whoever waits for ever is seen by the age of what waits."""
    with connection.cursor() as cursor:
        cursor.execute(PUT_OFF, {"batch_id": batch_id, "error": error[:MOST_SAID], "now": now})


def oldest_waiting(*, now: datetime) -> timedelta | None:
    """How long the oldest unprocessed batch that is due has waited; None where nothing waits.

    Negative where all that waits was received by the clock of another machine that is ahead of ours.
    """
    with connection.cursor() as cursor:
        cursor.execute(SELECT_OLDEST, {"now": now, **RETRIES})
        row = cursor.fetchone()
    return now - row[0] if row and row[0] else None
