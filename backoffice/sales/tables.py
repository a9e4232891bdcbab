"""The tables of what was sold, as a batch's rows are written to them. What stands in a row, and why, is with the models.

Numbers, times and UUIDs that differ from row to row stand first: they are packed in one piece.
"""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from backoffice.domain.scalars import Quantity, UnitPrice
from backoffice.postgres.copy import Int2, Int4, Int8, Json, Table


class OrderRow(NamedTuple):
    """A row of `sales_order`."""

    id: Int8
    position: Int4
    order_id: UUID
    number: Int8
    opened_at: datetime
    closed_at: datetime
    total: Int8
    tax: Int8
    business_date: date
    store_id: Int4
    terminal_id: Int4
    shift_id: UUID
    batch_id: UUID
    mode: str
    kind: str
    status: str
    type: str | None
    cashier: str
    customer: Json | None
    printed_to: str
    refund_of: UUID | None
    adjusts: UUID | None
    lines_refund: Json | None
    note: str
    currency: str
    rounding: Int8
    tip: Int8
    flags: Json | None
    received_at: datetime
    posted_at: datetime


class OrderLineRow(NamedTuple):
    """A row of `sales_orderline`."""

    order_id: Int8
    position: Int2
    amount: Int8
    discount: Int8
    business_date: date
    kind: str
    sku: str
    name: str
    quantity: Quantity
    unit_price: UnitPrice
    taxes: Json
    refund_of: UUID | None


class PaymentRow(NamedTuple):
    """A row of `sales_payment`."""

    order_id: Int8
    position: Int2
    amount: Int8
    business_date: date
    method: str
    tendered: Int8 | None
    change: Int8 | None
    reference: str
    store_id: Int4
    card_closed_at: datetime | None


class PostedRangeRow(NamedTuple):
    """A row of `sales_posting`: this transaction posts orders of a batch, from one id to another."""

    store_id: Int4
    first_id: Int8
    last_id: Int8
    batch_id: UUID
    business_date: date


ORDERS = Table("sales_order", OrderRow)
ORDER_LINES = Table("sales_orderline", OrderLineRow)
PAYMENTS = Table("sales_payment", PaymentRow)
POSTED_RANGES = Table("sales_posting", PostedRangeRow)
