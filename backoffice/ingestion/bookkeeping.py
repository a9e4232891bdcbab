"""Writing what was judged: sales, journal entries and held items of batches, in a handful of statements."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import msgspec
from django.db.backends.utils import CursorWrapper

from backoffice.bulk import Row, Table, Update, write_rows
from backoffice.domain.accounts import DRAWER
from backoffice.domain.orders import CashMovement, Order, Tax
from backoffice.domain.posting import Posting
from backoffice.domain.reasons import reasons_json
from backoffice.ingestion.members import Judged, member_number, member_order_id
from backoffice.ingestion.work import Work
from backoffice.ledger.writers import ENTRIES, LINES, EntryRow, LineRow
from backoffice.sales import writers as sales
from backoffice.sales.models import CashMovement as CashMovementRow
from backoffice.sales.models import HeldItem


class JudgedBatch(NamedTuple):
    """Members of one batch to be written, each under the id its identity carries."""

    work: Work
    judged: Sequence[Judged]
    row_ids: Sequence[int]

    def posted(self) -> "list[Posted]":
        """Those that go into the books."""
        pairs = zip(self.row_ids, self.judged, strict=True)
        return [Posted(row_id, item) for row_id, item in pairs if item.outcome == "posted"]


class Posted(NamedTuple):
    """A member to be posted, under the id its identity carries."""

    row_id: int
    judged: Judged


# In the order that their keys allow.
WRITTEN = (sales.ORDERS, sales.LINES, sales.PAYMENTS, sales.POSTINGS, ENTRIES, LINES)

_json = msgspec.json.Encoder(enc_hook=str)  # rates keep the spelling they were sent with


def write_judged(
    cursor: CursorWrapper, batches: Sequence[JudgedBatch], *, now: datetime, update: Update | None = None
) -> None:
    """Writes posted orders and movements with their entries, and what is held. Duplicates write nothing.

    `update` is made with them.
    """
    rows: dict[Table, list[Row]] = {table: [] for table in WRITTEN}
    for batch in batches:
        posted = batch.posted()
        orders = [pair for pair in posted if pair.judged.member.what == "order"]
        for table, more in (
            *_order_writes(orders, work=batch.work, now=now),
            *_entry_writes([pair for pair in posted if pair.judged.postings], work=batch.work, now=now),
        ):
            rows[table] += more
    write_rows(cursor, list(rows.items()), update)
    for batch in batches:
        movements = [pair for pair in batch.posted() if pair.judged.member.what == "movement"]
        _write_movements(movements, work=batch.work, now=now)
        _write_held([item for item in batch.judged if item.outcome in {"held", "conflict"}], work=batch.work)


def line_rows(postings: Sequence[Posting], *, entry: EntryRow) -> list[LineRow]:
    """The journal lines of one entry; the drawer's carry its terminal."""
    return [
        LineRow(
            entry.id,
            position,
            entry.business_date,
            entry.store_id,
            posting.account,
            entry.terminal_id if posting.account == DRAWER else None,
            posting.tax_code,
            posting.debit,
            posting.credit,
            entry.currency,
        )
        for position, posting in enumerate(postings)
    ]


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
            lines.append(
                sales.OrderLineRow(
                    row_id,
                    position,
                    date,
                    line.kind,
                    line.sku,
                    line.name,
                    line.quantity,
                    line.unit_price,
                    line.discount,
                    line.amount,
                    _taxes_json(line.taxes),
                )
            )
        for position, payment in enumerate(order.payments):
            payments.append(
                sales.PaymentRow(
                    row_id,
                    position,
                    date,
                    payment.method,
                    payment.amount,
                    _absent_as_null(payment.tendered),
                    _absent_as_null(payment.change),
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
    return sales.OrderRow(
        id=row_id,
        business_date=work.business_date,
        store_id=work.store_id,
        terminal_id=work.terminal_id,
        shift_id=work.shift.shift_id,
        batch_id=work.batch_id,
        position=judged.member.position,
        order_id=order.order_id,
        number=order.number,
        mode=order.mode,
        kind=order.kind,
        status=order.status,
        type=order.type,
        opened_at=order.opened_at,
        closed_at=order.closed_at,
        cashier=order.cashier,
        customer=None if order.customer is None else msgspec.Raw(_json.encode(order.customer)),
        printed_to=order.printed_to,
        refund_of=order.refund_of,
        note=order.note,
        currency=work.shift.currency,
        tax=sum(tax.amount for line in order.lines for tax in line.taxes),
        rounding=order.rounding,
        total=order.total,
        tip=order.tip,
        flags=msgspec.Raw(_json.encode(reasons_json(judged.reasons))) if judged.reasons else None,
        received_at=work.received_at,
        posted_at=now,
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


def _entry_writes(posted: Sequence[Posted], *, work: Work, now: datetime) -> list[tuple[Table, Sequence[Row]]]:
    entries: list[EntryRow] = []
    lines: list[LineRow] = []
    for row_id, judged in posted:
        entry = EntryRow(
            id=row_id,
            business_date=work.business_date,
            store_id=work.store_id,
            terminal_id=work.terminal_id,
            shift_id=work.shift.shift_id,
            source_kind=judged.member.what,
            source_id=judged.member.incoming.order_id,
            source_number=0,
            currency=work.shift.currency,
            posted_at=now,
        )
        entries.append(entry)
        lines += line_rows(judged.postings, entry=entry)
    return [(ENTRIES, entries), (LINES, lines)]


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


def _absent_as_null(amount: int | msgspec.UnsetType) -> int | None:
    return None if amount is msgspec.UNSET else amount


def _taxes_json(taxes: Sequence[Tax]) -> msgspec.Raw:
    return msgspec.Raw(b"[%b]" % b",".join([_encode_tax(tax) for tax in taxes]))


@lru_cache(maxsize=16_384)  # a shop sells the same things at the same prices all day
def _encode_tax(tax: Tax) -> bytes:
    return _json.encode(tax)
