"""What a shift is flagged with when it opens, and on which day it is booked (protocol §4)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from backoffice.fleet.models import Heartbeat
from backoffice.sales.models import Shift
from tests.integration.api.test_heartbeats import beat
from tests.till import Till, a_sale, codes, outcomes

PARIS = ZoneInfo("Europe/Paris")


def flags(till: Till) -> list[tuple[str, str]]:
    """Code and pointer of each flag of the till's shift."""
    return [(flag["code"], flag["pointer"]) for flag in till.shift()["flags"]]


def today() -> date:
    return timezone.now().astimezone(PARIS).date()


# --- Numbers that were used -------------------------------------------------------------------------------------------


def test_a_shift_that_goes_on_with_the_next_numbers_has_no_flag(till: Till):
    till.sell(a_sale(1001))
    till.close(a_sale(1001))
    till.open(number=312, first_number=1002)
    assert till.shift()["flags"] == []


def test_a_shift_number_that_was_used_is_taken_and_flagged(till: Till):
    till.close()
    assert till.open(first_number=1002).status_code == 201
    assert flags(till) == [("number-used-before", "/number")]


def test_a_first_number_that_was_used_is_taken_and_flagged(till: Till):
    till.sell(a_sale(1001))
    till.close(a_sale(1001))
    assert till.open(number=312, first_number=1001).status_code == 201
    assert flags(till) == [("number-used-before", "/first_number")]


def test_numbers_of_another_terminal_are_its_own(till: Till):
    till.sell(a_sale(1001))
    other = Till(till.store, name="Till 2")
    other.open()
    assert flags(other) == []


def test_the_flags_stay_when_the_opening_is_repeated(till: Till):
    till.close()
    first = till.open(first_number=1002).json()
    again = till.open(till.shift_id, first_number=1002)
    assert (again.status_code, again.json()) == (200, first)


# --- The cashier's name -----------------------------------------------------------------------------------------------


def test_a_name_that_is_too_long_is_shortened_and_refuses_nothing():
    till, name = Till(), "A" * 64 + "nna"
    answer = till.open(cashier=name)
    assert (answer.status_code, answer.json()["cashier"]) == (201, "A" * 64)
    assert flags(till) == [("text-shortened", "/cashier")]
    assert till.open(till.shift_id, cashier=name).status_code == 200
    assert till.open(till.shift_id, cashier="A" * 64).status_code == 422


# --- A clock that is wrong --------------------------------------------------------------------------------------------


def open_with_clock(till: Till, skew: timedelta, **changes: Any) -> Any:
    """The till says what its clock shows, and opens a shift by that clock."""
    beat(till, sent_at=(timezone.now() + skew).isoformat())
    return till.open(opened_at=(timezone.now() + skew).isoformat(), **changes)


def test_a_till_whose_clock_is_three_days_behind_has_one_flag_and_the_right_date():
    till, behind = Till(), timedelta(days=-3)
    open_with_clock(till, behind)
    assert till.shift()["business_date"] == str(today())
    assert flags(till) == [("clock-skew", "/opened_at")]
    moment = (timezone.now() + behind + timedelta(minutes=5)).isoformat()
    orders = [a_sale(number, opened_at=moment, closed_at=moment) for number in range(1001, 1049)]
    receipt = till.sell(*orders)
    assert receipt["outcomes"]["posted"] == 48
    assert [result["reasons"] for result in receipt["results"]] == [[]] * 48
    shift = till.close(*orders, closed_at=(timezone.now() + behind + timedelta(hours=8)).isoformat()).json()
    assert (shift["state"], shift["computed"]["order_count"]) == ("reconciled", 48)


def test_what_it_sent_stays_and_the_true_time_is_beside_it():
    till = Till()
    open_with_clock(till, timedelta(days=-3))
    stored = Shift.objects.get(shift_id=till.shift_id)
    assert stored.opened_at_corrected is not None
    assert abs(stored.opened_at_corrected - timezone.now()) < timedelta(minutes=1)
    sent = datetime.fromisoformat(till.shift()["opened_at"])
    assert abs(sent - timezone.now() + timedelta(days=3)) < timedelta(minutes=1)


@pytest.mark.parametrize("skew", [timedelta(days=2), timedelta(days=-400), timedelta(days=9000)])
def test_so_it_is_however_wrong_the_clock_is(skew: timedelta):
    till = Till()
    open_with_clock(till, skew)
    assert till.shift()["business_date"] == str(today())


def test_ten_minutes_are_believed():
    till = Till()
    open_with_clock(till, timedelta(minutes=-9, seconds=-50))
    assert till.shift()["flags"] == []
    assert Shift.objects.get(shift_id=till.shift_id).opened_at_corrected is None


def test_a_clock_that_was_put_right_since_is_believed():
    """Corrected, the time would be further from ours than as it was sent."""
    till = Till()
    beat(till, sent_at=(timezone.now() - timedelta(days=3)).isoformat())
    till.open(opened_at=timezone.now().isoformat())
    assert (till.shift()["business_date"], till.shift()["flags"]) == (str(today()), [])


@pytest.mark.parametrize(("hours", "is_corrected"), [(23, True), (25, False)])
def test_only_a_heartbeat_of_the_last_day_says_something_of_the_clock(hours: int, is_corrected: bool):
    till, behind = Till(), timedelta(days=-3)
    beat(till, sent_at=(timezone.now() + behind).isoformat())
    Heartbeat.objects.filter(terminal=till.terminal).update(received_at=timezone.now() - timedelta(hours=hours))
    till.open(opened_at=(timezone.now() + behind).isoformat())
    expected = today() if is_corrected else (timezone.now() + behind).astimezone(PARIS).date()
    assert till.shift()["business_date"] == str(expected)
    assert flags(till) == ([("clock-skew", "/opened_at")] if is_corrected else [])


def test_a_shift_recorded_as_ended_keeps_its_own_date():
    till = Till()
    beat(till, sent_at=(timezone.now() - timedelta(days=3)).isoformat())
    opened, closed = datetime(2026, 2, 27, 7, tzinfo=UTC), datetime(2026, 2, 27, 17, tzinfo=UTC)
    till.open(opened_at=opened.isoformat(), closed_at=closed.isoformat())
    assert (till.shift()["business_date"], till.shift()["flags"]) == ("2026-02-27", [])


def test_a_clock_that_goes_wrong_later_is_flagged_on_the_orders_as_before(till: Till):
    beat(till, sent_at=(timezone.now() - timedelta(days=3)).isoformat())
    receipt = till.sell(a_sale(1001))
    assert (outcomes(receipt), codes(receipt)) == (["posted"], ["clock-skew"])


def test_an_order_that_cannot_be_read_names_no_number_that_was_used(till: Till):
    till.sell(a_sale(1001, total="240"))
    till.close(order_count=0)
    till.open(uuid4(), number=312, first_number=1001)
    assert till.shift()["flags"] == []
