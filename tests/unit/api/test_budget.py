"""How many bytes of bodies a process holds at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pos_api.budget import BudgetSpent, ByteBudget


def test_what_fits_is_held_and_given_back() -> None:
    budget = ByteBudget(100)
    with budget.hold(60), budget.hold(40):
        assert budget.held == 100
    assert budget.held == 0


def test_what_does_not_fit_is_refused_and_takes_nothing() -> None:
    budget = ByteBudget(100)
    with budget.hold(60):
        with pytest.raises(BudgetSpent):
            budget.acquire(41)
        assert budget.held == 60
    budget.acquire(100)


def test_what_fails_gives_back_what_it_held() -> None:
    budget = ByteBudget(100)
    with pytest.raises(ZeroDivisionError), budget.hold(60):
        _ = 1 // 0
    assert budget.held == 0


def test_large_bodies_leave_room_for_small_ones() -> None:
    budget = ByteBudget(100, kept=20, small=10)
    budget.acquire(80)
    with pytest.raises(BudgetSpent):
        budget.acquire(11)
    for _ in range(2):
        budget.acquire(10)
    with pytest.raises(BudgetSpent):
        budget.acquire(1)


def test_small_bodies_are_in_what_is_kept_for_them_first() -> None:
    budget = ByteBudget(100, kept=20, small=10)
    for _ in range(2):
        budget.acquire(10)
    budget.acquire(80)
    budget.release(80)
    budget.acquire(10)
    with pytest.raises(BudgetSpent):
        budget.acquire(71)
    budget.acquire(70)


def test_no_owner_holds_more_than_a_share_and_others_have_the_rest() -> None:
    budget = ByteBudget(100, share=40)
    with budget.hold(40, owner="one"):
        with pytest.raises(BudgetSpent):
            budget.acquire(1, owner="one")
        budget.acquire(40, owner="another")
        budget.acquire(20)
    budget.acquire(40, owner="one")


def test_more_than_there_is_cannot_be_kept() -> None:
    with pytest.raises(ValueError, match="cannot be kept"):
        ByteBudget(100, kept=101)


def test_of_many_threads_at_once_no_more_get_in_than_fit() -> None:
    budget = ByteBudget(100)

    def takes(_: int) -> bool:
        try:
            budget.acquire(7)
        except BudgetSpent:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(takes, range(500))) == 100 // 7
