"""What the OpenAPI document says of a type whose docstring speaks to those who maintain the service."""

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "Activation": "The code that head office issued, and what the device says of itself (protocol §3).",
    "OpenShift": (
        "The beginning of a shift (protocol §4). Money in minor units. `currency` and `prices_include_tax` default to the "
        "store's; `closed_at` is sent for a shift that has already ended."
    ),
    "CloseShift": (
        "The terminal's declaration at the end of a shift (protocol §6). Money in minor units. An empty shift has "
        "`last_number = first_number - 1`."
    ),
    "Heartbeat": "How the terminal is (protocol §4). `cached_total` in minor units, signed.",
    "Order": (
        "One sale or refund (protocol §5); with `adjusts`, a change of how another order was paid, or of its tip. Kinds of "
        "lines and taxes, payment methods and types are any text: an unknown one is held or flagged by rule, and so is an "
        "order beyond the limits that are given here."
    ),
    "Line": (
        "One line, signed: `amount` is net of `discount`, and includes its taxes where prices do. A negative line gives "
        "back what `refund_of` names or, where that is null, what the order's own `refund_of` does."
    ),
    "Tax": (
        "One tax of a line: `rate` as a fraction of one (0.055), `amount` in minor units, signed. `kind` says what the rate "
        "is of: `percent` of the line's base, `compound` of the base and the line's other taxes that are not compound; "
        "`fixed` is an amount per unit, not checked against the rate."
    ),
    "Payment": (
        "One payment, signed, in minor units. `tendered` and `change` may be left out, and are never null: what the "
        "customer handed over, and got back."
    ),
    "TerminalAnswer": "The terminal, and where it stands (protocol §4).",
}
"""By the name of the component."""
