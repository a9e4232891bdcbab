"""A terminal's recent shifts, each with its batches."""

from typing import NamedTuple

from backoffice.inbox.models import Batch
from backoffice.review.words import BATCH_STATES, SHIFT_STATES, Label
from backoffice.sales.models import Shift

SHIFTS_SHOWN = 12
BATCHES_SHOWN = 200


class ShiftSpan(NamedTuple):
    """One shift and its latest batches, the newest first."""

    shift: Shift
    state: Label
    batches: list[tuple[Batch, Label]]


def read_timeline(terminal_id: int) -> list[ShiftSpan]:
    """The latest shifts of a terminal. Two statements."""
    shifts = list(Shift.objects.filter(terminal_id=terminal_id).order_by("-opened_at")[:SHIFTS_SHOWN])
    batches: dict[object, list[tuple[Batch, Label]]] = {}
    for batch in (
        Batch.objects.filter(shift_id__in=[shift.pk for shift in shifts])
        .defer("body", "digest", "results", "movement_results")
        .order_by("-received_at")[:BATCHES_SHOWN]
    ):
        batches.setdefault(batch.shift_id, []).append((batch, BATCH_STATES[batch.state]))
    return [ShiftSpan(shift, SHIFT_STATES[shift.state], batches.get(shift.pk, [])) for shift in shifts]
