"""From orders and cash to balanced postings (ledger, "Posting an order" and "Cash")."""

from collections.abc import Mapping
from typing import NamedTuple

from backoffice.domain.orders import CashMovement, Order

PaymentAccounts = Mapping[str, str]
"""Payment method → account code."""

ReasonAccounts = Mapping[str, str]
"""Reason of a cash movement → account code."""


class Posting(NamedTuple):
    """One side of an entry in minor units: one of `debit` and `credit` is above 0, the other is 0."""

    account: str
    debit: int
    credit: int
    tax_code: str = ""


def post_order(order: Order, *, prices_include_tax: bool, accounts: PaymentAccounts) -> list[Posting]:
    """The lines of the order's entry; [] for one without an entry (voided, training, free)."""
    raise NotImplementedError


def post_opening(*, opening_float: int, drawer_balance: int) -> list[Posting]:
    """Brings the drawer's account from `drawer_balance` to `opening_float`, against the safe."""
    raise NotImplementedError


def post_movement(movement: CashMovement, *, accounts: ReasonAccounts) -> list[Posting]:
    """Cash in or out against the account of its reason; suspense where that is unknown."""
    raise NotImplementedError


def post_over_short(*, over_short: int, posted_before: int) -> list[Posting]:
    """What is over (> 0) or short beyond what earlier reconciliations of the shift posted."""
    raise NotImplementedError
