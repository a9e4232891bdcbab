"""The shapes of what the API answers, for its OpenAPI document. Money in minor units; UUIDs and times as text."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from backoffice.domain.wire import CloseShift


class StoreAnswer(msgspec.Struct):
    """A store as its terminals see it."""

    id: UUID
    code: str
    name: str
    timezone: str
    currency: str
    prices_include_tax: bool


class Activated(msgspec.Struct):
    """`token` is shown this once."""

    terminal_id: UUID
    store: StoreAnswer
    token: str


class TokenAnswer(msgspec.Struct):
    """`token` is shown this once."""

    token: str


class HeartbeatTaken(msgspec.Struct):
    """`clock_skew_ms` is device minus server; `missing_numbers` are inclusive ranges of unsettled shifts, at most 100."""

    server_time: datetime
    clock_skew_ms: int
    missing_numbers: list[tuple[int, int]]
    open_shift_id: UUID | None


class StoreOrder(msgspec.Struct):
    """One posted paid order of the store."""

    order_id: UUID
    number: int
    terminal: UUID
    kind: Literal["sale", "refund"]
    total: int
    mode: Literal["online", "offline"]
    closed_at: datetime
    posted_at: datetime


class StoreOrdersAnswer(msgspec.Struct):
    """`next` is the cursor to ask with again."""

    orders: list[StoreOrder]
    next: str
    more: bool


class OpenShiftAnswer(msgspec.Struct):
    """The terminal's open shift."""

    shift_id: UUID
    number: int


class SettingsAnswer(msgspec.Struct):
    """The store's settings; what is null flags nothing."""

    max_order_total: int | None
    min_refund_total: int | None
    refund_days: int | None
    order_types: list[str] | None
    cash_reasons: list[str] | None
    rounding_step: int | None


class LimitsAnswer(msgspec.Struct):
    """What may be sent at once."""

    max_batch_orders: int
    max_batch_bytes: int
    max_decoded_bytes: int


class TerminalAnswer(msgspec.Struct):
    """`GET /terminal`."""

    terminal_id: UUID
    name: str
    last_number: int | None
    store: StoreAnswer
    server_time: datetime
    open_shift: OpenShiftAnswer | None
    settings: SettingsAnswer
    limits: LimitsAnswer


class ReasonAnswer(msgspec.Struct):
    """Why an order is flagged, held or in conflict; the pointer is within the order."""

    code: str
    pointer: str
    detail: str


class OutcomesAnswer(msgspec.Struct):
    """Members of the batch by outcome; all 0 before it is processed."""

    posted: int
    duplicate: int
    conflict: int
    held: int


class ResultAnswer(msgspec.Struct):
    """What became of one order. Identifier and number are null where they could not be read."""

    index: int
    order_id: UUID | None
    number: int | None
    outcome: Literal["posted", "duplicate", "conflict", "held"]
    reasons: list[ReasonAnswer]
    decision: dict[str, Any] | None


class MovementResultAnswer(msgspec.Struct):
    """What became of one cash movement."""

    index: int
    movement_id: UUID | None
    outcome: Literal["posted", "duplicate", "conflict", "held"]
    reasons: list[ReasonAnswer]
    decision: dict[str, Any] | None


class MovementsAnswer(msgspec.Struct):
    """The cash movements of the batch."""

    outcomes: OutcomesAnswer
    results: list[MovementResultAnswer]


class Receipt(msgspec.Struct):
    """A batch as it stands now."""

    batch_id: UUID
    shift_id: UUID
    state: Literal["received", "processed", "failed"]
    received_at: datetime
    processed_at: datetime | None
    orders: int
    outcomes: OutcomesAnswer
    results: list[ResultAnswer]
    movements: MovementsAnswer


class ComputedAnswer(msgspec.Struct):
    """The shift's posted orders, added up."""

    order_count: int
    sales: int
    refunds: int
    tax: int
    tips: int
    rounding: int
    payments: dict[str, int]


class DifferenceAnswer(msgspec.Struct):
    """Declared − computed."""

    what: str
    declared: int
    computed: int
    difference: int


class CashAnswer(msgspec.Struct):
    """Over/short is counted − expected; both are null until the shift is closed."""

    expected: int
    counted: int | None
    over_short: int | None


class ShiftAnswer(msgspec.Struct):
    """A shift as it stands now."""

    shift_id: UUID
    number: int
    state: Literal["open", "closing", "reconciled", "discrepant", "approved"]
    business_date: str
    missing_batches: list[UUID]
    missing_numbers: list[tuple[int, int]]
    declared: CloseShift | None
    computed: ComputedAnswer
    differences: list[DifferenceAnswer]
    cash: CashAnswer
    held: int
    late: int


class ProblemPlace(msgspec.Struct):
    """One place in the body that is at fault."""

    pointer: str
    code: str
    detail: str


class ProblemAnswer(msgspec.Struct):
    """RFC 9457. Further members depend on the code."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[ProblemPlace] = []
