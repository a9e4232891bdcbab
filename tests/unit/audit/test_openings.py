"""How a drawer stood when a shift opened, told from the times of all shifts of its terminal."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backoffice.audit.openings import BeforeOpening, Stay, drawers_before

SETTLED: dict[str, Any] = {"is_closing": False, "awaits_count": False, "z_number": 1}


def at(hours: float) -> datetime:
    return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hours)


def a_stay(opened: float, closed: float | None = None, left: int | None = None, **changes: Any) -> Stay:
    """A shift that settled as soon as it closed, unless the test says otherwise. Times in hours."""
    closed_at = None if closed is None else at(closed)
    facts = {
        "left_at": closed_at,
        "shift_id": str(opened),
        "number": 1,
        "is_recorded": False,
        "reconciled_at": closed_at,
        **SETTLED,
    }
    return Stay(received_at=at(opened), closed_at=closed_at, float_left=left, **(facts | changes))


def before(*stays: Stay) -> BeforeOpening:
    """What stood before the last of them opened."""
    return dict(drawers_before(list(stays)))[stays[-1].shift_id]


def test_before_the_first_nothing_is_known() -> None:
    assert before(a_stay(1)) == (None, None, False, ())


def test_the_last_close_says_what_was_left_whichever_shift_it_closed() -> None:
    assert before(a_stay(0, 8, 100), a_stay(9)) == (100, 100, False, ())
    assert before(a_stay(0, 8, 100), a_stay(9, 17), a_stay(18)) == (None, None, False, ())
    recorded = a_stay(1, 5, 50, is_recorded=True)
    assert before(a_stay(0, 8, 100), recorded, a_stay(9)).float_left == 100
    assert before(a_stay(0, 4, 100), recorded, a_stay(9)).float_left == 50


def test_a_close_that_comes_late_counts_by_its_own_time() -> None:
    late = a_stay(1, 10, 50, is_recorded=True, left_at=at(5))
    found = before(a_stay(0, 8, 100), late, a_stay(11))
    assert (found.float_left, found.float_left_before) == (100, 50)


@pytest.mark.parametrize("closed", [None, 12])
def test_beside_a_shift_that_stands_open_nothing_is_compared(closed: float | None) -> None:
    assert before(a_stay(0, 8, 100), a_stay(1, closed, 50, is_recorded=True), a_stay(9)).float_left is None
    assert before(a_stay(0, closed, 100), a_stay(9, is_recorded=True)).float_left is None


def test_two_that_are_not_recorded_are_never_open_at_once_whatever_the_clocks_say() -> None:
    """A close and an opening at the same moment: each takes its time before it waits for the other."""
    assert before(a_stay(0, 9.001, 100), a_stay(9)).float_left == 100


@pytest.mark.parametrize(
    ("changes", "surely", "maybe"),
    [
        ({}, False, False),
        ({"reconciled_at": at(10)}, False, True),
        ({"reconciled_at": at(9) - timedelta(seconds=30)}, False, True),
        ({"reconciled_at": None}, True, True),
        ({"is_closing": True}, False, True),
        ({"awaits_count": True}, True, True),
    ],
)
def test_who_still_waits_or_settled_afterwards_may_have_waited(
    changes: dict[str, Any], *, surely: bool, maybe: bool
) -> None:
    assert before(a_stay(0, 8, 100, **changes), a_stay(9)) == (100, 100, surely, ("0",) if maybe else ())
