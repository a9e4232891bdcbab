"""What the console calls codes and states. Nothing here decides anything."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from backoffice.books.verb_words import VERB_WORDS  # noqa: F401 - templates look words up here
from backoffice.domain import reasons as codes
from backoffice.languages.formats import money, whole
from backoffice.languages.texts import Words, in_their_language
from backoffice.review.details import translated_detail


class Label(NamedTuple):
    """A word and its colour: green, blue, amber, red or grey."""

    text: Words
    colour: str


SHIFT_STATES: dict[str, Label] = {
    "open": Label(_("Open"), "blue"),
    "closing": Label(_("Waiting for orders"), "amber"),
    "reconciled": Label(_("Adds up"), "green"),
    "discrepant": Label(_("Does not add up"), "red"),
    "approved": Label(_("Approved"), "green"),
}
SHIFT_STATE_NAMES: dict[str, Words] = {state: word.text for state, word in SHIFT_STATES.items()}
STORE_DAY_STATES: dict[str, Label] = {
    "collecting": Label(_("Collecting"), "blue"),
    "to_review": Label(_("To review"), "amber"),
    "audited": Label(_("Audited"), "green"),
    "exported": Label(_("Exported"), "green"),
    "superseded": Label(_("Changed since its export"), "red"),
}
# What a store day waits for, by its state: `domain.store_days.WAITS_FOR` says the same to programs.
DAY_WAITS: dict[str, Words] = {
    "collecting": _("tills that have not closed, or whose orders have not all arrived"),
    "to_review": _("people: what is held or differs is decided, and each shift approved"),
    "audited": _("an export"),
    "exported": _("nothing"),
    "superseded": _("another export, of what changed since the last one"),
}
BATCH_STATES: dict[str, Label] = {
    "received": Label(_("Waiting"), "blue"),
    "processed": Label(_("Done"), "green"),
    "failed": Label(_("Failed"), "red"),
}
OUTCOMES: dict[str, Words] = {
    "posted": _("in the books"),
    "duplicate": _("sent before"),
    "conflict": _("in conflict"),
    "held": _("held"),
}
KINDS: dict[str, Words] = {"sale": _("Sale"), "refund": _("Refund")}
STATUSES: dict[str, Words] = {"paid": _("Paid"), "voided": _("Voided"), "training": _("Training")}
TYPES: dict[str, Words] = {"on_table": _("On table"), "takeaway": _("Takeaway"), "delivery": _("Delivery")}
METHODS: dict[str, Words] = {
    "cash": _("Cash"),
    "card": _("Card"),
    "gift_card": _("Gift card"),
    "wallet": _("Wallet"),
    "voucher": _("Voucher"),
    "bank_transfer": _("Bank transfer"),
    "points": _("Points"),
    "on_account": _("On account"),
}
LINE_KINDS: dict[str, Words] = {
    "item": _("Item"),
    "gift_card": _("Gift card sold"),
    "deposit": _("Deposit"),
    "container_deposit": _("Container deposit"),
    "account_payment": _("Payment to account"),
    "service_charge": _("Service charge"),
    "donation": _("Donation"),
    "discount": _("Discount"),
}
MOVEMENTS: dict[str, Words] = {"cash_in": _("Cash in"), "cash_out": _("Cash out")}
PRINTED_TO: dict[str, Words] = {
    "none": _("Not printed"),
    "local": _("At the till"),
    "network": _("On a network printer"),
}
SOURCES: dict[str, Words] = {
    "order": _("Order"),
    "movement": _("Cash in or out"),
    "opening": _("Shift opened"),
    "over_short": _("Over or short at close"),
    "closing": _("To the safe at close"),
    "void": _("Order voided"),
    "retender": _("Payment corrected"),
    "safe": _("Safe"),
}
IN_A_FILE: dict[str, Label] = {
    "new": Label(_("Not known yet"), "blue"),
    "held": Label(_("Held already"), "amber"),
    "known": Label(_("In the books already"), "grey"),
    "unreadable": Label(_("Cannot be read"), "red"),
}
FILE_PARTS: dict[str, Words] = {
    "opening": _("Opening of a shift"),
    "batch": _("Upload"),
    "close": _("Close of a shift"),
}
FIGURES: dict[str, Words] = {
    "order_count": _("Orders"),
    "sales": _("Sales"),
    "refunds": _("Refunds"),
    "tax": _("Tax"),
    "tips": _("Tips"),
    "rounding": _("Rounding"),
}
DRAWER_FIGURES: dict[str, Words] = {"cash.count": _("Cash not counted yet"), "cash.over_short": _("Cash over or short")}

# A few words for lists; the full sentences are in domain.reasons.
SHORT_REASONS: dict[str, Words] = {
    codes.CUSTOMER_ON_OFFLINE_ORDER: _("Customer named while offline"),
    codes.NETWORK_PRINT_ON_OFFLINE_ORDER: _("Network print while offline"),
    codes.OUTSIDE_SHIFT_HOURS: _("Outside shift hours"),
    codes.CLOCK_SKEW: _("Clock wrong"),
    codes.NUMBER_OUT_OF_RANGE: _("Number too low"),
    codes.LINE_AMOUNT_MISMATCH: _("Line does not multiply"),
    codes.SIGN_MISMATCH: _("Line has the wrong sign"),
    codes.TAX_MISMATCH: _("Tax off its rate"),
    codes.ROUNDING_EXCESSIVE: _("Rounding too large"),
    codes.CHANGE_MISMATCH: _("Change does not add up"),
    codes.OVER_MAX_ORDER_TOTAL: _("Above the store's maximum"),
    codes.REFUND_BELOW_MINIMUM: _("Refund below minimum"),
    codes.REFUND_TOO_LATE: _("Refund too late"),
    codes.REFUND_OF_UNKNOWN_ORDER: _("Refund of unknown order"),
    codes.REFUND_EXCEEDS_ORIGINAL: _("Refund above original"),
    codes.REFUND_OF_REFUND: _("Refund of a refund"),
    codes.REFUND_METHOD_DIFFERS: _("Refunded in another way"),
    codes.ADJUSTS_UNKNOWN_ORDER: _("Changes an unknown order"),
    codes.SAME_CARD_PAYMENT: _("Card payment twice"),
    codes.UNKNOWN_TYPE: _("Unknown order type"),
    codes.UNKNOWN_CASH_REASON: _("Unknown cash reason"),
    codes.LATE: _("Came after the close"),
    codes.OTHER_SHIFT: _("Known in another shift"),
    codes.CARD_NUMBER_MASKED: _("Card number masked"),
    codes.CARD_DATA_REMOVED: _("Card data removed"),
    codes.NUMBER_USED_BEFORE: _("Number used before"),
    codes.OPENING_FLOAT_DIFFERS: _("Float differs from the last close"),
    codes.TEXT_SHORTENED: _("Text shortened"),
    codes.ENTERED_BY_HAND: _("Entered by hand"),
    codes.IN_LOCKED_PERIOD: _("Came for locked books"),
    codes.UNREADABLE_ORDER: _("Cannot be read"),
    codes.UNREADABLE_MOVEMENT: _("Cannot be read"),
    codes.SUMS_DO_NOT_ADD_UP: _("Total is not the sum of its lines"),
    codes.PAYMENTS_DO_NOT_ADD_UP: _("Payments are not the total"),
    codes.UNMAPPED_METHOD: _("No account for a payment method"),
    codes.UNKNOWN_LINE_KIND: _("Unknown kind of line"),
    codes.UNKNOWN_TAX_KIND: _("Unknown kind of tax"),
    codes.REFUND_NOT_NEGATIVE: _("Refund above zero"),
    codes.ADJUSTMENT_WITH_LINES: _("Changes a payment, and has lines"),
    codes.LIMIT_EXCEEDED: _("Too long to be kept"),
    codes.AMOUNT_NOT_POSITIVE: _("Cash amount not above zero"),
    codes.PROCESSING_FAILED: _("Processing failed"),
    codes.CONTENT_DIFFERS: _("Sent twice with different content"),
    codes.NUMBER_ALREADY_USED: _("Number used by another order"),
    codes.ORDER_OF_ANOTHER_TERMINAL: _("Belongs to another terminal"),
}

# What is wrong in what people hand in, where no rule of an upload says it.
OF_DECISIONS: dict[str, Words] = {
    "duplicate": _("Duplicate"),
    "identifier-stays": _("Identifier stays"),
    "not-an-amount": _("Not an amount"),
    "number-stays": _("Number stays"),
    "payments-too-large": _("Payments too large"),
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
        "payments-too-large",  # of what people hand in
        "more-than-on-its-way",
    }
)
# The detail of a tax also contains a rate: "13 is not 0.055 of 227".
_INTEGER = re.compile(r"(?<![\d.,-])-?\d+(?![\d.])")
# Details meant for people who build terminals; here the sentence says enough.
_DETAILS_FOR_BUILDERS = frozenset({codes.AMOUNT_NOT_POSITIVE, codes.CONTENT_DIFFERS, codes.NUMBER_ALREADY_USED})

# No list has more members; what is longer is the name of a field.
_MOST_DIGITS = 9

_PLACES: dict[str, Words] = {
    "lines": _("line"),
    "payments": _("payment"),
    "taxes": _("tax"),
    "order_id": _("order identifier"),
    "refund_of": _("refunded order"),
    "adjusts": _("changed order"),
    "printed_to": _("printed"),
    "opened_at": _("opened"),
    "closed_at": _("closed"),
    "occurred_at": _("time"),
    "unit_price": _("price"),
    "sku": _("article code"),
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
    detail = translated_detail(detail)
    sentence = in_their_language(kind.title) if kind else named(OF_DECISIONS, code)
    short = str(SHORT_REASONS.get(code, sentence))
    where = place(reason.get("pointer", ""))
    return Remark(short, sentence, where if any(map(str.isdecimal, where)) else "", detail)


def place(pointer: str) -> str:
    """A JSON Pointer in words: `/lines/0/taxes/1/amount` is `line 1, tax 2, amount`."""
    names: list[str] = []
    for token in pointer.split("/")[1:]:
        if names and token.isdecimal() and len(token) <= _MOST_DIGITS:
            names[-1] += f" {int(token) + 1}"
        else:
            names.append(str(_PLACES.get(token, token.replace("_", " "))))
    return ", ".join(names)


def named(names: Mapping[str, Words], value: str | None) -> str:
    """The name of `value`; an unknown value is shown itself, without underscores."""
    if value is None:
        return ""
    return str(names.get(value) or value.replace("_", " ").replace("-", " ").capitalize())


def outcomes_in_words(outcomes: Mapping[str, int]) -> str:
    """`96 in the books, 2 sent before, 1 held`."""
    return ", ".join(f"{whole(outcomes[key])} {name}" for key, name in OUTCOMES.items() if outcomes.get(key))


def figure(what: str) -> str:
    """The name of a shift's figure: `payments.cash` is `Cash`."""
    group, _, method = what.partition(".")
    return named(METHODS, method) if group == "payments" else named(FIGURES | DRAWER_FIGURES, what)
