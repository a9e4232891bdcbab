"""The hostile storm by itself: attackers reach nothing but this machine, and no broken promise passes for a kept one."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.bench.hostile.attacker import Attacker, Task
from tests.bench.hostile.bodies import DECODED, large_members, repeated_lists, small_members, zipped
from tests.bench.hostile.crowd import Told
from tests.bench.hostile.peaks import Peak
from tests.bench.hostile.restart import Restart
from tests.bench.hostile.tills import Noticed, Taken
from tests.bench.hostile.verdict import Counted, Limits, Night, broken_promises

AT = 1000.0
RESTART = Restart(killed_at=AT + 50, back_at=AT + 52, last_denied_at=AT + 52.5)


def taken(kind: str, at: float, seconds: float) -> Taken:
    return Taken(kind, AT + at, AT + at + seconds, seconds)


def a_night(**changes: Any) -> Night:
    """One on which every promise was kept."""
    noticed = Noticed(
        began_at=AT,
        taken=[taken(kind, at, 0.1) for kind in ("live", "batch", "close") for at in range(40)],
        order_ids=["a", "b"],
        batch_ids=["c"],
        shift_ids=["d"],
        processed_at={"a": AT + 10},
        seen={"of a store": {"a": AT + 11}},
        sent_orders=2,
    )
    peaks = {"web": Peak(3, 100, 400), "postgres": Peak(10, 5, 300)}
    counted = Counted(posted=2, doubled=0, batches=1, reconciled=1, waiting=0, failed=0)
    night = Night(noticed, [], peaks, counted, RESTART, 0.5, 1.0, books=True, died=[])
    return replace(night, **changes)


def broken(night: Night) -> str:
    """The one promise that is."""
    (found,) = broken_promises(night)
    return found


def test_a_night_on_which_all_was_kept_has_nothing_to_say() -> None:
    assert broken_promises(a_night()) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"books": False}, "verify_books"),
        ({"died": ["web"]}, "died and started again: web"),
        ({"peaks": {"worker": Peak(4, 100, 601)}}, "a process of worker grew by 501 MB"),
        ({"told": [Told("logins", Counter(), [(AT, "500 POST /")])]}, "logins: the service failed 1 times"),
        ({"restart": RESTART._replace(last_denied_at=AT + 54.5)}, "away 2.5 s after it was back"),
        ({"counted": Counted(1, 0, 1, 1, 0, 0)}, "1 orders of 2 acknowledged ones are posted"),
        ({"counted": Counted(2, 1, 1, 1, 0, 0)}, "1 orders are posted twice"),
        ({"counted": Counted(2, 0, 0, 1, 0, 0)}, "0 batches of 1 are processed"),
        ({"counted": Counted(2, 0, 1, 0, 0, 0)}, "0 shifts of 1 are reconciled"),
        ({"counted": Counted(2, 0, 1, 1, 0, 3)}, "3 have failed"),
    ],
)
def test_a_broken_promise_is_named(changes: dict[str, Any], says: str) -> None:
    assert says in broken(a_night(**changes))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"taken": [taken("close", at, 1.1) for at in range(3)]}, "closes: p99 1,100 ms"),
        ({"seen": {"of a store": {"a": AT + 12.5}}}, "the feed of a store: p99 2.5 s"),
        ({"given_up": ["/x"]}, "1 messages were not heard"),
        ({"refused": ["422 /x"]}, "1 messages were refused"),
        ({"sent_orders": 3}, "2 orders of 3 were acknowledged"),
    ],
)
def test_what_tills_noticed_is_named(changes: dict[str, Any], says: str) -> None:
    night = a_night()
    assert says in broken(replace(night, noticed=replace(night.noticed, **changes)))


def test_what_met_the_restart_is_counted_by_itself() -> None:
    night = a_night(told=[Told("console", Counter(), [(AT + 51, "500 GET /")])])
    night.noticed.taken += [taken("live", 45, 6.0), taken("live", 53, 3.0), taken("live", 56, 0.1)]
    assert broken_promises(night) == []
    assert night.met_restart() == [6000.0, 3000.0]


def test_patience_is_for_time_and_not_for_memory() -> None:
    assert Limits().with_patience(3)._asdict() == Limits()._asdict() | {"p99_ms": 3000, "feed_s": 6, "back_s": 6}


@pytest.mark.parametrize("address", ["192.0.2.1:80", "localhost:80", "0.0.0.0:80", "127.0.0.1.example.com:80", ""])
def test_nothing_but_this_machine_is_attacked(address: str) -> None:
    with pytest.raises(ValueError, match="Only this machine"):
        Attacker(Task("logins", address, 1.0))


@pytest.mark.parametrize("make", [repeated_lists, small_members, large_members])
def test_bodies_are_json_as_large_as_may_be_and_small_as_sent(make: Any) -> None:
    for body in make():
        json.loads(body)
        assert DECODED // 8 < len(body) <= DECODED
        assert len(zipped(body)) < 60_000
