"""The rules that are checked, each with its code, its section of the protocol and its sentence."""

from collections.abc import Mapping
from typing import NamedTuple


class Rule(NamedTuple):
    """`unless` says when a terminal need not exercise the rule; "" means that every terminal must."""

    section: str
    sentence: str
    unless: str = ""


RULES: Mapping[str, Rule] = {
    # -- who is speaking
    "bearer": Rule("§3", "Everything but an activation carries the token as `Authorization: Bearer`."),
    "token-secret": Rule("§3", "Tokens and codes are in no address, and in no body except an activation's."),
    "token-changed": Rule(
        "§3", "A new token is kept, used and proven before the old one is forgotten, whatever gets lost."
    ),
    "stops-on-401": Rule("§9", "After 401 `credential-invalid` nothing more is sent until the terminal is activated."),
    # -- values and framing
    "framing": Rule("§9", "A body states its length and type, is JSON in UTF-8, and is the message of its address."),
    "gzip": Rule("§5", "A body with `Content-Encoding: gzip` is one whole gzip stream.", "it sends none"),
    "digest": Rule("§5", "`Content-Digest` is the SHA-256 of the bytes as sent.", "it sends none"),
    "money": Rule("§2.4", "Money is a JSON integer in the minor unit."),
    "decimals": Rule("§2.4", "Quantities and rates are decimal strings; a unit price is one, or an integer."),
    "times": Rule("§2.5", "Times are RFC 3339 with an offset."),
    "uuids": Rule("§2.5", "Identifiers are UUIDs in the canonical 36-character form."),
    "orders-readable": Rule("§5", "Every order and cash movement has the required fields, with values of their kind."),
    "sums": Rule("§5", "Lines, taxes and rounding add up to the total, payments to total and tip."),
    "lines": Rule("§5", "Line amounts, taxes and change are calculated correctly."),
    "refund-not-negative": Rule("§5", "A paid refund gives money back: no `total` of one is above 0."),
    "adjusts-alone": Rule("§5", "An order that `adjusts` another has no lines and a total of 0.", "it adjusts none"),
    "bounds": Rule(
        "§5", "No text or list of an order is too long; payment methods, line and tax kinds are the protocol's."
    ),
    "hours": Rule("§5", "Orders lie between the opening and the close of their shift."),
    "mode": Rule("§5", "An order that has to wait for a connection says `offline`, one that does not says `online`."),
    "offline-customer": Rule("§5", "An order made offline carries no customer."),
    "offline-network": Rule("§5", "An order made offline was not printed over the network."),
    "live-wait": Rule("§5", "A live order asks for its outcome with `Prefer: wait=N`.", "it polls the receipt"),
    # -- identity
    "order-id-kept": Rule("§2.3", "A sale keeps its order_id and its number, however often it has to be sent."),
    "movement-id-kept": Rule("§2.3", "A cash movement keeps its movement_id, however often it has to be sent."),
    "order-unchanged": Rule("§2.3", "No order_id and no movement_id ever stands for two contents."),
    "batch-unchanged": Rule("§2.3", "A batch_id never stands for two bodies."),
    "batch-retried": Rule("§2.3", "A batch without a final answer is sent again: same address, same bytes."),
    "shift-retried": Rule("§2.3", "An opening or close without an answer is sent again: same address, same content."),
    "batch-renamed": Rule("§9", "After `identifier-reused` the same orders come in a batch with another id."),
    "split": Rule("§9", "After 413 a batch comes as smaller ones with new ids.", "no batch has four orders"),
    "alone": Rule("§9", "After `body-malformed` each order of a batch comes alone.", "no batch has two orders"),
    # -- numbers and delivery
    "number-once": Rule("§5", "A number is used by one order only."),
    "numbers-ascend": Rule("§4", "The counter never resets, skips no number, and rises with the time of sale."),
    "first-number": Rule("§4", "A shift's `first_number` is the next number of the counter."),
    "orders-arrive": Rule(
        "§2.2", "Every order arrives in the end: each identifier that was sent, each number that was declared."
    ),
    "movements-arrive": Rule("§2.2", "Every cash movement arrives in the end, also if its batch is split or refused."),
    "receipt-read": Rule("§5", "After 202 the receipt is read until the batch is processed."),
    "missing-sent": Rule("§6", "What a shift's `missing_batches` and `missing_numbers` name is sent again."),
    "kept-seven-days": Rule(
        "§2.2", "Orders are kept after their shift is reconciled, and sent if they are missed then (§4)."
    ),
    "shift-reopened": Rule("§9", "After `shift-unknown` the shift is opened again, under its identifier."),
    # -- shifts
    "one-open-shift": Rule("§1", "No second shift is opened while one is open."),
    "shift-online": Rule("§1", "A shift starts and ends online: its opening and its close are sent at once."),
    "close-after-open": Rule("§6", "A close names a shift that was opened."),
    "close-numbers": Rule("§6", "`order_count`, `first_number` and `last_number` are those of the shift's orders."),
    "close-totals": Rule("§6", "`sales`, `refunds`, `tax`, `tips` and `rounding` are the sums of paid orders."),
    "close-payments": Rule("§6", "`payments` are the sums by method, and add up to sales, refunds and tips."),
    "close-batches": Rule(
        "§6", "`batches` names every batch of the shift that was taken, and none that never arrives."
    ),
    # -- pace, heartbeat, feed
    "retry-after": Rule("§9", "After 429 and 503 the terminal waits as long as `Retry-After` says."),
    "backs-off": Rule("§9", "A request that fails is repeated after pauses that grow."),
    "heartbeat": Rule("§4", "A heartbeat has the required fields, with values of their kind."),
    "heartbeat-true": Rule(
        "§4",
        "What a heartbeat says of the open shift, the highest number used and the cache is true; null says nothing.",
    ),
    "cursor": Rule("§8", "The feed is followed with `next` of the last answer, unchanged; the first request has none."),
    "feed-pace": Rule("§8", "The feed is not requested sooner than its `Retry-After` says."),
}

PLACES: Mapping[str, str] = {
    **dict.fromkeys(("total", "amount", "discount", "rounding", "tip", "tendered", "change"), "money"),
    **dict.fromkeys(
        ("opening_float", "cash_counted", "float_left", "cached_total", "sales", "refunds", "tax", "tips"), "money"
    ),
    **dict.fromkeys(("quantity", "rate", "unit_price"), "decimals"),
    **dict.fromkeys(("opened_at", "closed_at", "occurred_at", "sent_at", "oldest_cached_at"), "times"),
    **dict.fromkeys(("order_id", "movement_id", "refund_of", "adjusts", "shift_id", "batches"), "uuids"),
}
"""Which rule a field's value belongs to, by the field's name; other fields belong to the rule of the message."""


def rule_of_place(pointer: str, otherwise: str) -> str:
    """The rule that a wrong value at a JSON Pointer breaks: that of the innermost field with one, or `otherwise`."""
    names = [token for token in pointer.split("/") if token and not token.isdigit()]
    return next((PLACES[name] for name in reversed(names) if name in PLACES), otherwise)
