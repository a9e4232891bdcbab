"""What processing a batch needs to know, read once and locked: the batch, its terminal, shift and store."""

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg.types.json import Jsonb

from backoffice.domain.reasons import CARD_DATA_REMOVED, CARD_NUMBER_MASKED, Reason
from backoffice.domain.rules import Circumstances, Shift, StoreSettings
from backoffice.postgres.copying import pipelined

# SKIP LOCKED: whoever finds the terminal at work goes elsewhere instead of waiting.
# LATERAL: batch by batch through the primary key, also by a plan that was made when the inbox was still small. And JSON
# instead of an array, whose length the planner would look at: it would plan every execution anew, which costs as much.
LOCK_BATCHES = """
SELECT locked.batch_id FROM jsonb_array_elements_text(%s) AS wanted (batch_id) CROSS JOIN LATERAL (
    SELECT b.batch_id FROM inbox_batch b JOIN fleet_terminal t ON t.id = b.terminal_id
    WHERE b.batch_id = wanted.batch_id::uuid AND b.state <> 'processed'
    FOR NO KEY UPDATE OF b, t SKIP LOCKED
) AS locked
"""

# A statement of its own: its snapshot is taken under the lock, so it sees a close that committed just before, and its
# ids follow those of every entry that the terminal's other work made.
SELECT_WORK = """
SELECT work.* FROM jsonb_array_elements_text(%s) AS wanted (batch_id) CROSS JOIN LATERAL (
    SELECT b.batch_id, CASE WHEN %s THEN b.body ELSE '' END, b.received_at, b.terminal_id, t.uuid,
        s.store_id, s.shift_id, s.currency, s.prices_include_tax, s.opened_at,
        coalesce(s.closed_at, s.recorded_end) AS ended_at, s.first_number, s.business_date,
        coalesce(b.received_at > s.close_received_at AND NOT s.declared -> 'batches' ? b.batch_id::text, false),
        st.max_order_total, st.min_refund_total, st.refund_days, st.rounding_step,
        s.state <> 'open' OR EXISTS (SELECT FROM sales_shift c WHERE c.terminal_id = b.terminal_id AND c.state = 'closing'),
        h.clock_skew_ms, b.card_flags,
        ARRAY(SELECT nextval('ledger_entry_id_seq') FROM generate_series(1, b.order_count + b.movement_count)),
        (SELECT json_object_agg(method, account_id)::text FROM ledger_paymentaccount p WHERE p.store_id = s.store_id),
        (SELECT json_object_agg(reason, account_id)::text FROM ledger_cashreason r WHERE r.store_id = s.store_id),
        EXISTS (SELECT FROM sales_awaitedoriginal WHERE arrived_at IS NULL), st.order_types
    FROM inbox_batch b
    JOIN fleet_terminal t ON t.id = b.terminal_id
    JOIN sales_shift s ON s.shift_id = b.shift_id
    JOIN fleet_store st ON st.id = s.store_id
    LEFT JOIN fleet_heartbeat h ON h.terminal_id = b.terminal_id
    WHERE b.batch_id = wanted.batch_id::uuid
    LIMIT 1
) AS work ORDER BY work.received_at, work.batch_id
"""

# What the door did, in words; it stores codes and places only.
CARD_DETAILS = {
    CARD_NUMBER_MASKED: "A card number stood here; all but its last four digits were masked before it was stored",
    CARD_DATA_REMOVED: "Card data stood here, and was removed before the rest was stored",
}


class Work(NamedTuple):
    """One locked batch, and how it came. `card_flags` is what was masked at the door, by member.

    `body` is empty where it was not asked for.
    `refunds_wait` says that some refund, of any store, waits for the order that it refunds.
    `row_ids` has one for each member: of its identity, its row and its journal entry.

    `settles` says that a closed shift may wait for this batch: its own, or another that misses its numbers.
    """

    batch_id: UUID
    body: bytes
    received_at: datetime
    terminal_id: int
    terminal_uuid: UUID
    store_id: int
    shift: Shift
    circumstances: Circumstances
    settles: bool
    card_flags: Mapping[tuple[str, int], tuple[Reason, ...]]
    settings: StoreSettings
    payment_accounts: Mapping[str, str]
    reason_accounts: Mapping[str, str]
    row_ids: Sequence[int]
    refunds_wait: bool

    @property
    def business_date(self) -> date:
        """The shift's: everything of a batch is booked on it."""
        return self.shift.business_date


def lock_works(cursor: CursorWrapper, batch_ids: Sequence[UUID], *, with_bodies: bool = True) -> list[Work]:
    """Locks batches and their terminals until the transaction ends, in the order received.

    Left out is what is processed, or somebody else's now.
    """
    wanted: Any = Jsonb([str(batch_id) for batch_id in batch_ids])
    with connection.cursor() as lock:
        with pipelined():
            lock.execute(LOCK_BATCHES, [wanted])
            cursor.execute(SELECT_WORK, [wanted, with_bodies])
        locked = {row[0] for row in lock.fetchall()}
    return [_read(row) for row in cursor.fetchall() if row[0] in locked]


def _read(row: Sequence[Any]) -> Work:
    reasons = json.loads(row[23] or "{}")
    return Work(
        batch_id=row[0],
        body=zlib.decompress(row[1]) if row[1] else b"",
        received_at=row[2],
        terminal_id=row[3],
        terminal_uuid=row[4],
        store_id=row[5],
        shift=Shift(
            shift_id=row[6],
            terminal_id=row[3],
            currency=row[7],
            prices_include_tax=row[8],
            opened_at=row[9],
            closed_at=row[10],
            first_number=row[11],
            business_date=row[12],
        ),
        circumstances=Circumstances(late=row[13], clock_skew_ms=row[19]),
        settles=row[18],
        card_flags=_card_flags(json.loads(row[20])),
        settings=StoreSettings(
            max_order_total=row[14],
            min_refund_total=row[15],
            refund_days=row[16],
            order_types=frozenset(row[25]) if row[25] else None,
            rounding_step=row[17],
            cash_reasons=frozenset(reasons),
        ),
        payment_accounts=json.loads(row[22] or "{}"),
        reason_accounts=reasons,
        row_ids=row[21],
        refunds_wait=row[24],
    )


def _card_flags(stored: list[tuple[str, int, str, str]]) -> dict[tuple[str, int], tuple[Reason, ...]]:
    flags: dict[tuple[str, int], tuple[Reason, ...]] = {}
    for members, index, code, pointer in stored:
        flags[members, index] = (*flags.get((members, index), ()), Reason(code, pointer, CARD_DETAILS.get(code, "")))
    return flags
