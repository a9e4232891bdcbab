"""A budget of which nobody holds more than a share, and the tokens that a process has seen lately."""

import pytest

from backoffice.gate.shares import FairBudget
from pos_api.budget import BudgetSpent
from pos_api.known_tokens import KnownTokens


def test_nobody_holds_more_than_a_share_and_all_no_more_than_there_is() -> None:
    budget = FairBudget(10, share=4)
    budget.acquire("a", 4)
    with pytest.raises(BudgetSpent):
        budget.acquire("a", 1)
    budget.acquire("b", 4)
    with pytest.raises(BudgetSpent):
        budget.acquire("c", 3)
    budget.acquire("c", 2)
    budget.release("a", 4)
    budget.acquire("c", 2)
    assert budget.held == 8


def test_who_withholds_large_bodies_can_still_send_small_ones() -> None:
    budget = FairBudget(100, share=40, small=5)
    budget.acquire("a", 30)
    with pytest.raises(BudgetSpent):
        budget.acquire("a", 6)
    budget.acquire("a", 5)
    budget.acquire("b", 30)
    budget.acquire("c", 10)
    with pytest.raises(BudgetSpent):
        budget.acquire("d", 6)
    budget.acquire("d", 5)


def test_what_is_refused_is_not_counted_and_who_holds_nothing_is_forgotten() -> None:
    budget = FairBudget(10, share=10)
    budget.acquire("a", 10)
    with pytest.raises(BudgetSpent):
        budget.acquire("b", 1)
    budget.release("a", 10)
    assert (budget.held, budget._held) == (0, {})


def test_a_token_is_known_for_a_while_and_forgotten_when_it_failed() -> None:
    known, brief = KnownTokens(), KnownTokens(kept_s=0.0)
    for tokens in (known, brief):
        tokens.remember(b"one")
    assert known.knows(b"one")
    assert not known.knows(b"two")
    assert not brief.knows(b"one")
    known.forget(b"one")
    assert not known.knows(b"one")


def test_no_more_tokens_are_known_than_may_be() -> None:
    known = KnownTokens(most=3)
    for number in range(10):
        known.remember(bytes([number]))
    assert [number for number in range(10) if known.knows(bytes([number]))] == [7, 8, 9]
