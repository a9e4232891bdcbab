"""A terminal's recent shifts: the strip of the last thirty, and the timeline of the latest with their batches and gaps."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from backoffice.inbox.models import Batch
from backoffice.review.standings import Gap
from backoffice.review.sync_words import Reader, gap_sentences
from backoffice.review.words import BATCH_STATES, SHIFT_STATES, Label
from backoffice.sales.models import Shift

STRIP_SHOWN = 30
SHIFTS_SHOWN = 12
BATCHES_SHOWN = 200
# So that a shift is told apart without its colour.
MARKS = {"open": "▸", "closing": "…", "reconciled": "✓", "discrepant": "!", "approved": "✓"}


class StripShift(NamedTuple):
    """One shift of the strip: its state in a word, and as a mark."""

    shift: Shift
    state: Label
    mark: str


class ShiftSpan(NamedTuple):
    """One shift, what it lacks, and its latest batches, the newest first."""

    shift: Shift
    state: Label
    gaps: list[str]
    batches: list[tuple[Batch, Label]]


def recent_shifts(terminal_id: int) -> list[Shift]:
    """The last shifts of a terminal, the newest first."""
    return list(Shift.objects.filter(terminal_id=terminal_id).order_by("-opened_at")[:STRIP_SHOWN])


def strip_of(shifts: Sequence[Shift]) -> list[StripShift]:
    """The shifts of a terminal as a strip, the oldest first."""
    return [StripShift(shift, SHIFT_STATES[shift.state], MARKS[shift.state]) for shift in reversed(shifts)]


def read_timeline(shifts: Sequence[Shift], gaps: Iterable[Gap], reader: Reader) -> list[ShiftSpan]:
    """The latest of these shifts with their batches. One statement."""
    shifts = shifts[:SHIFTS_SHOWN]
    lacking = {gap.shift_id: gap_sentences(gap, reader) for gap in gaps}
    batches: dict[object, list[tuple[Batch, Label]]] = {}
    for batch in (
        Batch.objects.filter(shift_id__in=[shift.pk for shift in shifts])
        .defer("body", "digest", "results", "movement_results")
        .order_by("-received_at")[:BATCHES_SHOWN]
    ):
        batches.setdefault(batch.shift_id, []).append((batch, BATCH_STATES[batch.state]))
    return [
        ShiftSpan(shift, SHIFT_STATES[shift.state], lacking.get(str(shift.pk), []), batches.get(shift.pk, []))
        for shift in shifts
    ]
