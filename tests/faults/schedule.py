"""What befalls a service, decided from the seed before anything starts."""

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

# What, to whom, and how often beside the others.
CHOICES = (
    ("kill", "worker process", 22),
    ("kill", "worker", 8),
    ("kill", "web process", 9),
    ("kill", "web", 7),
    ("kill", "beat", 6),
    ("kill", "worker ahead", 4),
    ("kill", "valkey", 12),
    ("kill", "postmaster process", 8),
    ("kill", "postmaster", 6),
    ("stop at once", "postmaster", 6),
    ("freeze", "worker process", 4),
    ("freeze", "worker", 2),
    ("freeze", "web process", 3),
    ("freeze", "valkey", 4),
    ("freeze", "postmaster process", 2),
    ("freeze", "postmaster", 1),
    ("freeze", "beat", 1),
    ("flush", "valkey", 6),
    ("fill", "disk", 1),
    ("crash", "terminal", 14),
    ("crash", "ruth", 4),
    ("crash", "otto", 4),
)
KILLS = ("kill", "stop at once")
# Terminals find the last orders harder to bring in: nothing is struck then.
LAST_AT = 0.97


class Action(NamedTuple):
    """One misfortune: `after_s` the one before it, in the same moment; `pick` chooses among several, `for_s` how long.

    Where `when` is given it comes only once that holds, or never: for who must meet something at work.
    """

    what: str
    whom: str
    after_s: float
    pick: int
    for_s: float
    when: Callable[[], bool] | None = None


class Moment(NamedTuple):
    """Misfortunes that come together, each `distance` orders, in shares of the whole, after the one before."""

    distance: float
    actions: Sequence[Action]


def schedule(*, seed: str, kills: int, victims: Sequence[str]) -> list[Moment]:
    """Moments with that many kills in all, spread over the whole run; only `victims` are met."""
    rng = Random(f"{seed}/schedule")
    choices = [choice for choice in CHOICES if choice[1] in victims]
    weights = [choice[2] for choice in choices]
    groups: list[list[Action]] = []
    left = kills
    while left > 0:
        group: list[Action] = []
        # A quarter of the misfortunes do not come alone.
        for place in range(rng.choice((1, 1, 1, 2, 3))):
            what, whom, _ = rng.choices(choices, weights)[0]
            if what in KILLS and left == 0:
                break
            left -= what in KILLS
            group.append(_action(rng, what, whom, first=place == 0))
        groups.append(group)
    return [Moment(rng.uniform(0.5, 1.5), group) for group in groups]


def positions(moments: Sequence[Moment], *, orders: int) -> list[tuple[int, int]]:
    """For each moment: how many orders are acknowledged when it should come, and how many at least since the one before.

    Terminals bring their orders in bursts, so a moment may be late; those behind it then follow twice as close.
    """
    scale = LAST_AT * orders / sum(moment.distance for moment in moments)
    reached, found = 0.0, []
    for moment in moments:
        reached += moment.distance * scale
        found.append((int(reached), int(moment.distance * scale / 2)))
    return found


def _action(rng: Random, what: str, whom: str, *, first: bool) -> Action:
    after_s = 0.0 if first else rng.choice((0.0, rng.uniform(0.0, 1.5)))
    long = whom == "worker process" and rng.random() < 0.2
    # Longer than an idle transaction may last: PostgreSQL frees what it holds.
    for_s = 33.0 if long else rng.uniform(0.5, 6.0)
    return Action(what, whom, after_s, rng.randrange(1 << 16), for_s)
