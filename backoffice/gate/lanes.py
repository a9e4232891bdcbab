"""Threads for one kind of request, and the queue before them. No kind takes a thread of another.

A queue is bounded in time, and whoever has gone leaves it: without that a few hundred requests whose senders are long
gone keep everybody behind them waiting.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from granian.rsgi import HTTPProtocol

Result = TypeVar("Result")

LONGEST_WAIT_S = 5.0


class QueuedTooLong(Exception):
    """No thread came free in time. Nothing was done."""


class ClientGone(Exception):
    """Whoever asked has closed the connection meanwhile. Nothing was done."""


class Lane:
    """`threads` threads. `prepare` runs once in each, before its first request."""

    def __init__(
        self, name: str, *, threads: int, prepare: Callable[[], None] | None = None, wait_s: float = LONGEST_WAIT_S
    ) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name, initializer=prepare)
        self._free = threads
        self._wait_s = wait_s
        self._turns: deque[asyncio.Future[None]] = deque()

    async def run(self, protocol: HTTPProtocol, work: Callable[..., Result], *arguments: Any) -> Result:
        """What `work` returns, in a thread of this lane. Raises `QueuedTooLong` or `ClientGone` instead of working."""
        if self._free:
            self._free -= 1
        else:
            await self._wait_for_turn(protocol)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._hand_on()

    async def _wait_for_turn(self, protocol: HTTPProtocol) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        gone = asyncio.ensure_future(protocol.client_disconnect())
        try:
            await asyncio.wait({turn, gone}, timeout=self._wait_s, return_when=asyncio.FIRST_COMPLETED)
            if turn.done() and not gone.done():
                return
            if turn.done():
                self._hand_on()
            raise ClientGone if gone.done() else QueuedTooLong
        finally:
            gone.cancel()
            turn.cancel()  # nothing happens to one that is done

    def _hand_on(self) -> None:
        # To whoever has waited longest and still waits.
        while self._turns:
            turn = self._turns.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
