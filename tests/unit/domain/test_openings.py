"""When a shift really opened, and what is flagged of its opening (protocol §4)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backoffice.domain.numbers import without
from backoffice.domain.openings import TerminalBefore, corrected_opening, opening_flags
from backoffice.domain.posting import Posting, post_closing, post_opening
from backoffice.domain.totals import Difference, cash_differences
from backoffice.domain.wire.messages import OpenShift, read_open_shift
from tests.unit.domain.test_wire import OPEN

RECEIVED = datetime(2026, 3, 1, 7, 0, 5, tzinfo=UTC)
DAY_MS = 24 * 3600 * 1000


def an_opening(**changes: Any) -> OpenShift:
    return read_open_shift(json.dumps(OPEN | changes).encode())


def corrected(message: OpenShift, *, skew_ms: int | None, age: timedelta = timedelta(hours=1)) -> datetime | None:
    before = TerminalBefore(skew_ms=skew_ms, told_at=None if skew_ms is None else RECEIVED - age)
    return corrected_opening(message, before=before, received_at=RECEIVED)


def test_a_clock_three_days_behind_is_put_right():
    message = an_opening(opened_at="2026-02-26T08:00:00+01:00")
    assert corrected(message, skew_ms=-3 * DAY_MS) == datetime(2026, 3, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize("years", [2000, 2099])
def test_the_ends_of_time_are_put_right_as_well(years: int):
    message = an_opening(opened_at=f"{years}-06-01T08:00:00Z")
    skew = datetime(years, 6, 1, 8, tzinfo=UTC) - RECEIVED
    assert corrected(message, skew_ms=round(skew.total_seconds() * 1000)) == RECEIVED


@pytest.mark.parametrize(
    ("skew_ms", "age"),
    [
        (None, timedelta()),
        (600_000, timedelta(hours=1)),
        (-600_000, timedelta(hours=1)),
        (-3 * DAY_MS, timedelta(hours=24, seconds=1)),
        (3 * DAY_MS, timedelta(hours=1)),  # the other way: further from our time than what was sent
    ],
)
def test_otherwise_the_opening_stands_as_it_was_sent(skew_ms: int | None, age: timedelta):
    assert corrected(an_opening(opened_at="2026-02-26T08:00:00+01:00"), skew_ms=skew_ms, age=age) is None


def test_a_shift_that_has_ended_keeps_its_time():
    message = an_opening(opened_at="2026-02-26T08:00:00+01:00", closed_at="2026-02-26T18:00:00+01:00")
    assert corrected(message, skew_ms=-3 * DAY_MS) is None


def test_every_flag_of_an_opening_is_given_in_its_order():
    before = TerminalBefore(skew_ms=-3 * DAY_MS, told_at=RECEIVED, number_used=True, first_number_used=True)
    found = opening_flags(an_opening(cashier="x" * 65), before=before, float_left=10000, is_corrected=True)
    assert [(flag.code, flag.pointer) for flag in found] == [
        ("clock-skew", "/opened_at"),
        ("number-used-before", "/number"),
        ("number-used-before", "/first_number"),
        ("opening-float-differs", "/opening_float"),
        ("text-shortened", "/cashier"),
    ]
    assert found[0].detail == "The device's clock is 259200 s behind ours"


def test_an_opening_as_it_should_be_has_no_flag():
    assert opening_flags(an_opening(), before=TerminalBefore(), float_left=20000, is_corrected=False) == ()


# --- Cash: accounts as debits and credits -----------------------------------------------------------------------------


def test_what_was_left_and_is_not_there_is_short():
    assert post_opening(opening_float=5000, drawer_balance=10000, float_left=10000) == [
        Posting("6900", 5000, 0),
        Posting("1000", 0, 5000),
    ]


def test_what_stood_in_the_drawer_beyond_what_was_left_goes_to_the_safe_once_nothing_waits():
    both = {"opening_float": 5000, "drawer_balance": 12000, "float_left": 5000}
    assert post_opening(**both) == [Posting("1010", 7000, 0), Posting("1000", 0, 7000)]
    assert post_opening(**both, a_shift_waits=True) == []


def test_closing_moves_what_does_not_stay():
    assert post_closing(counted=61250, float_left=20000, moved_before=0) == [
        Posting("1010", 41250, 0),
        Posting("1000", 0, 41250),
    ]
    assert post_closing(counted=60000, float_left=20000, moved_before=41250) == [
        Posting("1000", 1250, 0),
        Posting("1010", 0, 1250),
    ]
    assert post_closing(counted=61250, float_left=20000, moved_before=41250) == []


@pytest.mark.parametrize(
    ("counted", "most", "expected"),
    [
        (None, None, [Difference("cash.count", None, 1000, None)]),
        (96385074, None, []),
        (96385074, 500, [Difference("cash.over_short", 96385074, 1000, 96384074)]),
        (500, 500, []),
        (499, 500, [Difference("cash.over_short", 499, 1000, -501)]),
    ],
)
def test_a_drawer_differs_where_it_is_not_counted_or_further_off_than_it_may_be(
    counted: int | None, most: int | None, expected: list[Difference]
):
    assert cash_differences(counted=counted, expected=1000, max_over_short=most) == expected


# --- Numbers that are passed over -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ranges", "passed", "left"),
    [
        ([(1, 10)], [], [(1, 10)]),
        ([(1, 10)], [1, 5, 10, 11], [(2, 4), (6, 9)]),
        ([(5, 5), (7, 8)], [5, 8], [(7, 7)]),
        ([(7, 8), (1, 2)], [0, 3], [(1, 2), (7, 8)]),
        ([(1, 2**53)], [2], [(1, 1), (3, 2**53)]),
        ([], [1], []),
    ],
)
def test_numbers_are_taken_out_of_ranges(ranges: list[tuple[int, int]], passed: list[int], left: list[tuple[int, int]]):
    assert without(ranges, passed) == left
