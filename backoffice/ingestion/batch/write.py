"""Writing what was judged: sales, journal entries and held items of batches, in a handful of statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

import msgspec
from django.db.backends.utils import CursorWrapper

from backoffice.domain.lines import Line
from backoffice.domain.orders import CashMovement, Order
from backoffice.domain.reasons import reasons_json
from backoffice.ingestion.batch.lock import Work
from backoffice.ingestion.batch.members import Judged, What, member_number, member_order_id
from backoffice.ledger.writers import ENTRIES, LINES, Entry, Origin, entry_writes
from backoffice.postgres.copying import Row, Shared, Table, Update, write_rows
from backoffice.sales import writers as sales
from backoffice.sales.models import CashMovement as CashMovementRow
from backoffice.sales.models import HeldItem


class Posted(NamedTuple):
    """A member to be posted, under the id its identity carries."""

    row_id: int
    judged: Judged


@dataclass(frozen=True)
class JudgedBatch:
    """Members of one batch to be written, each under the id its identity carries."""

    work: Work
    judged: Sequence[Judged]
    row_ids: Sequence[int]

    @cached_property
    def posted_orders(self) -> list[Posted]:
        """Orders that go into the books."""
        return self._posted("order")

    @cached_property
    def posted_movements(self) -> list[Posted]:
        """Cash movements that go into the books."""
        return self._posted("movement")

    def _posted(self, what: What) -> list[Posted]:
        pairs = zip(self.row_ids, self.judged, strict=True)
        return [Posted(row_id, item) for row_id, item in pairs if item.outcome == "posted" and item.member.what == what]


# In the order that their keys allow; last what has one row for a batch.
WRITTEN = (sales.ORDERS, sales.LINES, sales.PAYMENTS, ENTRIES, LINES, sales.POSTINGS)

_json = msgspec.json.Encoder(enc_hook=str)  # rates keep the spelling they were sent with


def write_judged(
    cursor: CursorWrapper, batches: Sequence[JudgedBatch], *, now: datetime, update: Update | None = None
) -> None:
    """Writes posted orders and movements with their entries, and what is held. Duplicates write nothing.

    `update` is made with them.
    """
    rows: dict[Table, list[Row]] = {table: [] for table in WRITTEN}
    for batch in batches:
        for table, more in (
            *_order_writes(batch.posted_orders, work=batch.work, now=now),
            *_entry_writes(batch.posted_orders, what="order", work=batch.work, now=now),
            *_entry_writes(batch.posted_movements, what="movement", work=batch.work, now=now),
        ):
            rows[table] += more
    write_rows(cursor, list(rows.items()), update)
    for batch in batches:
        _write_movements(batch.posted_movements, work=batch.work, now=now)
        _write_held([item for item in batch.judged if item.outcome in {"held", "conflict"}], work=batch.work)


def _order_writes(posted: Sequence[Posted], *, work: Work, now: datetime) -> list[tuple[Table, Sequence[Row]]]:
    if not posted:
        return []
    date = work.business_date
    orders: list[sales.OrderRow] = []
    lines: list[sales.OrderLineRow] = []
    payments: list[sales.PaymentRow] = []
    for row_id, judged in posted:
        order = judged.member.value
        assert isinstance(order, Order)  # noqa: S101 - narrows the type; only orders are judged so
        orders.append(_order_row(row_id, order, judged, work=work, now=now))
        for position, line in enumerate(order.lines):
            lines.append((row_id, position, date, line.__dict__.get("columns") or _line_columns(line)))
        for position, payment in enumerate(order.payments):
            payments.append(
                sales.PaymentRow(
                    row_id,
                    position,
                    date,
                    payment.method,
                    payment.amount,
                    payment.tendered_minor,
                    payment.change_minor,
                    payment.reference,
                )
            )
    posting = sales.PostingRow(work.store_id, posted[0].row_id, posted[-1].row_id, work.batch_id, date)
    return [
        (sales.ORDERS, orders),
        (sales.LINES, lines),
        (sales.PAYMENTS, payments),
        (sales.POSTINGS, [posting]),
    ]


def _order_row(row_id: int, order: Order, judged: Judged, *, work: Work, now: datetime) -> sales.OrderRow:
    shift = work.shift
    # By position, which takes a third of the time that names do.
    return sales.OrderRow(
        row_id,
        shift.business_date,
        work.store_id,
        work.terminal_id,
        shift.shift_id,
        work.batch_id,
        judged.member.position,
        order.order_id,
        order.number,
        order.mode,
        order.kind,
        order.status,
        order.type,
        order.opened_at,
        order.closed_at,
        order.cashier,
        None if order.customer is None else msgspec.Raw(_json.encode(order.customer)),
        order.printed_to,
        order.refund_of,
        order.note,
        shift.currency,
        sum([line.tax for line in order.lines]),
        order.rounding,
        order.total,
        order.tip,
        msgspec.Raw(_json.encode(reasons_json(judged.reasons))) if judged.reasons else None,
        work.received_at,
        now,
    )


def _write_movements(posted: Sequence[Posted], *, work: Work, now: datetime) -> None:
    if not posted:
        return
    rows = []
    for _, judged in posted:
        movement = judged.member.value
        assert isinstance(movement, CashMovement)  # noqa: S101 - narrows the type; only movements are judged so
        rows.append(
            CashMovementRow(
                movement_id=movement.movement_id,
                store_id=work.store_id,
                terminal_id=work.terminal_id,
                shift_id=work.shift.shift_id,
                batch_id=work.batch_id,
                position=judged.member.position,
                kind=movement.kind,
                amount=movement.amount,
                reason=movement.reason,
                occurred_at=movement.occurred_at,
                cashier=movement.cashier,
                flags=reasons_json(judged.reasons) or None,
                posted_at=now,
            )
        )
    CashMovementRow.objects.bulk_create(rows)


def _entry_writes(posted: Sequence[Posted], *, what: What, work: Work, now: datetime) -> list[tuple[Table, list[Row]]]:
    entries = [
        Entry(row_id, judged.member.incoming.order_id, judged.postings) for row_id, judged in posted if judged.postings
    ]
    origin = Origin(
        business_date=work.business_date,
        store_id=work.store_id,
        terminal_id=work.terminal_id,
        shift_id=work.shift.shift_id,
        source_kind=what,
        source_number=0,
        currency=work.shift.currency,
        posted_at=now,
    )
    return entry_writes(entries, origin=origin)


def _write_held(held: Sequence[Judged], *, work: Work) -> None:
    if not held:
        return
    HeldItem.objects.bulk_create(
        HeldItem(
            what=judged.member.what,
            outcome=judged.outcome,
            reasons=reasons_json(judged.reasons),
            item_id=judged.member.incoming.order_id,
            order_id=member_order_id(judged.member),
            number=member_number(judged.member),
            total=judged.member.value.total if isinstance(judged.member.value, Order) else None,
            content_hash=judged.member.incoming.content_hash,
            store_id=work.store_id,
            terminal_id=work.terminal_id,
            shift_id=work.shift.shift_id,
            batch_id=work.batch_id,
            position=judged.member.position,
            received_at=work.received_at,
        )
        for judged in held
    )


def _line_columns(line: Line) -> Shared:
    """What a row of `sales_orderline` says of the line itself. It stays with the line, as all that follows from one does."""
    taxes = msgspec.Raw(_json.encode(line.taxes))
    columns = Shared(
        (line.kind, line.sku, line.name, line.quantity, line.unit_price, line.discount, line.amount, taxes)
    )
    line.__dict__["columns"] = columns
    return columns
