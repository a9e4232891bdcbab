"""Why an order is flagged, held or in conflict: the codes terminals and people see (protocol §5).

The codes of flags are the protocol's. Those of holds and conflicts are ours, in the same style, and as stable.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

import msgspec


class Reason(msgspec.Struct, frozen=True):
    """One reason about one order or cash movement, as the receipt carries it.

    `pointer` is a JSON Pointer (RFC 6901) within the order, "" for the order as a whole; `detail` is for people.
    """

    code: str
    pointer: str = ""
    detail: str = ""


def reasons_json(reasons: Iterable[Reason]) -> list[dict[str, str]]:
    """Reasons as receipts and tables carry them."""
    return [{"code": reason.code, "pointer": reason.pointer, "detail": reason.detail} for reason in reasons]


class ReasonKind(NamedTuple):
    """What a code means: `kind` decides the outcome, `title` is its one sentence for people."""

    kind: Literal["flag", "hold", "conflict"]
    title: str


CUSTOMER_ON_OFFLINE_ORDER = "customer-on-offline-order"
NETWORK_PRINT_ON_OFFLINE_ORDER = "network-print-on-offline-order"
OUTSIDE_SHIFT_HOURS = "outside-shift-hours"
CLOCK_SKEW = "clock-skew"
NUMBER_OUT_OF_RANGE = "number-out-of-range"
LINE_AMOUNT_MISMATCH = "line-amount-mismatch"
TAX_MISMATCH = "tax-mismatch"
ROUNDING_EXCESSIVE = "rounding-excessive"
CHANGE_MISMATCH = "change-mismatch"
OVER_MAX_ORDER_TOTAL = "over-max-order-total"
REFUND_BELOW_MINIMUM = "refund-below-minimum"
REFUND_TOO_LATE = "refund-too-late"
REFUND_OF_UNKNOWN_ORDER = "refund-of-unknown-order"
REFUND_EXCEEDS_ORIGINAL = "refund-exceeds-original"
SAME_CARD_PAYMENT = "same-card-payment"
UNKNOWN_TYPE = "unknown-type"
UNKNOWN_CASH_REASON = "unknown-cash-reason"
LATE = "late"
OTHER_SHIFT = "other-shift"
CARD_NUMBER_MASKED = "card-number-masked"
CARD_DATA_REMOVED = "card-data-removed"
REFUND_OF_REFUND = "refund-of-refund"
REFUND_METHOD_DIFFERS = "refund-method-differs"
ADJUSTS_UNKNOWN_ORDER = "adjusts-unknown-order"
TEXT_SHORTENED = "text-shortened"
SIGN_MISMATCH = "sign-mismatch"
NUMBER_USED_BEFORE = "number-used-before"
OPENING_FLOAT_DIFFERS = "opening-float-differs"
ENTERED_BY_HAND = "entered-by-hand"
IN_LOCKED_PERIOD = "business-date-in-locked-period"

UNREADABLE_ORDER = "unreadable-order"
UNREADABLE_MOVEMENT = "unreadable-movement"
SUMS_DO_NOT_ADD_UP = "sums-do-not-add-up"
PAYMENTS_DO_NOT_ADD_UP = "payments-do-not-add-up"
UNMAPPED_METHOD = "unmapped-method"
UNKNOWN_LINE_KIND = "unknown-line-kind"
UNKNOWN_TAX_KIND = "unknown-tax-kind"
REFUND_NOT_NEGATIVE = "refund-not-negative"
ADJUSTMENT_WITH_LINES = "adjustment-with-lines"
LIMIT_EXCEEDED = "limit-exceeded"
AMOUNT_NOT_POSITIVE = "amount-not-positive"
PROCESSING_FAILED = "processing-failed"

CONTENT_DIFFERS = "content-differs"
NUMBER_ALREADY_USED = "number-already-used"
ORDER_OF_ANOTHER_TERMINAL = "order-of-another-terminal"

REASONS: Mapping[str, ReasonKind] = {
    CUSTOMER_ON_OFFLINE_ORDER: ReasonKind("flag", "A customer is named on an order that was made offline."),
    NETWORK_PRINT_ON_OFFLINE_ORDER: ReasonKind("flag", "An order made offline says it was printed over the network."),
    OUTSIDE_SHIFT_HOURS: ReasonKind("flag", "It was closed before its shift opened or after it closed."),
    CLOCK_SKEW: ReasonKind("flag", "The terminal's clock is more than ten minutes away from ours."),
    NUMBER_OUT_OF_RANGE: ReasonKind(
        "flag", "Its number is below its shift's first number, and it was opened in that shift."
    ),
    LINE_AMOUNT_MISMATCH: ReasonKind("flag", "A line's amount is not its quantity times its price less its discount."),
    TAX_MISMATCH: ReasonKind("flag", "A tax is further from its rate on its base than rounding explains."),
    ROUNDING_EXCESSIVE: ReasonKind("flag", "The rounding is more than the store's rounding step explains."),
    CHANGE_MISMATCH: ReasonKind("flag", "A cash amount is not what was tendered less the change."),
    OVER_MAX_ORDER_TOTAL: ReasonKind("flag", "The total is above the store's maximum for one order."),
    REFUND_BELOW_MINIMUM: ReasonKind("flag", "The refund is below the store's minimum."),
    REFUND_TOO_LATE: ReasonKind("flag", "The refund came after the days the store allows."),
    REFUND_OF_UNKNOWN_ORDER: ReasonKind("flag", "The order it refunds is not in the books."),
    REFUND_EXCEEDS_ORIGINAL: ReasonKind("flag", "More was given back than the original order came to."),
    SAME_CARD_PAYMENT: ReasonKind("flag", "Another order of the store has the same payment reference within a day."),
    UNKNOWN_TYPE: ReasonKind("flag", "The store does not know this type of order."),
    UNKNOWN_CASH_REASON: ReasonKind("flag", "The store does not know this reason; it was posted to suspense."),
    LATE: ReasonKind("flag", "It came after the close, in a batch that the close does not list."),
    OTHER_SHIFT: ReasonKind("flag", "It is known under another shift, and stays there."),
    CARD_NUMBER_MASKED: ReasonKind("flag", "A card number in a text was masked to its last four digits."),
    CARD_DATA_REMOVED: ReasonKind("flag", "Card data that must not be kept was removed."),
    REFUND_OF_REFUND: ReasonKind("flag", "What it refunds is a refund itself."),
    REFUND_METHOD_DIFFERS: ReasonKind("flag", "Money went back in another way than the original order was paid."),
    ADJUSTS_UNKNOWN_ORDER: ReasonKind("flag", "The order whose payment it changes is not in the books."),
    TEXT_SHORTENED: ReasonKind("flag", "A text was shortened in the tables; the stored body has the whole of it."),
    SIGN_MISMATCH: ReasonKind("flag", "A line's amount and its quantity times its price have opposite signs."),
    NUMBER_USED_BEFORE: ReasonKind("flag", "The shift opened with a number that this terminal had used before."),
    OPENING_FLOAT_DIFFERS: ReasonKind("flag", "The shift opened with another float than the last close left."),
    ENTERED_BY_HAND: ReasonKind("flag", "Head office entered it by hand: its terminal could not send it any more."),
    IN_LOCKED_PERIOD: ReasonKind(
        "flag", "The books of its business date were locked: it stands on the first open day."
    ),
    UNREADABLE_ORDER: ReasonKind("hold", "It cannot be read as an order."),
    UNREADABLE_MOVEMENT: ReasonKind("hold", "It cannot be read as a cash movement."),
    SUMS_DO_NOT_ADD_UP: ReasonKind("hold", "The total is not the sum of its lines, taxes and rounding."),
    PAYMENTS_DO_NOT_ADD_UP: ReasonKind("hold", "The payments are not the total and the tip."),
    UNMAPPED_METHOD: ReasonKind("hold", "No account is mapped to a payment method."),
    UNKNOWN_LINE_KIND: ReasonKind("hold", "No posting rule knows this kind of line."),
    UNKNOWN_TAX_KIND: ReasonKind("hold", "Nobody knows what this kind of tax is computed from."),
    REFUND_NOT_NEGATIVE: ReasonKind("hold", "A refund's total is above zero: nobody can tell which sign was meant."),
    ADJUSTMENT_WITH_LINES: ReasonKind("hold", "It changes another order's payment, and has lines or a total itself."),
    LIMIT_EXCEEDED: ReasonKind(
        "hold", "It has more entries, a longer text, more bytes or a larger amount than the protocol allows."
    ),
    AMOUNT_NOT_POSITIVE: ReasonKind("hold", "The amount of a cash movement must be above zero."),
    PROCESSING_FAILED: ReasonKind("hold", "Processing it failed again and again; people have been told."),
    CONTENT_DIFFERS: ReasonKind("conflict", "The same identifier was sent with other content."),
    NUMBER_ALREADY_USED: ReasonKind("conflict", "Another order of this terminal has its number."),
    ORDER_OF_ANOTHER_TERMINAL: ReasonKind("conflict", "Its identifier belongs to another terminal."),
}
