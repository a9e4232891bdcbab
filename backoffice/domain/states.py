"""The states of a shift, of a batch and of a store day, and which may follow which (protocol §6, §5; docs/store-days.md).

docs/states.md draws the tables.
"""

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
    """Where a batch stands: `received → processed | failed`, `failed → processed` (protocol §5)."""

    RECEIVED = "received"
    PROCESSED = "processed"
    FAILED = "failed"


class StoreDayState(StrEnum):
    """Where all shifts of a store and business date stand: `collecting → to_review → audited → exported → superseded`."""

    COLLECTING = "collecting"
    TO_REVIEW = "to_review"
    AUDITED = "audited"
    EXPORTED = "exported"
    SUPERSEDED = "superseded"


class TransitionRefused(Exception):
    """The state asked for cannot follow the present one."""


# Whatever arrives late, or is decided, reconciles again: so each settled state may become each other one, and may
# fall back to `closing` while a late batch that is known of has not been processed.
SHIFT_TRANSITIONS: Mapping[ShiftState, frozenset[ShiftState]] = {
    ShiftState.OPEN: frozenset({ShiftState.CLOSING}),
    ShiftState.CLOSING: frozenset({ShiftState.RECONCILED, ShiftState.DISCREPANT}),
    ShiftState.RECONCILED: frozenset({ShiftState.CLOSING, ShiftState.DISCREPANT, ShiftState.APPROVED}),
    ShiftState.DISCREPANT: frozenset({ShiftState.CLOSING, ShiftState.RECONCILED, ShiftState.APPROVED}),
    ShiftState.APPROVED: frozenset({ShiftState.CLOSING, ShiftState.RECONCILED, ShiftState.DISCREPANT}),
}

# The statements of the inbox change a batch's state in SQL, where no Python looks at it: each of them leaves alone what is
# `processed`. A test holds what they do against this table.
BATCH_TRANSITIONS: Mapping[BatchState, frozenset[BatchState]] = {
    BatchState.RECEIVED: frozenset({BatchState.PROCESSED, BatchState.FAILED}),
    BatchState.FAILED: frozenset({BatchState.PROCESSED}),
    BatchState.PROCESSED: frozenset(),
}

# The state of a store day is derived from its shifts and its exports whenever it is asked for, and stored nowhere. It goes where
# its shifts go, back as well. An export neither waits for that nor ends it: what it took may be superseded, or looked at again.
STORE_DAY_TRANSITIONS: Mapping[StoreDayState, frozenset[StoreDayState]] = {
    StoreDayState.COLLECTING: frozenset(
        {StoreDayState.TO_REVIEW, StoreDayState.AUDITED, StoreDayState.EXPORTED, StoreDayState.SUPERSEDED}
    ),
    StoreDayState.TO_REVIEW: frozenset(
        {StoreDayState.COLLECTING, StoreDayState.AUDITED, StoreDayState.EXPORTED, StoreDayState.SUPERSEDED}
    ),
    StoreDayState.AUDITED: frozenset({StoreDayState.COLLECTING, StoreDayState.TO_REVIEW, StoreDayState.EXPORTED}),
    StoreDayState.EXPORTED: frozenset({StoreDayState.COLLECTING, StoreDayState.TO_REVIEW, StoreDayState.SUPERSEDED}),
    StoreDayState.SUPERSEDED: frozenset({StoreDayState.COLLECTING, StoreDayState.TO_REVIEW, StoreDayState.EXPORTED}),
}


def check_shift_transition(*, present: ShiftState, wanted: ShiftState) -> None:
    """Raises `TransitionRefused` unless a shift in `present` may become `wanted`."""
    if wanted not in SHIFT_TRANSITIONS[present]:
        raise TransitionRefused(f"A shift that is {present} cannot become {wanted}.")
