"""`python -m tests.bench.hostile`: one attack, told by a line of JSON on standard input (see `Task`).

It prints "ready" when it is prepared and begins at the next line of input. It ends when its time is over or its input does,
and prints what it was told. `crowd.py` runs it.
"""

import asyncio
import json
import sys
from contextlib import suppress

from tests.bench.hostile.attacker import Attacker, Go, Task, told
from tests.bench.hostile.strangers import STRANGERS
from tests.bench.hostile.terminals import TERMINALS

ATTACKS = {**TERMINALS, **STRANGERS}


async def play(attacker: Attacker, go: Go) -> None:
    """Until its time is over or nobody holds its input open any more."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    going = asyncio.ensure_future(go(attacker))
    until = asyncio.ensure_future(ended.wait())
    await asyncio.wait({going, until}, timeout=attacker.task.seconds, return_when=asyncio.FIRST_COMPLETED)
    until.cancel()
    going.cancel()
    with suppress(asyncio.CancelledError):
        await going


def main() -> None:
    """Plays it."""
    attacker = Attacker(Task(**json.loads(sys.stdin.readline())))
    attack = ATTACKS[attacker.task.attack]
    if attack.prepare is not None:
        asyncio.run(attack.prepare(attacker))
    attacker.told.clear()
    print("ready", flush=True)
    if sys.stdin.readline():
        attacker.begin()
        asyncio.run(play(attacker, attack.go))
    print(json.dumps(told(attacker)), flush=True)


if __name__ == "__main__":
    main()
