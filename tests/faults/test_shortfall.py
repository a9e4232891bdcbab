"""A chaos run that killed less than it was to kill does not pass, however clean the books are."""

from collections import Counter

from tests.faults.fleet import Day
from tests.faults.run import Plan, Result, shortfall

PLAN = Plan(kills=3, terminals=1, day=Day(seed="1", quota=1, batch=1, shift=1), duration_limit_s=1)
NOTHING_FOUND = {"findings": {"lost": {"count": 0, "examples": []}}}


def ended_with(**counts: int) -> Result:
    names = {"killed": ("kill", "worker"), "stopped": ("stop at once", "postmaster"), "frozen": ("freeze", "valkey")}
    result = Result(PLAN, misfortunes=Counter({names[what]: count for what, count in counts.items()}))
    result.trouble += shortfall(result)
    result.checked = NOTHING_FOUND
    return result


def test_with_every_planned_kill_it_is_clean() -> None:
    assert ended_with(killed=2, stopped=1).clean
    assert ended_with(killed=4).clean


def test_with_a_kill_too_few_it_is_not_and_says_so() -> None:
    short = ended_with(killed=1, stopped=1, frozen=5)
    assert (short.clean, short.trouble) == (False, ["only 2 of 3 kills were carried out"])
