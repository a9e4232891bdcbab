"""The default chart of accounts, and where payment methods, cash reasons and line kinds post (ledger, "Accounts").

One chart for the company; stores may map methods and reasons differently. A new store starts with these defaults and
is therefore mapped completely.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Side = Literal["debit", "credit", "either"]

DRAWER = "1000"
SAFE = "1010"
TO_THE_BANK = "1020"
BANK = "1030"
CARD_CLEARING = "1100"
BANK_TRANSFERS = "1110"
ON_ACCOUNT = "1300"
SUSPENSE = "1990"
TAX_PAYABLE = "2100"
GIFT_CARDS = "2200"
POINTS = "2210"
TIPS = "2300"
CUSTOMER_DEPOSITS = "2400"
CONTAINER_DEPOSITS = "2410"
DONATIONS = "2420"
SALES = "4000"
SERVICE_CHARGES = "4010"
DISCOUNTS = "4100"
RETURNS = "4200"
ROUNDING = "4900"
OVER_SHORT = "6900"


class Account(NamedTuple):
    """One account of the default chart: the side on which it normally stands decides how its balance reads."""

    code: str
    name: str
    normal_side: Side


CHART: tuple[Account, ...] = (
    Account(DRAWER, "Cash in drawer", "debit"),
    Account(SAFE, "Safe", "debit"),
    Account(TO_THE_BANK, "Cash on its way to the bank", "debit"),
    Account(BANK, "Bank", "debit"),
    Account(CARD_CLEARING, "Card clearing", "debit"),
    Account(BANK_TRANSFERS, "Bank transfers receivable", "debit"),
    Account(ON_ACCOUNT, "Customers on account", "debit"),
    Account(SUSPENSE, "Suspense", "either"),
    Account(TAX_PAYABLE, "Tax payable", "credit"),
    Account(GIFT_CARDS, "Gift cards and vouchers outstanding", "credit"),
    Account(POINTS, "Loyalty points outstanding", "credit"),
    Account(TIPS, "Tips payable", "credit"),
    Account(CUSTOMER_DEPOSITS, "Customer deposits", "credit"),
    Account(CONTAINER_DEPOSITS, "Container deposits", "credit"),
    Account(DONATIONS, "Donations", "credit"),
    Account(SALES, "Sales", "credit"),
    Account(SERVICE_CHARGES, "Service charges", "credit"),
    Account(DISCOUNTS, "Discounts given", "debit"),
    Account(RETURNS, "Sales returns", "debit"),
    Account(ROUNDING, "Rounding differences", "either"),
    Account(OVER_SHORT, "Cash over and short", "either"),
)

PAYMENT_ACCOUNTS: Mapping[str, str] = {
    "cash": DRAWER,
    "card": CARD_CLEARING,
    "wallet": CARD_CLEARING,
    "bank_transfer": BANK_TRANSFERS,
    "on_account": ON_ACCOUNT,
    "gift_card": GIFT_CARDS,
    "voucher": GIFT_CARDS,
    "points": POINTS,
}

CASH_REASON_ACCOUNTS: Mapping[str, str] = {
    "change": SAFE,
    "float": SAFE,
    "safe_drop": SAFE,
    "tips": TIPS,
}

DISCOUNT_LINE = "discount"
"""The kind of a line that takes something off the whole order, and gives nothing back."""

LINE_ACCOUNTS: Mapping[str, str] = {
    "gift_card": GIFT_CARDS,
    "deposit": CUSTOMER_DEPOSITS,
    "container_deposit": CONTAINER_DEPOSITS,
    "account_payment": ON_ACCOUNT,
    "service_charge": SERVICE_CHARGES,
    "donation": DONATIONS,
    DISCOUNT_LINE: DISCOUNTS,
}
"""Every line kind but `item`, which is split between sales, returns and discounts."""

LINE_KINDS: frozenset[str] = frozenset({"item", *LINE_ACCOUNTS})
REVENUE_LINES: frozenset[str] = frozenset({"item", "service_charge", DISCOUNT_LINE})
"""Line kinds that are revenue. What the others come to is owed to somebody, or was owed by a customer."""
