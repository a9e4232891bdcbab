"""The states of a shift and of a batch, and which of a shift's may follow which (protocol §6, §5)."""

from collections.abc import Mapping
from enum import StrEnum


class ShiftState(StrEnum):
    """Where a shift stands: `open → closing → reconciled | discrepant → approved` (protocol §6)."""

    OPEN = "open"
    CLOSING = "closing"
    RECONCILED = "reconciled"
    DISCREPANT = "discrepant"
    APPROVED = "approved"


class BatchState(StrEnum):
    """Where a batch stands (protocol §5). A failed one is retried, so it may still become processed."""

    RECEIVED = "received"
    PROCESSED = "processed"
    FAILED = "failed"


class TransitionRefused(Exception):
    """The state asked for cannot follow the present one."""


# Whatever arrives late, or is decided, reconciles again: so each settled state may become each other one, and may
# fall back to `closing` while a late batch that is known of has not been processed.
SHIFT_TRANSITIONS: Mapping[ShiftState, frozenset[ShiftState]] = {
    ShiftState.OPEN: frozenset({ShiftState.CLOSING}),
    ShiftState.CLOSING: frozenset({ShiftState.RECONCILED, ShiftState.DISCREPANT}),
    ShiftState.RECONCILED: frozenset({ShiftState.CLOSING, ShiftState.DISCREPANT}),
    ShiftState.DISCREPANT: frozenset({ShiftState.CLOSING, ShiftState.RECONCILED, ShiftState.APPROVED}),
    ShiftState.APPROVED: frozenset({ShiftState.CLOSING, ShiftState.RECONCILED, ShiftState.DISCREPANT}),
}


def check_shift_transition(*, present: ShiftState, wanted: ShiftState) -> None:
    """Raises `TransitionRefused` unless a shift in `present` may become `wanted`."""
    if wanted not in SHIFT_TRANSITIONS[present]:
        raise TransitionRefused(f"A shift that is {present} cannot become {wanted}.")
