"""Writing what was judged: sales, journal entries and held items of batches, in a handful of statements."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from django.db.backends.utils import CursorWrapper

from backoffice.domain.limits import MAX_CODE, shortened
from backoffice.domain.orders import Order
from backoffice.domain.reasons import TEXT_SHORTENED, reasons_json
from backoffice.domain.rules import is_compared
from backoffice.inbox.processed import Processed, mark_processed
from backoffice.ingestion.batch.lock import LockedBatch
from backoffice.ingestion.batch.members import Judged, JudgedBatch
from backoffice.ledger.writers import JOURNAL_ENTRIES, JOURNAL_LINES, Entry, EntryOrigin, entry_writes
from backoffice.postgres.binary import Row
from backoffice.postgres.copy import Table, copy_rows, insert_rows, many_and_few
from backoffice.postgres.pipeline import pipelined
from backoffice.postgres.transactions import transaction_required
from backoffice.sales.models import CashMovement as CashMovementRow
from backoffice.sales.models import HeldItem
from backoffice.sales.tables import (
    ORDER_LINES,
    ORDERS,
    PAYMENTS,
    POSTED_RANGES,
    OrderLineRow,
    OrderRow,
    PaymentRow,
    PostedRangeRow,
)

# In the order that their keys allow; last what has one row for a batch.
WRITTEN = (ORDERS, ORDER_LINES, PAYMENTS, JOURNAL_ENTRIES, JOURNAL_LINES, POSTED_RANGES)


@transaction_required
def write_judged(
    cursor: CursorWrapper,
    batches: Sequence[JudgedBatch],
    *,
    now: datetime,
    processed: Mapping[UUID, Processed] | None = None,
) -> None:
    """Writes posted orders and movements with their entries, and what is held. Duplicates write nothing.

    `processed` are batches that are marked so, in the same round trip.
    """
    chunks: dict[Table, list[Sequence[Row]]] = {table: [] for table in WRITTEN}
    for judged in batches:
        for table, rows in (*_order_writes(judged, now=now), *_entry_writes(judged, now=now)):
            chunks[table].append(rows)
    many, few = many_and_few(list(chunks.items()))
    copy_rows(cursor, many)
    if few or processed:
        with pipelined():
            insert_rows(cursor, few)
            if processed:
                mark_processed(cursor, processed)
    for judged in batches:
        _write_movements(judged, now=now)
        _write_held(judged)


def _order_writes(judged: JudgedBatch, *, now: datetime) -> list[tuple[Table, Sequence[Row]]]:
    if not judged.posted_orders:
        return []
    batch, date = judged.batch, judged.batch.business_date
    orders: list[Row] = []
    lines: list[Row] = []
    payments: list[Row] = []
    for item, order in judged.posted_orders:
        order_id = item.member.row_id
        kept = shortened(order) if _has_long_texts(item) else order
        orders.append(_order_row(item, kept, batch=batch, now=now))
        for position, line in enumerate(kept.lines):
            # By position, here and below: it takes a third of the time that names do.
            lines.append(
                OrderLineRow(
                    order_id,
                    position,
                    line.amount,
                    line.discount,
                    date,
                    line.kind,
                    line.sku,
                    line.name,
                    line.quantity,
                    line.unit_price,
                    line.taxes,
                    line.refund_of,
                )
            )
        for position, payment in enumerate(kept.payments):
            payments.append(
                PaymentRow(
                    order_id,
                    position,
                    payment.amount,
                    date,
                    payment.method,
                    payment.tendered_minor,
                    payment.change_minor,
                    payment.reference,
                    batch.store_id,
                    order.closed_at if is_compared(order, order.payments[position]) else None,
                )
            )
    first, last = (judged.posted_orders[place][0].member.row_id for place in (0, -1))
    posted_range = PostedRangeRow(batch.store_id, first, last, batch.batch_id, date)
    return [(ORDERS, orders), (ORDER_LINES, lines), (PAYMENTS, payments), (POSTED_RANGES, [posted_range])]


def _order_row(item: Judged, order: Order, *, batch: LockedBatch, now: datetime) -> OrderRow:
    shift = batch.shift
    return OrderRow(
        item.member.row_id,
        item.member.position,
        order.order_id,
        order.number,
        order.opened_at,
        order.closed_at,
        order.total,
        sum([tax.amount for line in order.lines for tax in line.taxes]),
        shift.business_date,
        batch.store_id,
        batch.terminal_id,
        shift.shift_id,
        batch.batch_id,
        order.mode,
        order.kind,
        order.status,
        order.type,
        order.cashier,
        None if order.customer is None else msgspec.Raw(order.customer.text),
        order.printed_to,
        order.refund_of,
        order.adjusts,
        _named_by_lines(order),
        order.note,
        shift.currency,
        order.rounding,
        order.tip,
        item.reasons or None,
        batch.received_at,
        now,
    )


def _has_long_texts(item: Judged) -> bool:
    return any(reason.code == TEXT_SHORTENED for reason in item.reasons)


def _named_by_lines(order: Order) -> list[UUID] | None:
    return sorted({line.refund_of for line in order.lines if line.refund_of is not None}) or None


def _entry_writes(judged: JudgedBatch, *, now: datetime) -> list[tuple[Table, Sequence[Row]]]:
    orders = [item for item, _ in judged.posted_orders if item.postings]
    movements = [item for item, _ in judged.posted_movements if item.postings]
    writes: list[tuple[Table, Sequence[Row]]] = []
    for what, items in (("order", orders), ("movement", movements)):
        origin = _origin(judged.batch, what, now=now)
        entries = [Entry(item.member.row_id, item.member.incoming.item_id, item.postings) for item in items]
        writes += entry_writes(entries, origin=origin)
    return writes


def _origin(batch: LockedBatch, what: str, *, now: datetime) -> EntryOrigin:
    return EntryOrigin(
        business_date=batch.entry_date,
        store_id=batch.store_id,
        terminal_id=batch.terminal_id,
        shift_id=batch.shift.shift_id,
        source_kind=what,
        source_number=0,
        currency=batch.shift.currency,
        posted_at=now,
    )


def _write_movements(judged: JudgedBatch, *, now: datetime) -> None:
    batch = judged.batch
    if not judged.posted_movements:
        return
    CashMovementRow.objects.bulk_create(
        CashMovementRow(
            movement_id=movement.movement_id,
            store_id=batch.store_id,
            terminal_id=batch.terminal_id,
            shift_id=batch.shift.shift_id,
            batch_id=batch.batch_id,
            position=item.member.position,
            kind=movement.kind,
            amount=movement.amount,
            reason=movement.reason,
            occurred_at=movement.occurred_at,
            cashier=movement.cashier[:MAX_CODE],
            flags=reasons_json(item.reasons) or None,
            posted_at=now,
        )
        for item, movement in judged.posted_movements
    )


def _write_held(judged: JudgedBatch) -> None:
    batch = judged.batch
    held = [item for item in judged.judged if item.outcome in {"held", "conflict"}]
    if not held:
        return
    HeldItem.objects.bulk_create(
        HeldItem(
            what=item.member.what,
            outcome=item.outcome,
            reasons=reasons_json(item.reasons),
            item_id=item.member.incoming.item_id,
            order_id=item.member.item_id,
            number=item.member.number,
            total=item.member.value.total if isinstance(item.member.value, Order) else None,
            content_hash=item.member.incoming.content_hash,
            store_id=batch.store_id,
            terminal_id=batch.terminal_id,
            shift_id=batch.shift.shift_id,
            batch_id=batch.batch_id,
            position=item.member.position,
            received_at=batch.received_at,
        )
        for item in held
    )
