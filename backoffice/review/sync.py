"""How far a terminal's sales have arrived: its signs of what is waiting, held, open or silent, and the state they make.

Everything here reads partial indexes of what is unsettled, and the newest heartbeats: the cost grows with what is wrong
and with the number of terminals, not with sales.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple, cast

from django.db import connection
from django.utils.translation import gettext_lazy

from backoffice.fleet.models import Terminal
from backoffice.health.backlog import SILENT_AFTER
from backoffice.review.words import Label

_ = cast("Callable[[str], str]", gettext_lazy)  # a label's text is read when it is shown

# Who is expected to speak: a terminal with a shift that is open or lacks something, or with orders in its cache by its
# own last word. It is heard from by heartbeats, uploads, openings and closes. What head office decides is a batch too,
# and no word of the terminal. Of uploads the newest is looked for only where nothing else was heard of late.
SIGNS = """
WITH unsettled AS (
    SELECT terminal_id, sum(waiting)::int AS waiting, sum(failed)::int AS failed, min(oldest) AS oldest,
        sum(held)::int AS held, sum(conflicts)::int AS conflicts, sum(open)::int AS open, min(open_since) AS open_since,
        sum(closing)::int AS closing, sum(discrepant)::int AS discrepant, sum(cached)::bigint AS cached, max(heard) AS heard
    FROM (
        SELECT terminal_id, count(*) FILTER (WHERE state = 'received') AS waiting,
            count(*) FILTER (WHERE state = 'failed') AS failed, min(received_at) AS oldest, 0 AS held, 0 AS conflicts,
            0 AS open, NULL::timestamptz AS open_since, 0 AS closing, 0 AS discrepant, 0 AS cached,
            NULL::timestamptz AS heard
        FROM inbox_batch WHERE state <> 'processed' GROUP BY terminal_id
        UNION ALL
        SELECT terminal_id, 0, 0, NULL, count(*) FILTER (WHERE outcome = 'held'),
            count(*) FILTER (WHERE outcome = 'conflict'), 0, NULL, 0, 0, 0, NULL
        FROM sales_helditem WHERE decision_id IS NULL GROUP BY terminal_id
        UNION ALL
        SELECT terminal_id, 0, 0, NULL, 0, 0, count(*) FILTER (WHERE state = 'open'),
            min(opened_at) FILTER (WHERE state = 'open'), count(*) FILTER (WHERE state = 'closing'),
            count(*) FILTER (WHERE state = 'discrepant'), 0, max(greatest(received_at, close_received_at))
        FROM sales_shift WHERE state NOT IN ('reconciled', 'approved') GROUP BY terminal_id
        UNION ALL
        SELECT terminal_id, 0, 0, NULL, 0, 0, 0, NULL, 0, 0, CASE WHEN NOT EXISTS (
            SELECT FROM inbox_batch b WHERE b.terminal_id = h.terminal_id AND b.received_at > h.received_at
        ) THEN cached_orders ELSE 0 END, NULL
        FROM fleet_heartbeat h WHERE cached_orders > 0
    ) AS signs GROUP BY terminal_id
), expected AS (
    SELECT u.*, greatest(u.heard, h.received_at) AS spoke
    FROM unsettled u LEFT JOIN fleet_heartbeat h USING (terminal_id)
), spoken AS (
    SELECT e.*, CASE
        WHEN open = 0 AND closing = 0 AND cached = 0 OR spoke >= %(since)s THEN NULL
        ELSE greatest(spoke, (
            SELECT b.received_at FROM inbox_batch b WHERE b.terminal_id = e.terminal_id
                AND NOT EXISTS (SELECT FROM books_decision d WHERE d.id = b.batch_id)
            ORDER BY b.received_at DESC LIMIT 1
        ))
    END AS last_word
    FROM expected e
)
SELECT terminal_id, waiting, failed, oldest, held, conflicts, open, open_since, closing, discrepant, cached,
    CASE WHEN last_word < %(since)s THEN last_word END
FROM spoken
"""


class SyncState(Enum):
    """How far a terminal's sales have arrived, the most urgent state first."""

    SILENT = Label(_("Silent"), "red")
    ATTENTION = Label(_("Needs attention"), "red")
    RECEIVING = Label(_("Receiving"), "blue")
    WAITING = Label(_("Waiting for upload"), "amber")
    NEW = Label(_("Not activated yet"), "grey")
    IN_SYNC = Label(_("In sync"), "green")


class Signs(NamedTuple):
    """Counts of what is unsettled at one terminal.

    `oldest` is when the oldest unprocessed batch was received, `open_since` when its oldest open shift opened by its own
    clock; `cached` are the orders that it still had at its last word; `silent_since` is that last word, where it is too
    long ago.
    """

    waiting: int = 0
    failed: int = 0
    oldest: datetime | None = None
    held: int = 0
    conflicts: int = 0
    open: int = 0
    open_since: datetime | None = None
    closing: int = 0
    discrepant: int = 0
    cached: int = 0
    silent_since: datetime | None = None

    @property
    def undecided(self) -> int:
        """What waits for a decision, held or in conflict."""
        return self.held + self.conflicts

    @property
    def is_complete(self) -> bool:
        """Whether all sales of this terminal have arrived and been read. Held orders have: they wait for a decision."""
        return not (self.waiting or self.failed or self.open or self.closing or self.cached)


NOTHING_UNSETTLED = Signs()


def read_signs(*, now: datetime, only: Iterable[int] | None = None) -> dict[int, Signs]:
    """The signs of every terminal with something unsettled, or of these alone, by terminal id. One statement."""
    wanted: dict[str, Any] = {"since": now - SILENT_AFTER}
    with connection.cursor() as cursor:
        cursor.execute(SIGNS, wanted)
        found = {row[0]: Signs(*row[1:]) for row in cursor.fetchall()}
    if only is None:
        return found
    return {key: found[key] for key in only if key in found}


def unsettled_state(signs: Signs) -> SyncState | None:
    """The most urgent state that the signs call for; None if nothing is unsettled."""
    if signs.silent_since is not None:
        return SyncState.SILENT
    if signs.failed or signs.undecided or signs.discrepant:
        return SyncState.ATTENTION
    if signs.waiting:
        return SyncState.RECEIVING
    return SyncState.WAITING if signs.open or signs.closing or signs.cached else None


def sync_state(terminal: Terminal, signs: Signs) -> SyncState:
    """The state of a terminal, whether or not anything is unsettled."""
    if (state := unsettled_state(signs)) is not None:
        return state
    return SyncState.NEW if terminal.activated_at is None else SyncState.IN_SYNC
