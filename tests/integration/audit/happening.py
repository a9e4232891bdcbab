"""What may happen in a history: a step is a method that `happens` marks, and what is drawn for it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st

One = TypeVar("One")
Act = TypeVar("Act", bound=Callable[..., None])
anyone = st.integers(0, 999)
"""Which of those that there are."""
sometimes = st.integers(0, 3).map(lambda number: number == 3)
statement = st.integers(0, 60)
"""Before which of its statements somebody dies."""


class Step(NamedTuple):
    """Something that may happen, where there is any `given`; `drawn` are its arguments."""

    act: Callable[..., None]
    given: str
    drawn: st.SearchStrategy[dict[str, Any]]


STEPS: list[Step] = []


def happens(*, given: str = "people", **drawn: st.SearchStrategy[Any]) -> Callable[[Act], Act]:
    """Marks what may happen. As rules of Hypothesis' own, half of it would be left out of each history."""

    def mark(act: Act) -> Act:
        STEPS.append(Step(act, given, st.fixed_dictionaries(drawn)))
        return act

    return mark


def one_of(some: Sequence[One], which: int) -> One:
    return some[which % len(some)]
