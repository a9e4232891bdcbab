"""Batches, locked together with their terminals, and all that posting them needs to know, in one round trip."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg.types.json import Jsonb

from backoffice.domain.periods import entry_date
from backoffice.domain.reasons import CARD_DATA_REMOVED, CARD_NUMBER_MASKED, Reason
from backoffice.domain.rules import Circumstances, Shift, StoreSettings
from backoffice.ingestion.horizon import ANNOUNCE_END
from backoffice.postgres.pipeline import pipelined
from backoffice.postgres.rows import named_rows
from backoffice.postgres.transactions import transaction_required

# SKIP LOCKED: whoever finds the terminal at work goes elsewhere instead of waiting.
# LATERAL: batch by batch through the primary key, also by a plan that was made when the inbox was still small. And JSON
# instead of an array, whose length the planner would look at: it would plan every execution anew, which costs as much.
# It announces for which stores this transaction posts: whoever locks their books waits for it (ADR 39).
LOCK_BATCHES = """
SELECT locked.batch_id, pg_advisory_xact_lock_shared(2, locked.store_id) AS announced
FROM jsonb_array_elements_text(%s) AS wanted (batch_id) CROSS JOIN LATERAL (
    SELECT b.batch_id, s.store_id FROM inbox_batch b
    JOIN fleet_terminal t ON t.id = b.terminal_id JOIN sales_shift s ON s.shift_id = b.shift_id
    WHERE b.batch_id = wanted.batch_id::uuid AND b.state <> 'processed'
    FOR NO KEY UPDATE OF b, t SKIP LOCKED
) AS locked
"""

# A statement of its own: its snapshot is taken under the locks, so it sees a close or the lock of a period that committed
# just before, and its ids follow those of every entry that the terminal's other work made.
SELECT_BATCHES = """
SELECT found.* FROM jsonb_array_elements_text(%s) AS wanted (batch_id) CROSS JOIN LATERAL (
    SELECT b.batch_id, b.received_at, b.terminal_id,
        t.uuid AS terminal_uuid, s.store_id, s.shift_id, s.currency, s.prices_include_tax, s.opened_at,
        coalesce(s.closed_at, s.recorded_end) AS closed_at, s.first_number, s.business_date,
        coalesce(b.received_at > s.close_received_at AND NOT s.declared -> 'batches' ? b.batch_id::text, false) AS late,
        st.max_order_total, st.min_refund_total, st.refund_days, st.rounding_step, st.rounding_mode, st.order_types,
        s.state <> 'open' OR EXISTS (
            SELECT FROM sales_shift c WHERE c.terminal_id = b.terminal_id AND c.state = 'closing'
        ) AS a_shift_waits,
        CASE WHEN s.opened_at_corrected IS NULL THEN h.clock_skew_ms END AS clock_skew_ms, b.card_flags,
        ARRAY(
            SELECT nextval('ledger_entry_id_seq') FROM generate_series(1, b.order_count + b.movement_count)
        ) AS row_ids,
        (SELECT json_object_agg(method, account_id)::text FROM ledger_paymentaccount p WHERE p.store_id = s.store_id)
            AS payment_accounts,
        (SELECT json_object_agg(reason, account_id)::text FROM ledger_cashreason r WHERE r.store_id = s.store_id)
            AS reason_accounts,
        EXISTS (SELECT FROM sales_awaitedoriginal WHERE arrived_at IS NULL) AS a_refund_waits,
        (SELECT p.locked_through FROM ledger_periodlock p WHERE p.store_id = s.store_id ORDER BY p.id DESC LIMIT 1)
            AS locked_through,
        EXISTS (SELECT FROM sales_explainednumbers e WHERE e.terminal_id = b.terminal_id) AS has_explained
    FROM inbox_batch b
    JOIN fleet_terminal t ON t.id = b.terminal_id
    JOIN sales_shift s ON s.shift_id = b.shift_id
    JOIN fleet_store st ON st.id = s.store_id
    LEFT JOIN fleet_heartbeat h ON h.terminal_id = b.terminal_id
    WHERE b.batch_id = wanted.batch_id::uuid
    LIMIT 1
) AS found ORDER BY found.received_at, found.batch_id
"""

# What the door did, in words; it stores codes and places only.
CARD_DETAILS = {
    CARD_NUMBER_MASKED: "A card number stood here; all but its last four digits were masked before it was stored",
    CARD_DATA_REMOVED: "Card data stood here, and was removed before the rest was stored",
}


class LockedBatch(NamedTuple):
    """One batch, locked with its terminal until the transaction ends, and how it came.

    `card_flags` is what was masked at the door, by list and place. `row_ids` has one id for each member: of its
    identity, its row and its journal entry. `a_shift_waits`: a closed shift may wait for this batch, its own or another
    that misses its numbers. `a_refund_waits`: a refund, of any store, waits for the order that it refunds. `has_explained`:
    people explained numbers of this terminal.
    """

    batch_id: UUID
    received_at: datetime
    terminal_id: int
    terminal_uuid: UUID
    store_id: int
    shift: Shift
    circumstances: Circumstances
    card_flags: Mapping[tuple[str, int], tuple[Reason, ...]]
    settings: StoreSettings
    payment_accounts: Mapping[str, str]
    reason_accounts: Mapping[str, str]
    row_ids: Sequence[int]
    a_shift_waits: bool
    a_refund_waits: bool
    has_explained: bool

    @property
    def business_date(self) -> date:
        """The shift's: everything of a batch is kept under it."""
        return self.shift.business_date

    @property
    def entry_date(self) -> date:
        """The day on which all of its entries stand in the books."""
        return self.circumstances.entered_on or self.shift.business_date


@transaction_required
def lock_batches(cursor: CursorWrapper, batch_ids: Iterable[UUID]) -> list[LockedBatch]:
    """Locks batches and their terminals until the transaction ends, in the order received.

    Left out is what is processed by now, or somebody else's.
    """
    wanted: Any = Jsonb([str(batch_id) for batch_id in batch_ids])
    with connection.cursor() as lock, connection.cursor() as end:
        with pipelined():
            lock.execute(LOCK_BATCHES, [wanted])
            cursor.execute(SELECT_BATCHES, [wanted])
            end.execute(ANNOUNCE_END)
        locked = {row["batch_id"] for row in named_rows(lock)}
    return [_read(row) for row in named_rows(cursor) if row["batch_id"] in locked]


def _read(row: Mapping[str, Any]) -> LockedBatch:
    return LockedBatch(
        batch_id=row["batch_id"],
        received_at=row["received_at"],
        terminal_id=row["terminal_id"],
        terminal_uuid=row["terminal_uuid"],
        store_id=row["store_id"],
        shift=Shift(
            shift_id=row["shift_id"],
            terminal_id=row["terminal_id"],
            currency=row["currency"],
            prices_include_tax=row["prices_include_tax"],
            opened_at=row["opened_at"],
            closed_at=row["closed_at"],
            first_number=row["first_number"],
            business_date=row["business_date"],
        ),
        circumstances=_circumstances(row),
        card_flags=_card_flags(json.loads(row["card_flags"])),
        settings=StoreSettings(
            max_order_total=row["max_order_total"],
            min_refund_total=row["min_refund_total"],
            refund_days=row["refund_days"],
            order_types=frozenset(row["order_types"]) if row["order_types"] else None,
            rounding_step=row["rounding_step"],
            rounding_mode=row["rounding_mode"],
        ),
        payment_accounts=json.loads(row["payment_accounts"] or "{}"),
        reason_accounts=json.loads(row["reason_accounts"] or "{}"),
        row_ids=row["row_ids"],
        a_shift_waits=row["a_shift_waits"],
        a_refund_waits=row["a_refund_waits"],
        has_explained=row["has_explained"],
    )


def _circumstances(row: Mapping[str, Any]) -> Circumstances:
    day = entry_date(row["business_date"], locked_through=row["locked_through"])
    entered_on = None if day == row["business_date"] else day
    return Circumstances(late=row["late"], clock_skew_ms=row["clock_skew_ms"], entered_on=entered_on)


def _card_flags(stored: list[tuple[str, int, str, str]]) -> dict[tuple[str, int], tuple[Reason, ...]]:
    flags: dict[tuple[str, int], tuple[Reason, ...]] = {}
    for members, index, code, pointer in stored:
        flags[members, index] = (*flags.get((members, index), ()), Reason(code, pointer, CARD_DETAILS.get(code, "")))
    return flags
