"""PostgreSQL is killed and comes back: so does the service, all of it, within two seconds."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import psycopg

from tests.faults.conftest import Mortal, numbers
from tests.faults.test_servers import held_down
from tests.journeys.http_till import HttpTill, eventually
from tests.till import a_sale

BACK_WITHIN_S = 2.0
# What the asking itself may take where three others work on the same two processors.
SLOW_MACHINE_S = 2.0
# More at once than the pool has connections, so that each of them was used.
AT_ONCE = 16
# Each takes the five seconds that a request waits for a connection. After twenty, a pool that asks for PostgreSQL at ever
# longer distances (1, 2, 4, 8, 16 s) would next ask ten seconds too late.
AWAY_ROUNDS = 4


def answers(mortal: Mortal) -> bool:
    with suppress(psycopg.Error), mortal.database as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)
    return False


def ask_at_once(till: HttpTill, *, rounds: int = 8) -> set[int]:
    """What a crowd of requests is told that uses every connection of the pools."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return set(pool.map(lambda _: till.send("GET", "terminal").status_code, range(AT_ONCE * rounds)))


def test_after_a_restart_that_nobody_noticed_no_request_is_refused(mortal: Mortal, till: HttpTill) -> None:
    assert ask_at_once(till) == {200}
    postgres = mortal.pids["postgres"]
    os.kill(postgres, signal.SIGQUIT)
    eventually(lambda: mortal.pids.get("postgres", postgres), lambda pid: pid != postgres)
    eventually(lambda: answers(mortal), bool)
    assert ask_at_once(till) == {200}
    assert {httpx.get(f"{mortal.base_url}/readyz", timeout=30).status_code for _ in range(24)} == {200}


def test_tills_that_ask_meanwhile_are_served_again_within_two_seconds(mortal: Mortal, till: HttpTill) -> None:
    assert ask_at_once(till) == {200}
    postgres = mortal.pids["postgres"]
    with held_down(mortal, "postgres", url=mortal.environment["DATABASE_URL"], by=signal.SIGQUIT):
        assert 503 in ask_at_once(till, rounds=AWAY_ROUNDS)
    eventually(lambda: answers(mortal), bool)
    back = time.monotonic()
    eventually(lambda: httpx.get(f"{mortal.base_url}/readyz", timeout=30).status_code, lambda status: status == 200)
    assert ask_at_once(till) == {200}
    assert time.monotonic() - back < BACK_WITHIN_S + SLOW_MACHINE_S
    mortal.came_back("postgres", postgres)
    assert till.upload(a_sale(next(numbers)), Prefer="wait=5").status_code == 200
