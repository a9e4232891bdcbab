"""Threads for one kind of request, and the queue before them."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from backoffice.gate.lanes import ClientGone, Lane, QueuedTooLong

NEVER_S = 60.0


class Client:
    """Somebody who waits for an answer, until it goes."""

    def __init__(self) -> None:
        self.left = asyncio.Event()

    async def client_disconnect(self) -> None:
        await self.left.wait()


def in_a_loop(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), NEVER_S))


def test_who_waits_too_long_is_sent_away_and_nothing_is_done() -> None:
    async def scene() -> None:
        lane, done, over = Lane("test", threads=1, wait_s=0.05), [], threading.Event()
        first = asyncio.ensure_future(lane.run(Client(), over.wait, NEVER_S))
        await asyncio.sleep(0)
        with pytest.raises(QueuedTooLong):
            await lane.run(Client(), done.append, "second")
        over.set()
        await first
        await lane.run(Client(), done.append, "third")
        assert done == ["third"]

    in_a_loop(scene)


def test_who_has_gone_is_passed_over() -> None:
    async def scene() -> None:
        lane, done, over = Lane("test", threads=1, wait_s=NEVER_S), [], threading.Event()
        first = asyncio.ensure_future(lane.run(Client(), over.wait, NEVER_S))
        gone, staying = Client(), Client()
        second = asyncio.ensure_future(lane.run(gone, done.append, "gone"))
        third = asyncio.ensure_future(lane.run(staying, done.append, "staying"))
        await asyncio.sleep(0)
        gone.left.set()
        with pytest.raises(ClientGone):
            await second
        over.set()
        await asyncio.gather(first, third)
        assert done == ["staying"]

    in_a_loop(scene)


def test_first_come_first_served_by_no_more_threads_than_there_are() -> None:
    async def scene() -> None:
        lane, at_work, most, done = Lane("test", threads=3, wait_s=NEVER_S), [], [0], []

        def work(number: int) -> None:
            at_work.append(number)
            most[0] = max(most[0], len(at_work))
            done.append(number)
            at_work.remove(number)

        await asyncio.gather(*(lane.run(Client(), work, number) for number in range(200)))
        assert sorted(done) == list(range(200))
        assert most[0] <= 3

    in_a_loop(scene)


def test_work_that_fails_gives_its_thread_back() -> None:
    async def scene() -> None:
        lane = Lane("test", threads=1, wait_s=NEVER_S)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await lane.run(Client(), lambda: 1 / 0)
        assert await lane.run(Client(), lambda: "still here") == "still here"

    in_a_loop(scene)
