"""Attacks with a terminal's token: by malice, by a broken clock, or by no fault at all."""

import asyncio
import json
import socket
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from tests.bench.hostile.attacker import Attack, Attacker
from tests.bench.hostile.bodies import (
    TODAY,
    a_batch,
    a_close,
    an_opening,
    an_order,
    large_members,
    many_lines,
    repeated,
    repeated_lists,
    small_members,
    zipped,
)
from tests.bench.line import Line

UNSETTLED = 800
ALIKE = 2000
FAR_MONTHS = 236
UNREAD = 25
TRIES = 10
ASKED_AT_ONCE = 20
TAKES_LITTLE = 4096
HOLD_S = 20.0


async def open_shift(attacker: Attacker, *, number: int = 1) -> None:
    """A shift of the attacker's own."""
    attacker.shift_id = attacker.new_id()
    answer = await attacker.line().put(f"/api/v1/shifts/{attacker.shift_id}", an_opening(number))
    if answer.status not in {200, 201}:
        raise RuntimeError(f"No shift could be opened: {answer.status} {answer.body[:200]!r}")


async def _upload(attacker: Attacker, bodies: Sequence[bytes], *, per_s: float) -> None:
    line, packed = attacker.line(), [zipped(body) for body in bodies]
    async for number in attacker.turns(per_s=per_s):
        path = f"shifts/{attacker.shift_id}/batches/{attacker.new_id()}"
        await attacker.put(line, path, packed[number % len(packed)], **{"Content-Encoding": "gzip"})


async def repeat_lists(attacker: Attacker) -> None:
    """Lists named again and again, in 8 MiB of card fields."""
    await _upload(attacker, repeated_lists(), per_s=0.1)


async def send_small_members(attacker: Attacker) -> None:
    """50 kB that become 8 MiB of small objects."""
    await _upload(attacker, small_members(), per_s=0.1)


async def send_large_members(attacker: Attacker) -> None:
    """Members of hundreds of kilobytes."""
    await _upload(attacker, large_members(), per_s=0.1)


async def send_many_lines(attacker: Attacker) -> None:
    """Honest orders of five hundred lines each, thirty thousand lines in a batch, every twenty seconds."""
    line = attacker.line()
    async for number in attacker.turns(per_s=0.05):
        orders = many_lines(attacker.so_many(60), first_number=1 + number * 1000)
        await _batch(attacker, line, orders)


async def leave_unsettled(attacker: Attacker) -> None:
    """Shifts that wait for numbers that never come, as fast as the limit of requests allows."""
    line = attacker.line()
    for place in range(attacker.so_many(UNSETTLED)):
        await _leave_one(attacker, line, place)
    await open_shift(attacker, number=10**6)


async def _leave_one(attacker: Attacker, line: Line, place: int) -> None:
    shift_id, first = attacker.new_id(), 10**6 + place * 10
    opening = an_opening(place + 2, first_number=first, closed_at=(TODAY + timedelta(hours=10)).isoformat())
    for path, body in (("", opening), ("/close", a_close(first=first, last=first + 9))):
        for _ in range(TRIES):
            answer = await attacker.put(line, f"shifts/{shift_id}{path}", body)
            if answer is not None and answer.status not in {429, 503}:
                break
            await asyncio.sleep(1 if answer is None else answer.retry_after_s)


async def sell_beside_unsettled(attacker: Attacker) -> None:
    """Goes on selling by card from three places at once, with heartbeats, and leaves more shifts unsettled."""

    async def sell(place: int) -> None:
        line = attacker.line()
        async for number in attacker.turns(per_s=1):
            first = 1 + (3 * number + place) * 10
            await _batch(attacker, line, [an_order(each) for each in range(first, first + 10)])

    async def live() -> None:
        line, beat = attacker.line(), {"offline_mode": False, "cached_orders": 0, "cached_total": 0}
        async for number in attacker.turns(per_s=1):
            body = json.dumps(beat | {"sent_at": datetime.now(TODAY.tzinfo).isoformat()}).encode()
            await attacker.put(line, "terminal/heartbeat", body)
            await _leave_one(attacker, line, 10**5 + number)

    await asyncio.gather(*(sell(place) for place in range(3)), live())


async def sell_alike(attacker: Attacker) -> None:
    """Thousands of card orders with one and the same reference, before anybody looks."""
    await open_shift(attacker)
    line = attacker.line()
    for place in range(2):
        await _batch(attacker, line, _alike(range(place * ALIKE + 1, place * ALIKE + 1 + attacker.so_many(ALIKE))))


async def go_on_alike(attacker: Attacker) -> None:
    """And goes on so."""
    line = attacker.line()
    async for number in attacker.turns(per_s=1):
        first = 10_000 + number * 20
        await _batch(attacker, line, _alike(range(first, first + 20)))


def _alike(numbers: Sequence[int]) -> Iterator[dict]:
    for number in numbers:
        yield an_order(number, payments=[{"method": "card", "amount": 500, "reference": "VISA"}])


async def open_far_off(attacker: Attacker) -> None:
    """A shift in each month of the years 2030 to 2049, with a card order in it."""
    line = attacker.line()
    for place in range(attacker.so_many(FAR_MONTHS)):
        await _sell_far_off(attacker, line, place)


async def go_on_far_off(attacker: Attacker) -> None:
    """And goes on so, from the beginning."""
    line = attacker.line()
    async for number in attacker.turns(per_s=1):
        await _sell_far_off(attacker, line, FAR_MONTHS + number)


async def _sell_far_off(attacker: Attacker, line: Line, place: int) -> None:
    at = datetime(2030 + place // 12 % 20, place % 12 + 1, 1 + place // 240, 8, tzinfo=TODAY.tzinfo)
    attacker.shift_id, closed_at = attacker.new_id(), (at + timedelta(hours=10)).isoformat()
    opening = an_opening(place + 1, at=at, first_number=place + 1, closed_at=closed_at)
    await attacker.put(line, f"shifts/{attacker.shift_id}", opening)
    await _batch(attacker, line, [an_order(place + 1, opened_at=at.isoformat(), closed_at=at.isoformat())])
    close = a_close(at=at, first=place + 1, last=place + 1)
    await attacker.put(line, f"shifts/{attacker.shift_id}/close", close)


async def close_without_bounds(attacker: Attacker) -> None:
    """A close names two hundred thousand batches, another half a million payment methods, others just as many as may be."""
    line = attacker.line()
    ids = json.dumps(attacker.new_id())
    names = "{" + ",".join(f'"{place:x}":0' for place in range(500_000)) + "}"
    packed = [
        zipped(a_close(batches="@").replace(b'"@"', repeated(ids, size=8_000_000))),
        zipped(a_close(batches=[attacker.new_id() for _ in range(10_000)])),
        zipped(a_close(batches=[attacker.new_id() for _ in range(10_001)])),
        zipped(_with_payments(names)),
        zipped(_with_payments(json.dumps({f"method {place}": 0 for place in range(64)}))),
        zipped(_with_payments('{"bitcoin":0}')),
    ]
    async for number in attacker.turns(per_s=0.5):
        shift_id, closed_at = attacker.new_id(), (TODAY + timedelta(hours=10)).isoformat()
        await attacker.put(line, f"shifts/{shift_id}", an_opening(number + 1, closed_at=closed_at))
        body = packed[number % len(packed)]
        await attacker.put(line, f"shifts/{shift_id}/close", body, **{"Content-Encoding": "gzip"})
        await attacker.ask(line, "GET", f"/api/v1/shifts/{shift_id}")


def _with_payments(payments: str) -> bytes:
    totals = '{"sales":0,"refunds":0,"tax":0,"tips":0,"rounding":0,"payments":' + payments + "}"
    return a_close(totals="@").replace(b'"@"', totals.encode())


async def close_a_large_one(attacker: Attacker) -> None:
    """A shift whose every answer is as large as may be: ten thousand batches that never came."""
    await open_shift(attacker)
    body = zipped(a_close(batches=[attacker.new_id() for _ in range(10_000)]))
    await attacker.put(attacker.line(), f"shifts/{attacker.shift_id}/close", body, **{"Content-Encoding": "gzip"})


async def read_nothing(attacker: Attacker) -> None:
    """Connections that ask for the largest answers there are and take none."""
    asked = (f"/api/v1/shifts/{attacker.shift_id}", "/api/v1/store/orders?limit=1000", "/api/schema/")
    places = asyncio.Semaphore(UNREAD)

    async def one(path: str) -> None:
        async with places:
            await _read_nothing(attacker, path)

    async with asyncio.TaskGroup() as crowd:
        async for number in attacker.turns(per_s=2):
            crowd.create_task(one(asked[number % len(asked)]))


async def _read_nothing(attacker: Attacker, path: str) -> None:
    host, _, port = attacker.task.address.partition(":")
    loop, request = asyncio.get_running_loop(), attacker.line().head("GET", path, 0) * ASKED_AT_ONCE
    with socket.socket() as one:
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, TAKES_LITTLE)
        try:
            await loop.sock_connect(one, (host, int(port)))
            await loop.sock_sendall(one, request)
            attacker.told["asked"] += ASKED_AT_ONCE
        except OSError as error:
            attacker.told[type(error).__name__] += 1
            return
        await asyncio.sleep(HOLD_S)


async def _batch(attacker: Attacker, line: Line, orders: Iterable[dict]) -> None:
    path = f"shifts/{attacker.shift_id}/batches/{attacker.new_id()}"
    await attacker.put(line, path, zipped(a_batch(orders)), **{"Content-Encoding": "gzip"})


TERMINALS = {
    "repeated lists": Attack("8 MiB of card fields in lists named again and again", repeat_lists, open_shift),
    "small members": Attack("50 kB that become 8 MiB of small objects", send_small_members, open_shift),
    "large members": Attack("members of 250 and 300 kB, 8 MiB of them", send_large_members, open_shift),
    "many lines": Attack("30 000 lines in a batch, every twenty seconds", send_many_lines, open_shift),
    "unsettled shifts": Attack(
        "800 shifts that never settle, card orders beside", sell_beside_unsettled, leave_unsettled
    ),
    "one reference": Attack('4 000 card orders of "VISA", 20 more each second', go_on_alike, sell_alike),
    "far-off clock": Attack("shifts and card orders in 236 months of 2030 to 2049", go_on_far_off, open_far_off),
    "closes": Attack("closes with up to 500 000 names or batches", close_without_bounds),
    "unread answers": Attack("25 connections that read no answer", read_nothing, close_a_large_one),
}
