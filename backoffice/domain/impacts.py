"""What may be wrong about a shift, and which step on its way to the books each of them blocks (docs/store-days.md).

docs/store-days.md has the same table.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Concern(StrEnum):
    """What may be wrong about a shift."""

    GAP = "gap"  # a declared batch or number has not arrived, and is not explained
    HELD = "held"
    COUNT_MISSING = "count-missing"
    DIFFERENCE = "difference"
    FLAG = "flag"


class ShiftStep(StrEnum):
    """A step of a shift on its way. `exported` is without a person: what a person approved may always go."""

    SETTLED = "settled"
    RECONCILED = "reconciled"
    APPROVED = "approved"
    EXPORTED = "exported"


IMPACTS: Mapping[Concern, frozenset[ShiftStep]] = {
    Concern.GAP: frozenset({ShiftStep.SETTLED, ShiftStep.RECONCILED, ShiftStep.APPROVED, ShiftStep.EXPORTED}),
    Concern.HELD: frozenset({ShiftStep.RECONCILED, ShiftStep.APPROVED, ShiftStep.EXPORTED}),
    Concern.COUNT_MISSING: frozenset({ShiftStep.RECONCILED, ShiftStep.APPROVED, ShiftStep.EXPORTED}),
    # A person may approve it all the same, with a note, and so let it go.
    Concern.DIFFERENCE: frozenset({ShiftStep.RECONCILED, ShiftStep.EXPORTED}),
    Concern.FLAG: frozenset(),
}

# What a store may ask for beyond that: until a person has approved the shift, flags keep it from the export.
STRICTER: Mapping[Concern, frozenset[ShiftStep]] = {Concern.FLAG: frozenset({ShiftStep.EXPORTED})}


def blocks(concerns: Iterable[Concern], step: ShiftStep, *, is_strict: bool = False) -> bool:
    """Whether any of these keeps a shift from a step, at a store of the usual kind or at a stricter one."""
    return any(
        step in IMPACTS[concern] or (is_strict and step in STRICTER.get(concern, frozenset())) for concern in concerns
    )
