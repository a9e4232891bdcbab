"""The state of a store day: what its shifts and its exports make of it (docs/store-days.md)."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from backoffice.domain.impacts import Concern, ShiftStep, blocks
from backoffice.domain.states import ShiftState, StoreDayState


class DayExport(StrEnum):
    """What was exported of a store day: nothing, all of it, or all but what came since."""

    NOTHING = "nothing"
    EVERYTHING = "everything"
    CHANGED_SINCE = "changed-since"


class DayRules(NamedTuple):
    """A store's settings about its days. Both are off unless it says otherwise."""

    approves_by_itself: bool = False
    flags_need_a_person: bool = False


BY_PEOPLE = DayRules()


class ShiftOfDay(NamedTuple):
    """A shift as its day sees it. `over_short` in minor units is None while its drawer is not counted; `tolerated` is the
    most of it that its store accepted when it closed, None where the store names no amount.
    """

    state: ShiftState
    over_short: int | None = None
    tolerated: int | None = None
    is_flagged: bool = False


WAITS_FOR: Mapping[StoreDayState, str] = {
    StoreDayState.COLLECTING: "tills that have not closed, or whose orders have not all arrived",
    StoreDayState.TO_REVIEW: "people: what is held or differs is decided, and each shift approved",
    StoreDayState.AUDITED: "an export",
    StoreDayState.EXPORTED: "nothing",
    StoreDayState.SUPERSEDED: "another export, of what changed since the last one",
}


def store_day_state(
    shifts: Sequence[ShiftOfDay], *, rules: DayRules = BY_PEOPLE, exported: DayExport = DayExport.NOTHING
) -> StoreDayState:
    """Where a store day stands. A day without a shift is still collecting.

    What was exported before its time says nothing of the day: it goes where its shifts go, until nobody has to look at it.
    """
    if not shifts or any(is_outstanding(shift.state) for shift in shifts):
        return StoreDayState.COLLECTING
    if exported == DayExport.CHANGED_SINCE:
        return StoreDayState.SUPERSEDED
    if not all(is_done(shift, rules) for shift in shifts):
        return StoreDayState.TO_REVIEW
    return StoreDayState.EXPORTED if exported == DayExport.EVERYTHING else StoreDayState.AUDITED


def is_outstanding(state: ShiftState) -> bool:
    """Whether not everything of a shift is here: it has not closed, or something that it declared is missing."""
    return state in {ShiftState.OPEN, ShiftState.CLOSING}


def is_done(shift: ShiftOfDay, rules: DayRules) -> bool:
    """Whether nobody has to look at a shift any more: it is approved, or needs no person at this store.

    Without a person a drawer must be counted and within what the store tolerates; where that names no amount, exact.
    """
    if shift.state == ShiftState.APPROVED:
        return True
    if not rules.approves_by_itself or shift.state != ShiftState.RECONCILED:
        return False
    return not blocks(_left_to_people(shift), ShiftStep.EXPORTED, is_strict=rules.flags_need_a_person)


def _left_to_people(shift: ShiftOfDay) -> Iterable[Concern]:
    """What is wrong about a reconciled shift that nobody has approved."""
    if shift.over_short is None:
        yield Concern.COUNT_MISSING
    elif abs(shift.over_short) > (shift.tolerated or 0):
        yield Concern.DIFFERENCE
    if shift.is_flagged:
        yield Concern.FLAG
