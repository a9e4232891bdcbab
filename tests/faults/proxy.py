"""A bad line: a TCP proxy that delays, cuts, half-closes, truncates and repeats what passes through it.

It knows nothing of HTTP. What befalls a connection, in which direction and after how many bytes, follows from the seed and
the connection's number.
"""

import asyncio
import threading
from collections import Counter
from dataclasses import dataclass, field
from random import Random

LOOPBACK = "127.0.0.1"
CHUNK = 64 * 1024
# What is said on a connection is kept for a repetition up to so many bytes.
MOST_REPEATED = 2 * 1024 * 1024
REPEAT_TIMEOUT_S = 5.0
FAULTS = ("delay", "cut", "half-close", "truncate", "repeat")
WEIGHTS = (5, 5, 1, 3, 3)
# Bytes before a fault, as powers of ten: requests are large, answers small.
REACH = {"up": (2.3, 6.3), "down": (1.3, 5.0)}


@dataclass
class Plan:
    """The next thing that goes wrong on a connection, once so many bytes went `up` (to the server) or `down`."""

    fault: str
    direction: str
    after: int
    seconds: float


@dataclass(eq=False)
class Line:
    """One connection: both ends, and what was said so far."""

    rng: Random
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    plan: Plan | None = None
    said: bytearray = field(default_factory=bytearray)
    passed: dict[str, int] = field(default_factory=lambda: {"up": 0, "down": 0})

    def next_plan(self) -> None:
        (fault,) = self.rng.choices(FAULTS, WEIGHTS)
        direction = "up" if fault == "repeat" else self.rng.choice(("up", "down"))
        reach = int(10 ** self.rng.uniform(*REACH[direction]))
        self.plan = Plan(fault, direction, self.passed[direction] + reach, self.rng.uniform(0.05, 1.5))

    def cut(self) -> None:
        for end in (self.client, self.server):
            end.transport.abort()


class Proxy:
    """Listens on a free port once started; `counts` has what it did to whom. Runs in a thread of its own."""

    def __init__(self, target_port: int, *, seed: object) -> None:
        self._target_port = target_port
        self._seed = seed
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._connections = 0
        self._kept: set[asyncio.Task[None]] = set()
        self.faulty = True
        self.counts: Counter[str] = Counter()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        self._thread.start()
        listening = asyncio.start_server(self._serve, LOOPBACK, 0)
        server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)
        self.port = server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            self._keep(task)  # the loop itself holds its tasks weakly
        self._connections += 1
        rng = Random(f"{self._seed}/connection/{self._connections}")
        try:
            answers, server = await asyncio.open_connection(LOOPBACK, self._target_port)
        except OSError:
            writer.transport.abort()
            return
        line = Line(rng, writer, server)
        line.next_plan()
        try:
            await asyncio.gather(
                self._pump(line, "up", reader, line.server), self._pump(line, "down", answers, line.client)
            )
        except (OSError, asyncio.CancelledError):  # the line is dead, or the proxy is being stopped
            line.cut()
        finally:
            for end in (line.client, line.server):
                end.close()

    async def _pump(
        self, line: Line, direction: str, source: asyncio.StreamReader, target: asyncio.StreamWriter
    ) -> None:
        while data := await source.read(CHUNK):
            plan = line.plan if self.faulty else None
            line.passed[direction] += len(data)
            due = plan is not None and plan.direction == direction and line.passed[direction] >= plan.after
            if direction == "up" and len(line.said) < MOST_REPEATED:
                line.said += data
            if due and plan is not None and await self._strike(line, plan, data, target):
                return
            target.write(data)
            await target.drain()
        if target.can_write_eof():
            target.write_eof()

    async def _strike(self, line: Line, plan: Plan, data: bytes, target: asyncio.StreamWriter) -> bool:
        """Does what was planned; whether nothing more passes in this direction."""
        self.counts[plan.fault] += 1
        kept = data[: max(0, plan.after - line.passed[plan.direction] + len(data))]
        match plan.fault:
            case "delay":
                await asyncio.sleep(plan.seconds)
            case "repeat":
                self._repeat(bytes(line.said))
            case "cut":
                line.cut()
                return True
            case "half-close":
                target.write(kept)
                target.write_eof()
                return True
            case "truncate":
                target.write(kept)
                await asyncio.sleep(plan.seconds)
                line.cut()
                return True
        line.next_plan()
        return False

    def _repeat(self, said: bytes) -> None:
        """Says everything once more on a connection of its own, beside the first; nobody hears the answers."""
        self._keep(self._loop.create_task(self._say_again(said)))

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self._kept.add(task)
        task.add_done_callback(self._kept.discard)

    async def _say_again(self, said: bytes) -> None:
        try:
            async with asyncio.timeout(REPEAT_TIMEOUT_S):
                answers, server = await asyncio.open_connection(LOOPBACK, self._target_port)
                server.write(said)
                while await answers.read(CHUNK):
                    pass
        except (OSError, TimeoutError):
            self.counts["repeat cut short"] += 1
        else:
            server.close()


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
