"""What the kit does wrong, and when: each fault once, by kind of request, in an order decided by the seed."""

from collections import Counter, deque
from random import Random
from typing import Literal

Occasion = Literal["open", "live", "cache", "movement", "close", "token", "first-use", "feed"]
Fault = Literal[
    "none", "lost", "truncated", "dropped", "slow", "unavailable", "too-many", "timeout", "digest", "outage", "reused",
    "deferred", "too-large", "malformed",
]  # fmt: skip

LIVE: tuple[Fault, ...] = (
    "lost", "truncated", "dropped", "slow", "unavailable", "too-many", "timeout", "digest", "outage", "reused", "deferred",
)  # fmt: skip

MANY = 2_000
# Splitting a batch must leave two batches of two orders, so that one of them can be malformed.
_LEAST_ORDERS: dict[Fault, int] = {"too-large": 4, "malformed": 2}

MEANINGS: dict[Fault, str] = {
    "none": "nothing",
    "lost": "taken, but the answer never sent",
    "truncated": "taken, but the answer cut off in the middle",
    "dropped": "not taken, and the connection cut",
    "slow": "taken, but answered late",
    "unavailable": "503 with Retry-After",
    "too-many": "429 with Retry-After",
    "timeout": "408",
    "digest": "400 digest-mismatch (if there is a digest, otherwise as dropped)",
    "outage": "500 to everything, for as long as it takes to see how requests are repeated",
    "reused": "422 identifier-reused, as if the batch id were another terminal's",
    "deferred": "202, and a receipt that stays received for a while",
    "too-large": "413, with smaller limits",
    "malformed": "400 body-malformed, and once more for one order alone",
}


class Mischief:
    """Hands out the faults. The first request of a kind goes well, unless there is only one of that kind.

    `has_struck` is whether a batch has had one.
    """

    def __init__(self, rng: Random) -> None:
        live = list(LIVE)
        rng.shuffle(live)
        self._queues: dict[Occasion, deque[Fault]] = {
            "open": deque(["lost"]),
            "live": deque(["none", *live]),
            "cache": deque(["too-large", "malformed"]),
            "movement": deque(["lost"]),
            "close": deque(["lost"]),
            "token": deque(["lost"]),
            "first-use": deque(["lost"]),
            "feed": deque(["none", "lost"]),
        }
        self.has_struck = False
        self.befell: Counter[Fault] = Counter()
        self.retry_after_s = {"unavailable": rng.choice((1, 2)), "too-many": rng.choice((1, 2))}

    def draw(self, occasion: Occasion, *, orders: int = 1) -> Fault:
        """The fault for a request of this kind; for a batch, only one that is possible with so many orders."""
        queue = self._queues[occasion]
        for fault in queue:
            if orders >= _LEAST_ORDERS.get(fault, 0):
                queue.remove(fault)
                self.befell[fault] += 1
                self.has_struck = self.has_struck or (occasion in {"live", "cache", "movement"} and fault != "none")
                return fault
        return "none"

    def left(self, occasion: Occasion, *, orders: int = MANY) -> int:
        """How many faults are still to come, for a terminal whose batches have no more than so many orders."""
        return sum(orders >= _LEAST_ORDERS.get(fault, 0) for fault in self._queues[occasion])
