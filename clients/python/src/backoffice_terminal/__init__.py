"""What every point-of-sale terminal needs to talk to Back Office."""

from backoffice_terminal.api import (
    Api,
    Device,
    Heartbeat,
    HeartbeatAnswer,
    Limits,
    Receipt,
    ShiftView,
    Store,
    StoreOrder,
    Totals,
)
from backoffice_terminal.journal import Journal
from backoffice_terminal.orders import Draft, Line, NotBalanced, Order, Payment, Tax, TaxRate
from backoffice_terminal.problems import (
    ActivationCodeInvalid,
    Busy,
    CredentialInvalid,
    LinkError,
    NotActivated,
    Problem,
    ShiftAlreadyOpen,
    TerminalError,
)
from backoffice_terminal.saved import Movement, SavedOrder, SavedShift
from backoffice_terminal.terminal import NoOpenShift, NotAllowedOffline, OrderTooLarge, ShiftStillOpen, Sold, Terminal

__all__ = [
    "ActivationCodeInvalid",
    "Api",
    "Busy",
    "CredentialInvalid",
    "Device",
    "Draft",
    "Heartbeat",
    "HeartbeatAnswer",
    "Journal",
    "Limits",
    "Line",
    "LinkError",
    "Movement",
    "NoOpenShift",
    "NotActivated",
    "NotAllowedOffline",
    "NotBalanced",
    "Order",
    "OrderTooLarge",
    "Payment",
    "Problem",
    "Receipt",
    "SavedOrder",
    "SavedShift",
    "ShiftAlreadyOpen",
    "ShiftStillOpen",
    "ShiftView",
    "Sold",
    "Store",
    "StoreOrder",
    "Tax",
    "TaxRate",
    "Terminal",
    "TerminalError",
    "Totals",
]
