"""What is at stake where something is held."""

from backoffice.review.comparing import is_amount
from backoffice.review.originals import StoredOriginal
from backoffice.sales.models import HeldItem


def stake_of(row: HeldItem, original: StoredOriginal | None) -> int | None:
    """The order's total or the movement's amount, in minor units; None if it cannot be read."""
    if row.total is not None:
        return row.total
    value = original.value if original is not None else None
    amount = value.get("amount" if row.what == "movement" else "total") if isinstance(value, dict) else None
    return amount if is_amount(amount) else None
