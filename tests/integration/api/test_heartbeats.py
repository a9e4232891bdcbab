"""`PUT /terminal/heartbeat`: what a terminal says of itself, and what it learns (protocol §4)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from backoffice.fleet.models import Heartbeat
from tests.till import Till, a_heartbeat, a_sale, codes


def beat(till: Till, **changes: Any) -> Any:
    return till.send("PUT", "terminal/heartbeat", a_heartbeat(**changes))


def test_it_answers_with_the_servers_time_and_the_open_shift(till: Till) -> None:
    before = timezone.now()
    answer = beat(till)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"server_time", "clock_skew_ms", "missing_numbers", "open_shift_id", "checkpoint"}
    assert body["checkpoint"] is None
    assert body["open_shift_id"] == str(till.shift_id)
    assert body["missing_numbers"] == []
    assert before.isoformat()[:19] <= body["server_time"][:19]
    assert abs(body["clock_skew_ms"]) < 5000


def test_the_skew_is_device_minus_server(till: Till) -> None:
    ahead = beat(till, sent_at=(timezone.now() + timedelta(hours=2)).isoformat()).json()["clock_skew_ms"]
    behind = beat(till, sent_at=(timezone.now() - timedelta(hours=2)).isoformat()).json()["clock_skew_ms"]
    assert abs(ahead - 7_200_000) < 5000
    assert abs(behind + 7_200_000) < 5000


def test_it_names_the_numbers_that_are_missing_in_the_open_shift(till: Till) -> None:
    till.sell(a_sale(1001), a_sale(1005), a_sale(1007))
    assert beat(till).json()["missing_numbers"] == [[1002, 1004], [1006, 1006]]


def test_it_names_the_declared_numbers_that_are_missing_in_a_closing_shift(till: Till) -> None:
    sold = [a_sale(number) for number in range(1001, 1011)]
    till.sell(*sold[:3])
    till.close(*sold)
    assert beat(till).json()["missing_numbers"] == [[1004, 1010]]
    till.open(number=312, first_number=1011)
    till.sell(a_sale(1013))
    assert beat(till).json()["missing_numbers"] == [[1004, 1010], [1011, 1012]]


def test_it_names_no_number_of_an_order_that_cannot_be_read(till: Till) -> None:
    till.sell(a_sale(1001), a_sale(1002, total="240"), a_sale(1005))
    assert beat(till).json()["missing_numbers"] == [[1003, 1004]]
    till.sell(a_sale(1003, total="240"), a_sale(1004, total="240"))
    assert beat(till).json()["missing_numbers"] == []


def test_it_names_at_most_a_hundred_ranges(till: Till) -> None:
    till.sell(*[a_sale(number) for number in range(1002, 1402, 2)])
    assert len(beat(till).json()["missing_numbers"]) == 100


def test_without_a_shift_nothing_is_missing() -> None:
    body = beat(Till()).json()
    assert (body["open_shift_id"], body["missing_numbers"]) == (None, [])


def test_the_newest_is_kept_and_offline_mode_counts_from_its_first_heartbeat(till: Till) -> None:
    beat(till, offline_mode=True, cached_orders=3, cached_total=720)
    since = Heartbeat.objects.get(terminal=till.terminal).offline_since
    beat(till, offline_mode=True, cached_orders=12, cached_total=18450)
    kept = Heartbeat.objects.get(terminal=till.terminal)
    assert (kept.cached_orders, kept.cached_total, kept.offline_since) == (12, 18450, since)
    beat(till)
    assert Heartbeat.objects.get(terminal=till.terminal).offline_since is None


@pytest.mark.parametrize("hours", [-175_320, -1, 1, 175_000])
def test_orders_of_a_device_whose_clock_is_off_are_posted_and_flagged(till: Till, hours: int) -> None:
    beat(till, sent_at=(timezone.now() + timedelta(hours=hours)).isoformat())
    receipt = till.sell(a_sale(1001))
    assert receipt["outcomes"]["posted"] == 1
    assert codes(receipt) == ["clock-skew"]


def test_ten_minutes_are_not_flagged(till: Till) -> None:
    beat(till, sent_at=(timezone.now() + timedelta(minutes=9, seconds=50)).isoformat())
    assert codes(till.sell(a_sale(1001))) == []


@pytest.mark.parametrize(
    "wrong", [{"sent_at": "now"}, {"cached_orders": -1}, {"offline_mode": "yes"}, {"shift_id": "311"}]
)
def test_what_is_no_heartbeat_is_422(till: Till, wrong: dict[str, Any]) -> None:
    answer = beat(till, **wrong)
    assert answer.status_code == 422
    assert [place["pointer"] for place in answer.json()["errors"]] == [f"/{next(iter(wrong))}"]
    assert not Heartbeat.objects.filter(terminal=till.terminal).exists()
