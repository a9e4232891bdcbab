"""The answers to terminals, which the OpenAPI document describes. Money is in minor units."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from backoffice.domain.orders import Order
from backoffice.domain.reasons import REASONS
from backoffice.domain.scalars import Count, Instant, Number
from backoffice.domain.states import BatchState, ShiftState
from backoffice.domain.wire.conversion import learn_types
from backoffice.domain.wire.messages import MAX_CLOSE_BATCHES, Cash, CloseShift, Currency, Totals

# Not `Money`: a sum of many orders may exceed the bound of one amount.
Amount = Annotated[int, Meta(description="Minor units of the shift's currency, signed.")]
Cursor = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]+$", description="Opaque.")]
Token = Annotated[str, Meta(min_length=32, description="256 random bits, shown this once.")]
Pointer = Annotated[str, Meta(pattern="^(/|$)", description="A JSON Pointer (RFC 6901).")]
# A close names few methods; what was stored before there was a bound is cut here.
MOST_DIFFERENCES = 200
NumberPair = Annotated[list[Number], Meta(min_length=2, max_length=2)]
NumberRanges = Annotated[list[NumberPair], Meta(max_length=100, description="Order numbers, as inclusive pairs.")]
# Plain text, since that is what columns hold; the document lists the values.
Outcome = Annotated[str, Meta(extra_json_schema={"enum": ["conflict", "duplicate", "held", "posted"]})]
BatchStateName = Annotated[str, Meta(extra_json_schema={"enum": sorted(state.value for state in BatchState)})]
ShiftStateName = Annotated[str, Meta(extra_json_schema={"enum": sorted(state.value for state in ShiftState)})]
RoundingMode = Annotated[str, Meta(extra_json_schema={"enum": ["nearest", "down", "up"]})]
InBooks = Annotated[str, Meta(extra_json_schema={"enum": ["posted", "voided"]})]
# Codes may be added (protocol §2.6), so the document gives these as examples.
ReasonCode = Annotated[str, Meta(examples=list(REASONS))]
Decision = Annotated[
    dict[str, Any],
    Meta(
        description="What head office decided since.",
        extra_json_schema={
            "properties": {
                "verb": {"type": "string", "examples": ["post", "correct", "discard", "move", "void"]},
                "decided_at": {"type": "string", "format": "date-time"},
                "order_id": {
                    "description": "The order that went into the books, if any did.",
                    "anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}],
                },
            },
            "required": ["verb", "decided_at", "order_id"],
            "additionalProperties": True,
        },
    ),
]


class StoreAnswer(msgspec.Struct):
    """The store as its terminals see it."""

    id: UUID
    code: str
    name: str
    timezone: str
    currency: Currency
    prices_include_tax: bool


class Activated(msgspec.Struct):
    """`token` is shown this once."""

    terminal_id: UUID
    store: StoreAnswer
    token: Token


class TokenAnswer(msgspec.Struct):
    """`token` is shown this once."""

    token: Token


class HeartbeatTaken(msgspec.Struct):
    """`clock_skew_ms` is device minus server; `missing_numbers` are inclusive ranges in unsettled shifts, at most 100.

    `checkpoint` is the newest signed seal of the books, null until there is one.
    """

    server_time: Instant
    clock_skew_ms: int
    missing_numbers: NumberRanges
    open_shift_id: UUID | None
    checkpoint: str | None


class StoreOrder(msgspec.Struct):
    """One posted paid order of the store. `terminal` is `terminal_id`, under the name that it had first."""

    order_id: UUID
    number: Number
    terminal: UUID
    terminal_id: UUID
    terminal_name: str
    kind: Literal["sale", "refund"]
    total: Amount
    mode: Literal["online", "offline"]
    closed_at: Instant
    posted_at: Instant


class StoreOrdersAnswer(msgspec.Struct):
    """`next` is the cursor for the next request."""

    orders: list[StoreOrder]
    next: Cursor
    more: bool


class GivingBackAnswer(msgspec.Struct):
    """One order that gave something back, and how much: gross, without rounding and tip."""

    order_id: UUID
    terminal_id: UUID
    number: Number
    closed_at: Instant
    amount: Amount


class GivenBackAnswer(msgspec.Struct):
    """What negative lines of any order gave back; `amount` is the sum of all, also where `by` does not list all."""

    amount: Amount
    by: Annotated[list[GivingBackAnswer], Meta(max_length=1000)]


class OrderInBooks(msgspec.Struct):
    """A posted paid order of the store: as it was sent, and what was given back of it."""

    order: Order
    state: InBooks
    terminal_id: UUID
    terminal_name: str
    shift_id: UUID
    posted_at: Instant
    given_back: GivenBackAnswer


class OpenShiftAnswer(msgspec.Struct):
    """The terminal's open shift."""

    shift_id: UUID
    number: Number


class SettingsAnswer(msgspec.Struct):
    """The store's settings; a setting that is null flags nothing."""

    max_order_total: int | None
    min_refund_total: int | None
    refund_days: int | None
    order_types: list[str]
    cash_reasons: list[str]
    payment_methods: list[str]
    rounding_step: int | None
    rounding_mode: RoundingMode | None
    max_over_short: int | None


class LimitsAnswer(msgspec.Struct):
    """How much may be sent at once. `max_message_bytes` comes with the 413 of an activation, opening or heartbeat."""

    max_batch_orders: Count
    max_batch_bytes: Count
    max_decoded_bytes: Count
    max_member_bytes: Count
    max_message_bytes: Count | UnsetType = UNSET


class TerminalAnswer(msgspec.Struct):
    """`GET /terminal`."""

    terminal_id: UUID
    name: str
    last_number: Number | None
    last_shift_number: Number | None
    store: StoreAnswer
    server_time: Instant
    open_shift: OpenShiftAnswer | None
    settings: SettingsAnswer
    limits: LimitsAnswer


class ReasonAnswer(msgspec.Struct):
    """Why an order is flagged, held or in conflict; the pointer is within the order."""

    code: ReasonCode
    pointer: Pointer
    detail: str


class OutcomesAnswer(msgspec.Struct):
    """How many members of the batch had each outcome; all 0 until it is processed."""

    posted: Count
    duplicate: Count
    conflict: Count
    held: Count


class ResultAnswer(msgspec.Struct):
    """What became of one order. Identifier and number are null where they could not be read."""

    index: Count
    order_id: UUID | None
    number: Number | None
    outcome: Outcome
    reasons: list[ReasonAnswer]
    decision: Decision | None


class MovementResultAnswer(msgspec.Struct):
    """What became of one cash movement."""

    index: Count
    movement_id: UUID | None
    outcome: Outcome
    reasons: list[ReasonAnswer]
    decision: Decision | None


class MovementsAnswer(msgspec.Struct):
    """The cash movements of the batch."""

    outcomes: OutcomesAnswer
    results: list[MovementResultAnswer]


class Receipt(msgspec.Struct):
    """A batch as it stands now."""

    batch_id: UUID
    shift_id: UUID
    state: BatchStateName
    received_at: Instant
    processed_at: Instant | None
    orders: Count
    outcomes: OutcomesAnswer
    results: list[ResultAnswer]
    movements: MovementsAnswer


class ComputedAnswer(msgspec.Struct):
    """The sums of the shift's posted orders."""

    order_count: Count
    sales: Amount
    refunds: Amount
    tax: Amount
    tips: Amount
    rounding: Amount
    payments: dict[str, Amount]


class DifferenceAnswer(msgspec.Struct):
    """One figure that differs; `difference` is declared − computed. Both are null where the drawer was not counted yet."""

    what: str
    declared: int | None
    computed: int
    difference: int | None


class CashAnswer(msgspec.Struct):
    """`over_short` is counted − expected; both are null until the drawer is counted."""

    expected: Amount
    counted: Amount | None
    over_short: Amount | None


class StandingClose(msgspec.Struct):
    """The declaration that stands, told to whoever closes the shift with other content. Its batches are counted, not listed."""

    closed_at: Instant
    batch_count: Count
    order_count: Count
    first_number: Number
    last_number: Count
    carried_over: list[Number]
    cash_counted: Cash | None
    float_left: Cash | None
    totals: Totals


class ShiftAnswer(msgspec.Struct):
    """A shift as it stands now, with what opened it. `z_number` is set when it first settles."""

    shift_id: UUID
    number: Number
    state: ShiftStateName
    business_date: date
    opened_at: Instant
    cashier: str
    opening_float: Cash
    first_number: Number
    flags: list[ReasonAnswer]
    missing_batches: Annotated[list[UUID], Meta(max_length=MAX_CLOSE_BATCHES)]
    missing_numbers: NumberRanges
    declared: CloseShift | None
    computed: ComputedAnswer
    differences: Annotated[list[DifferenceAnswer], Meta(max_length=MOST_DIFFERENCES)]
    cash: CashAnswer
    held: Count
    late: Count
    explained_numbers: NumberRanges
    z_number: Number | None


learn_types(globals())
