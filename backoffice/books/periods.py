"""What is not finished of a period when its books are locked, in words for who locks them."""

from datetime import date
from typing import Any

from backoffice.domain.states import BatchState, ShiftState
from backoffice.fleet.models import Store
from backoffice.inbox.models import Batch
from backoffice.sales.models import HeldItem, Shift

MOST_NAMED = 50
FINISHED = (ShiftState.RECONCILED.value, ShiftState.APPROVED.value)


def unfinished_shifts(store: Store, *, through: date) -> dict[str, Any]:
    """What may still post to a store's shifts up to a date: all of it goes to the first open day.

    `{"shift_count", "shifts", "held", "uploads"}`: shifts that are not settled, or differ and are not approved, of which the
    oldest fifty are named; how many orders and cash movements are held; how many uploads are not processed.
    """
    shifts = Shift.objects.filter(store=store, business_date__lte=through).exclude(state__in=FINISHED)
    named = shifts.select_related("terminal").order_by("business_date", "opened_at")[:MOST_NAMED]
    held = HeldItem.objects.filter(store=store, shift__business_date__lte=through, decision_id__isnull=True)
    waiting = Batch.objects.exclude(state=BatchState.PROCESSED.value)
    return {
        "shift_count": shifts.count(),
        "shifts": [_shift_in_words(shift) for shift in named],
        "held": held.count(),
        "uploads": waiting.filter(shift__store=store, shift__business_date__lte=through).count(),
    }


def _shift_in_words(shift: Shift) -> dict[str, Any]:
    return {
        "shift_id": str(shift.pk),
        "terminal": shift.terminal.name,
        "number": shift.number,
        "business_date": shift.business_date.isoformat(),
        "state": shift.state,
    }
