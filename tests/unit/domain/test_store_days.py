"""Where a store day stands, and what keeps a shift from which step (docs/store-days.md)."""

import pytest

from backoffice.domain.impacts import IMPACTS, Concern, ShiftStep, blocks
from backoffice.domain.states import STORE_DAY_TRANSITIONS, ShiftState, StoreDayState
from backoffice.domain.store_days import WAITS_FOR, DayExport, DayRules, ShiftOfDay, store_day_state
from backoffice.domain.totals import settled_state
from tests.house.sources import CHECKOUT
from tests.unit.docs.documents import rows, section

STORE_DAYS = CHECKOUT / "docs/store-days.md"

OPEN, CLOSING, APPROVED = (ShiftOfDay(state) for state in (ShiftState.OPEN, ShiftState.CLOSING, ShiftState.APPROVED))
DISCREPANT = ShiftOfDay(ShiftState.DISCREPANT, 0)
EXACT = ShiftOfDay(ShiftState.RECONCILED, 0)
BY_ITSELF = DayRules(approves_by_itself=True)


@pytest.mark.parametrize(
    ("shifts", "state"),
    [
        ([], "collecting"),
        ([APPROVED, OPEN], "collecting"),
        ([APPROVED, CLOSING], "collecting"),
        ([APPROVED, DISCREPANT], "to_review"),
        ([APPROVED, EXACT], "to_review"),
        ([APPROVED, APPROVED], "audited"),
    ],
)
def test_a_day_is_audited_once_each_of_its_shifts_is_approved(shifts: list[ShiftOfDay], state: str):
    assert store_day_state(shifts) == state


@pytest.mark.parametrize(
    ("shift", "state"),
    [
        (EXACT, "audited"),
        (EXACT._replace(over_short=-1), "to_review"),
        (EXACT._replace(over_short=-500, tolerated=500), "audited"),
        (EXACT._replace(over_short=501, tolerated=500), "to_review"),
        (EXACT._replace(over_short=None, tolerated=500), "to_review"),
        (EXACT._replace(is_flagged=True), "audited"),
        (DISCREPANT, "to_review"),
    ],
)
def test_where_the_store_approves_by_itself_nobody_looks_at_what_is_within_its_tolerance(shift: ShiftOfDay, state: str):
    assert store_day_state([APPROVED, shift], rules=BY_ITSELF) == state


def test_at_a_stricter_store_flags_need_a_person_and_an_approval_lets_them_go():
    strict = DayRules(approves_by_itself=True, flags_need_a_person=True)
    assert store_day_state([EXACT._replace(is_flagged=True)], rules=strict) == "to_review"
    assert store_day_state([EXACT], rules=strict) == "audited"
    assert store_day_state([APPROVED._replace(is_flagged=True)], rules=strict) == "audited"


@pytest.mark.parametrize(
    ("shifts", "exported", "state"),
    [
        ([APPROVED], DayExport.EVERYTHING, "exported"),
        ([APPROVED], DayExport.CHANGED_SINCE, "superseded"),
        ([APPROVED, DISCREPANT], DayExport.EVERYTHING, "to_review"),
        ([APPROVED, DISCREPANT], DayExport.CHANGED_SINCE, "superseded"),
        ([APPROVED, OPEN], DayExport.EVERYTHING, "collecting"),
        ([APPROVED, OPEN], DayExport.CHANGED_SINCE, "collecting"),
        ([], DayExport.EVERYTHING, "collecting"),
    ],
)
def test_an_exported_day_is_done_only_once_nobody_has_to_look_at_its_shifts(
    shifts: list[ShiftOfDay], exported: DayExport, state: str
):
    assert store_day_state(shifts, exported=exported) == state


def test_each_state_of_a_day_says_what_it_waits_for_and_what_may_follow():
    assert set(WAITS_FOR) == set(STORE_DAY_TRANSITIONS) == set(StoreDayState)


def test_each_concern_says_which_steps_it_blocks():
    assert set(IMPACTS) == set(Concern)
    assert [concern for concern in Concern if blocks([concern], ShiftStep.SETTLED)] == [Concern.GAP]
    kept_from_approval = {concern for concern in Concern if blocks([concern], ShiftStep.APPROVED)}
    assert kept_from_approval == {Concern.GAP, Concern.HELD, Concern.COUNT_MISSING}, (
        "a difference is approved with a note"
    )
    assert not any(blocks([Concern.FLAG], step) for step in ShiftStep)
    assert blocks([Concern.FLAG], ShiftStep.EXPORTED, is_strict=True)


def test_the_page_for_accountants_has_both_tables():
    told = list(rows(section(STORE_DAYS, "## The path of a day")))
    states = {cells[0].strip("`"): cells[1] for cells in told if len(cells) == 2}
    assert {state: states.get(state) for state in StoreDayState} == dict(WAITS_FOR)
    impacts = {cells[0].partition("`:")[0].strip("`"): cells[1:] for cells in told if len(cells) == 5}
    for concern in Concern:
        blocked = {step for step, cell in zip(ShiftStep, impacts[concern], strict=True) if cell == "blocks"}
        assert blocked == IMPACTS[concern]


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ({"missing_numbers": 1, "held": 1}, "closing"),
        ({"waiting_batches": 1}, "closing"),
        ({"held": 1}, "discrepant"),
        ({"differences": 1}, "discrepant"),
        ({}, "reconciled"),
    ],
)
def test_a_shift_settles_by_the_table_of_impacts(found: dict[str, int], state: str):
    nothing = {"waiting_batches": 0, "missing_numbers": 0, "held": 0, "differences": 0}
    assert settled_state(**(nothing | found)) == state
