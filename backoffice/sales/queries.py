"""Reading what was sold."""

from django.db.models import Max

from backoffice.sales.models import Identity, Shift


def last_number(terminal_id: int) -> int | None:
    """The highest order number that this terminal has used, in any shift or outcome; None before its first order."""
    highest: int | None = Identity.objects.filter(terminal_id=terminal_id).aggregate(highest=Max("number"))["highest"]
    return highest


def last_shift_number(terminal_id: int) -> int | None:
    """The highest number of a shift that this terminal ever opened; None before its first."""
    highest: int | None = Shift.objects.filter(terminal_id=terminal_id).aggregate(highest=Max("number"))["highest"]
    return highest
