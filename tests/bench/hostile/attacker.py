"""What every attack has: a loopback address, a deadline, a rate, and a count of what it was told."""

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from tests.bench.line import LOST, Answer, Line

LOOPBACK = "127.0.0.1"
# Addresses that belong to nobody (RFC 5737), as the proxy in front would report them.
SOMEWHERE = "203.0.113.7"
PATIENCE_S = 60.0
MOST_ERRORS = 1000


class Task(NamedTuple):
    """Of one attack: where, as whom, for how long at most, and how much: `scale` multiplies what it prepares and its rates."""

    attack: str
    address: str
    seconds: float
    scale: float = 1.0
    token: str | None = None
    seed: int = 4
    user: str = ""
    password: str = ""


class Attacker:
    """Sends, and counts each answer under its status, or what broke under the name of the error. Nothing is repeated."""

    def __init__(self, task: Task) -> None:
        host, _, port = task.address.partition(":")
        if host != LOOPBACK or not port.isdigit():
            raise ValueError(f"Only this machine is attacked, not {task.address}")
        self.task = task
        self.rng = random.Random(f"{task.seed} {task.attack}")
        self.told: Counter[str] = Counter()
        self.errors: list[tuple[float, str]] = []
        self.cookie = ""
        self.shift_id = ""
        self._ends_at = time.monotonic() + task.seconds

    def begin(self) -> None:
        """Its time runs from now."""
        self._ends_at = time.monotonic() + self.task.seconds

    def line(self, *, anonymous: bool = False) -> Line:
        """A connection of its own."""
        return Line(self.task.address, None if anonymous else self.task.token, timeout_s=PATIENCE_S)

    async def ask(self, line: Line, method: str, path: str, body: bytes = b"", **headers: str) -> Answer | None:
        """The answer to one request; None where there was none."""
        try:
            answer = await line.ask(method, path, body, **headers)
        except LOST as error:
            self.told[type(error).__name__] += 1
            return None
        except asyncio.CancelledError:
            self.told["no answer by the end"] += 1
            raise
        self.hear(answer.status, f"{method} {path}")
        return answer

    async def put(self, line: Line, path: str, body: bytes, **headers: str) -> Answer | None:
        """A message of JSON below /api/v1/."""
        return await self.ask(line, "PUT", f"/api/v1/{path}", body, **{"Content-Type": "application/json"} | headers)

    def hear(self, status: int, request: str) -> None:
        """Counts an answer, and remembers what made the service fail."""
        self.told[str(status)] += 1
        if status >= 500 and status != 503 and len(self.errors) < MOST_ERRORS:
            self.errors.append((time.monotonic(), f"{status} {request[:200]}"))

    async def turns(self, *, per_s: float, most: int = 100_000) -> AsyncIterator[int]:
        """0, 1, 2, … until the time is over or `most` are done, `per_s` at most: what takes longer is not caught up on."""
        apart_s = 1 / (per_s * self.task.scale)
        due = time.monotonic()
        for number in range(most):
            if time.monotonic() >= self._ends_at:
                return
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = max(due + apart_s, time.monotonic())
            yield number

    def so_many(self, count: int) -> int:
        """What is prepared, scaled; one at least."""
        return max(1, round(count * self.task.scale))

    def new_id(self) -> str:
        """A UUID that comes again with the same seed."""
        return str(uuid.UUID(int=self.rng.getrandbits(128)))

    def an_address(self) -> str:
        """Another one each time: of one of two networks that belong to nobody."""
        return f"{self.rng.choice(['198.51.100', '192.0.2'])}.{self.rng.randrange(1, 255)}"


Go = Callable[[Attacker], Awaitable[None]]


class Attack(NamedTuple):
    """`what` is told in the table. `prepare` runs in peace, before; then `go`, until it ends or is stopped."""

    what: str
    go: Go
    prepare: Go | None = None


def told(attacker: Attacker) -> Mapping[str, Any]:
    """What an attacker reports."""
    return {"told": dict(attacker.told), "errors": attacker.errors}
