"""What reading a terminal's bodies costs, and how long it rests then."""

import pytest

from pos_api.costs import AT_ONCE_S, FREE_S, MOST_REMEMBERED, SHARE, Costs


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_common_batches_cost_is_free() -> None:
    costs = Costs(Clock())
    for _ in range(10_000):
        costs.count("till", FREE_S)
    assert costs.rest_s("till") == 0


def test_what_is_costly_is_paid_for_in_time() -> None:
    clock = Clock()
    costs = Costs(clock)
    costs.count("till", FREE_S + AT_ONCE_S)
    assert costs.rest_s("till") == 0
    costs.count("till", FREE_S + 2)
    assert costs.rest_s("till") == pytest.approx(2 / SHARE)
    clock.now += 2 / SHARE - 1
    assert costs.rest_s("till") == pytest.approx(1)
    clock.now += 1
    assert costs.rest_s("till") == 0


def test_everybody_pays_alone() -> None:
    costs = Costs(Clock())
    costs.count("one", 10)
    assert costs.rest_s("one") > 0
    assert costs.rest_s("other") == 0


def test_who_has_paid_is_forgotten() -> None:
    clock = Clock()
    costs = Costs(clock)
    for till in range(MOST_REMEMBERED):
        costs.count(till, FREE_S + 0.01)
    clock.now += 0.01 / SHARE + 1
    costs.count("another", FREE_S + 0.01)
    assert costs.remembered == 1
