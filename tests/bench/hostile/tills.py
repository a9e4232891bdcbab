"""The well-behaved tills: those that were offline all day, those that sell live, and what they notice.

What is measured is what a till waits for a message from its first try to its acknowledgement, with every refusal and
repeat in between.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import NamedTuple

from tests.bench.evening import Evening, Message, make_evenings, make_live_days
from tests.bench.line import LOST, Line

# A till that got no answer for so long asks again, and one that is not heard for so long gives up.
PATIENCE_S, GIVES_UP_S = 30.0, 240.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 30.0
WAITS_FOR_OUTCOME = {"Prefer": "wait=5"}
TAKEN, REPEATED = {200, 201, 202}, {429, 503}
AT_ONCE = 20
LOOK_EVERY_S = 0.5
# The feed's promise is two seconds after an order is processed (protocol §8).
LOOKS_ON_S = 5.0


class Plan(NamedTuple):
    """The tills: `tokens` were offline all day, `live` sell all the while, and the feeds of `watched` are read, by name."""

    address: str
    tokens: Sequence[str]
    live: Sequence[str]
    watched: Mapping[str, str]
    within_s: float
    live_every_s: float
    seed: int


class Taken(NamedTuple):
    """A message that was taken in: when it was first sent and when acknowledged, as all processes' clock has it."""

    kind: str
    first_at: float
    taken_at: float
    answered_s: float

    @property
    def waited_ms(self) -> float:
        """What the till noticed."""
        return (self.taken_at - self.first_at) * 1000


@dataclass
class Noticed:
    """All that the well-behaved tills noticed; `processed_at` is of live orders."""

    began_at: float = 0.0
    taken: list[Taken] = field(default_factory=list)
    # (till, what, when): what had to be repeated.
    repeated: list[tuple[int, str, float]] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    # The identifiers of what was acknowledged.
    order_ids: list[str] = field(default_factory=list)
    batch_ids: list[str] = field(default_factory=list)
    shift_ids: list[str] = field(default_factory=list)
    processed_at: dict[str, float] = field(default_factory=dict)
    # When an order stood in a feed, by the name of the feed.
    seen: dict[str, dict[str, float]] = field(default_factory=dict)
    sent_orders: int = 0

    @property
    def last_at(self) -> float:
        """When the last message was taken in."""
        return max((one.taken_at for one in self.taken), default=self.began_at)

    def repeats(self) -> Counter[str]:
        """How often what was the answer that had to be repeated."""
        return Counter(what for _, what, _ in self.repeated)


def play(plan: Plan, parent: Connection) -> None:
    """In a process of its own: says "ready" and waits for a word; then when the evening began, when the last message was taken
    in, the identifiers of the shifts, and at last what was noticed."""
    import django  # noqa: PLC0415 - settings come from the environment that the parent has made

    django.setup()
    evenings = [
        *make_evenings(plan.tokens, within_s=plan.within_s, seed=plan.seed, day=1),
        *make_live_days(plan.live, within_s=plan.within_s, every_s=plan.live_every_s, seed=plan.seed),
    ]
    parent.send("ready")
    parent.recv()
    parent.send(asyncio.run(_evening(plan, evenings, parent)))


async def _evening(plan: Plan, evenings: Sequence[Evening], parent: Connection) -> Noticed:
    noticed = Noticed(sent_orders=sum(len(one.order_ids) for one in evenings))
    tills = [Till(place, plan.address, evening, noticed) for place, evening in enumerate(evenings)]
    for start in range(0, len(tills), AT_ONCE):
        await asyncio.gather(*(till.open() for till in tills[start : start + AT_ONCE]))
    noticed.taken.clear()  # opening is not what is measured, and goes on while the attackers begin
    noticed.began_at = time.monotonic()
    parent.send(noticed.began_at)
    watching = [
        asyncio.ensure_future(_watch(plan.address, token, noticed.seen.setdefault(name, {})))
        for name, token in plan.watched.items()
    ]
    await asyncio.gather(*(till.tell() for till in tills))
    parent.send(noticed.last_at)
    parent.send(noticed.shift_ids)
    await asyncio.sleep(LOOKS_ON_S)
    for each in watching:
        each.cancel()
    return noticed


class Till:
    """One terminal that does as the protocol says."""

    def __init__(self, place: int, address: str, evening: Evening, noticed: Noticed) -> None:
        self._place = place
        self._evening = evening
        self._noticed = noticed
        self._line = Line(address, evening.token, timeout_s=PATIENCE_S)

    async def open(self) -> None:
        """Its shift."""
        if await self._until_taken(self._evening.opening):
            self._noticed.shift_ids.append(self._evening.shift_id)
        self._line.close()

    async def tell(self) -> None:
        """Its evening, each message until it is acknowledged."""
        for message in self._evening.messages:
            due = self._noticed.began_at + max(self._evening.at_s, message.at_s)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if not await self._until_taken(message):
                break
            self._noticed.order_ids += message.order_ids
            if message.order_ids:
                self._noticed.batch_ids.append(message.path.rpartition("/")[2])
        self._line.close()

    async def _until_taken(self, message: Message) -> bool:
        first_at, wait_s = time.monotonic(), FIRST_WAIT_S
        headers = WAITS_FOR_OUTCOME if message.kind == "live" else {}
        while time.monotonic() < first_at + GIVES_UP_S:
            sent_at = time.monotonic()
            what, retry_after_s = "", 0.0
            try:
                answer = await self._line.put(message.path, message.body, **headers)
            except LOST as error:
                what = type(error).__name__
            else:
                if answer.status in TAKEN:
                    self._note(message, answer.body, first_at, sent_at)
                    return True
                if answer.status not in REPEATED:
                    self._noticed.refused.append(f"{answer.status} {message.path} {answer.body[:200]!r}")
                    return False
                what, retry_after_s = str(answer.status), answer.retry_after_s
            self._noticed.repeated.append((self._place, what, time.monotonic()))
            await asyncio.sleep(max(retry_after_s, random.uniform(0, wait_s)))
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)
        self._noticed.given_up.append(message.path)
        return False

    def _note(self, message: Message, body: bytes, first_at: float, sent_at: float) -> None:
        now = time.monotonic()
        self._noticed.taken.append(Taken(message.kind, first_at, now, now - sent_at))
        if message.kind == "live" and json.loads(body).get("state") == "processed":
            self._noticed.processed_at.update(dict.fromkeys(message.order_ids, now))


async def _watch(address: str, token: str, seen: dict[str, float]) -> None:
    """Reads the feed of a store, as another till of it does."""
    line, after = Line(address, token, timeout_s=PATIENCE_S), ""
    while True:
        try:
            answer = await line.ask("GET", f"/api/v1/store/orders?limit=1000{after}")
        except LOST:
            await asyncio.sleep(LOOK_EVERY_S)
            continue
        if answer.status == 200:
            page = json.loads(answer.body)
            now = time.monotonic()
            for order in page["orders"]:
                seen.setdefault(order["order_id"], now)
            after = f"&after={page['next']}"
            if page["more"]:
                continue
        await asyncio.sleep(LOOK_EVERY_S)
