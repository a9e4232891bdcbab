"""What the console calls codes and states. Nothing here decides anything."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from backoffice.domain import reasons as codes
from backoffice.review.formats import money


class Label(NamedTuple):
    """A word and its colour: green, blue, amber, red or grey."""

    text: str
    colour: str


SHIFT_STATES: dict[str, Label] = {
    "open": Label("Open", "blue"),
    "closing": Label("Waiting for orders", "amber"),
    "reconciled": Label("Adds up", "green"),
    "discrepant": Label("Does not add up", "red"),
    "approved": Label("Approved", "green"),
}
SHIFT_STATE_NAMES: dict[str, str] = {state: word.text for state, word in SHIFT_STATES.items()}
STORE_DAY_STATES: dict[str, Label] = {
    "collecting": Label("Collecting", "blue"),
    "to_review": Label("To review", "amber"),
    "audited": Label("Audited", "green"),
    "exported": Label("Exported", "green"),
    "superseded": Label("Changed since its export", "red"),
}
BATCH_STATES: dict[str, Label] = {
    "received": Label("Waiting", "blue"),
    "processed": Label("Done", "green"),
    "failed": Label("Failed", "red"),
}
OUTCOMES: dict[str, str] = {
    "posted": "in the books",
    "duplicate": "sent before",
    "conflict": "in conflict",
    "held": "held",
}
KINDS: dict[str, str] = {"sale": "Sale", "refund": "Refund"}
STATUSES: dict[str, str] = {"paid": "Paid", "voided": "Voided", "training": "Training"}
TYPES: dict[str, str] = {"on_table": "On table", "takeaway": "Takeaway", "delivery": "Delivery"}
METHODS: dict[str, str] = {
    "cash": "Cash",
    "card": "Card",
    "gift_card": "Gift card",
    "wallet": "Wallet",
    "voucher": "Voucher",
    "bank_transfer": "Bank transfer",
    "points": "Points",
    "on_account": "On account",
}
LINE_KINDS: dict[str, str] = {
    "item": "Item",
    "gift_card": "Gift card sold",
    "deposit": "Deposit",
    "container_deposit": "Container deposit",
    "account_payment": "Payment to account",
    "service_charge": "Service charge",
    "donation": "Donation",
    "discount": "Discount",
}
MOVEMENTS: dict[str, str] = {"cash_in": "Cash in", "cash_out": "Cash out"}
PRINTED_TO: dict[str, str] = {"none": "Not printed", "local": "At the till", "network": "On a network printer"}
SOURCES: dict[str, str] = {
    "order": "Order",
    "movement": "Cash in or out",
    "opening": "Shift opened",
    "over_short": "Over or short at close",
    "closing": "To the safe at close",
    "void": "Order voided",
    "retender": "Payment corrected",
    "safe": "Safe",
}
VERBS: dict[str, str] = {
    "post": "Post what was held",
    "correct": "Correct what was held",
    "discard": "Discard what was held",
    "move": "Move to another shift",
    "void": "Void an order",
    "retender": "Correct how it was paid",
    "explain": "Explain missing numbers",
    "enter": "Enter an order by hand",
    "recount": "Count a drawer again",
    "end": "End a shift",
    "approve": "Approve a shift",
    "count-safe": "Count the safe",
    "bank": "Bring cash to the bank",
    "lock": "Lock the books",
    "unlock": "Open locked books again",
    "import-cache": "Take in what a till could not send",
}
FIGURES: dict[str, str] = {
    "order_count": "Orders",
    "sales": "Sales",
    "refunds": "Refunds",
    "tax": "Tax",
    "tips": "Tips",
    "rounding": "Rounding",
}
DRAWER_FIGURES: dict[str, str] = {"cash.count": "Cash not counted yet", "cash.over_short": "Cash over or short"}

# A few words for lists; the full sentences are in domain.reasons.
SHORT_REASONS: dict[str, str] = {
    codes.CUSTOMER_ON_OFFLINE_ORDER: "Customer named while offline",
    codes.NETWORK_PRINT_ON_OFFLINE_ORDER: "Network print while offline",
    codes.OUTSIDE_SHIFT_HOURS: "Outside shift hours",
    codes.CLOCK_SKEW: "Clock wrong",
    codes.NUMBER_OUT_OF_RANGE: "Number too low",
    codes.LINE_AMOUNT_MISMATCH: "Line does not multiply",
    codes.SIGN_MISMATCH: "Line has the wrong sign",
    codes.TAX_MISMATCH: "Tax off its rate",
    codes.ROUNDING_EXCESSIVE: "Rounding too large",
    codes.CHANGE_MISMATCH: "Change does not add up",
    codes.OVER_MAX_ORDER_TOTAL: "Above the store's maximum",
    codes.REFUND_BELOW_MINIMUM: "Refund below minimum",
    codes.REFUND_TOO_LATE: "Refund too late",
    codes.REFUND_OF_UNKNOWN_ORDER: "Refund of unknown order",
    codes.REFUND_EXCEEDS_ORIGINAL: "Refund above original",
    codes.REFUND_OF_REFUND: "Refund of a refund",
    codes.REFUND_METHOD_DIFFERS: "Refunded in another way",
    codes.ADJUSTS_UNKNOWN_ORDER: "Changes an unknown order",
    codes.SAME_CARD_PAYMENT: "Card payment twice",
    codes.UNKNOWN_TYPE: "Unknown order type",
    codes.UNKNOWN_CASH_REASON: "Unknown cash reason",
    codes.LATE: "Came after the close",
    codes.OTHER_SHIFT: "Known in another shift",
    codes.CARD_NUMBER_MASKED: "Card number masked",
    codes.CARD_DATA_REMOVED: "Card data removed",
    codes.NUMBER_USED_BEFORE: "Number used before",
    codes.OPENING_FLOAT_DIFFERS: "Float differs from the last close",
    codes.TEXT_SHORTENED: "Text shortened",
    codes.ENTERED_BY_HAND: "Entered by hand",
    codes.IN_LOCKED_PERIOD: "Came for locked books",
    codes.UNREADABLE_ORDER: "Cannot be read",
    codes.UNREADABLE_MOVEMENT: "Cannot be read",
    codes.SUMS_DO_NOT_ADD_UP: "Total is not the sum of its lines",
    codes.PAYMENTS_DO_NOT_ADD_UP: "Payments are not the total",
    codes.UNMAPPED_METHOD: "No account for a payment method",
    codes.UNKNOWN_LINE_KIND: "Unknown kind of line",
    codes.UNKNOWN_TAX_KIND: "Unknown kind of tax",
    codes.REFUND_NOT_NEGATIVE: "Refund above zero",
    codes.ADJUSTMENT_WITH_LINES: "Changes a payment, and has lines",
    codes.LIMIT_EXCEEDED: "Too long to be kept",
    codes.AMOUNT_NOT_POSITIVE: "Cash amount not above zero",
    codes.PROCESSING_FAILED: "Processing failed",
    codes.CONTENT_DIFFERS: "Sent twice with different content",
    codes.NUMBER_ALREADY_USED: "Number used by another order",
    codes.ORDER_OF_ANOTHER_TERMINAL: "Belongs to another terminal",
}

# The details of these contain amounts in minor units, which have to be written as money.
_DETAILS_IN_MINOR_UNITS = frozenset(
    {
        codes.SUMS_DO_NOT_ADD_UP,
        codes.PAYMENTS_DO_NOT_ADD_UP,
        codes.REFUND_NOT_NEGATIVE,
        codes.LINE_AMOUNT_MISMATCH,
        codes.SIGN_MISMATCH,
        codes.CHANGE_MISMATCH,
        codes.ROUNDING_EXCESSIVE,
        codes.OVER_MAX_ORDER_TOTAL,
        codes.REFUND_BELOW_MINIMUM,
        codes.REFUND_EXCEEDS_ORIGINAL,
        codes.OPENING_FLOAT_DIFFERS,
    }
)
# The detail of a tax also contains a rate: "13 is not 0.055 of 227".
_INTEGER = re.compile(r"(?<![\d.,-])-?\d+(?![\d.])")
# Details meant for people who build terminals; here the sentence says enough.
_DETAILS_FOR_BUILDERS = frozenset({codes.AMOUNT_NOT_POSITIVE, codes.CONTENT_DIFFERS, codes.NUMBER_ALREADY_USED})

# No list has more members; what is longer is the name of a field.
_MOST_DIGITS = 9

_PLACES: dict[str, str] = {
    "lines": "line",
    "payments": "payment",
    "taxes": "tax",
    "order_id": "order identifier",
    "refund_of": "refunded order",
    "adjusts": "changed order",
    "printed_to": "printed",
    "opened_at": "opened",
    "closed_at": "closed",
    "occurred_at": "time",
    "unit_price": "price",
    "sku": "article code",
}


class Remark(NamedTuple):
    """One reason in words: in short, as a sentence, the line or payment it is about, and the detail."""

    short: str
    sentence: str
    place: str
    detail: str


def remark(reason: Mapping[str, str], currency: str) -> Remark:
    """A stored reason (`code`, `pointer`, `detail`) in words; amounts in `currency`."""
    code, detail = reason["code"], reason.get("detail", "")
    kind = codes.REASONS.get(code)
    if code in _DETAILS_FOR_BUILDERS:
        detail = ""
    elif code in _DETAILS_IN_MINOR_UNITS or code == codes.TAX_MISMATCH:
        detail = _INTEGER.sub(lambda found: money(int(found[0]), currency), detail)
    sentence = kind.title if kind else code.replace("-", " ").capitalize()
    short = SHORT_REASONS.get(code, sentence)
    where = place(reason.get("pointer", ""))
    return Remark(short, sentence, where if any(map(str.isdecimal, where)) else "", detail)


def place(pointer: str) -> str:
    """A JSON Pointer in words: `/lines/0/taxes/1/amount` is `line 1, tax 2, amount`."""
    names: list[str] = []
    for token in pointer.split("/")[1:]:
        if names and token.isdecimal() and len(token) <= _MOST_DIGITS:
            names[-1] += f" {int(token) + 1}"
        else:
            names.append(_PLACES.get(token, token.replace("_", " ")))
    return ", ".join(names)


def named(names: Mapping[str, str], value: str | None) -> str:
    """The name of `value`; an unknown value is shown itself, without underscores."""
    if value is None:
        return ""
    return names.get(value) or value.replace("_", " ").replace("-", " ").capitalize()


def figure(what: str) -> str:
    """The name of a shift's figure: `payments.cash` is `Cash`."""
    group, _, method = what.partition(".")
    return named(METHODS, method) if group == "payments" else named(FIGURES | DRAWER_FIGURES, what)
