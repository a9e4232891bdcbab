"""PostgreSQL dies in the middle, and is started again by whoever watches it."""

import json
import os
import signal
import time
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import psycopg

from backoffice.workbench.embedded.stack import Stack

COMES_BACK_S = 120.0
LOOK_EVERY_S = 0.1
# How long the service is asked afterwards whether it thinks that PostgreSQL is away.
ASKS_ON_S = 8.0


class Restart(NamedTuple):
    """When PostgreSQL was killed, when it answered again, and when the service said last that it does not."""

    killed_at: float
    back_at: float
    last_denied_at: float

    @property
    def away_s(self) -> float:
        """How long PostgreSQL itself was away."""
        return self.back_at - self.killed_at

    @property
    def denied_s(self) -> float:
        """How long the service took to notice that it is back."""
        return max(0.0, self.last_denied_at - self.back_at)


def restart_postgresql(stack: Stack) -> Restart:
    """Kills it as a crash does; returns when it is seen what the service made of it."""
    killed_at = time.monotonic()
    os.kill(stack.pids["postgres"], signal.SIGKILL)
    url = stack.environment["DATABASE_URL"]
    while not _answers(url):
        if time.monotonic() > killed_at + COMES_BACK_S:
            raise TimeoutError(f"PostgreSQL did not come back within {COMES_BACK_S:g} s")
        time.sleep(LOOK_EVERY_S / 5)
    back_at = last_denied_at = time.monotonic()
    while time.monotonic() < back_at + ASKS_ON_S:
        if _is_denied(stack.base_url):
            last_denied_at = time.monotonic()
        time.sleep(LOOK_EVERY_S)
    return Restart(killed_at, back_at, last_denied_at)


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.Error:
        return False


def _is_denied(base_url: str) -> bool:
    """Whether `/readyz` says that PostgreSQL is away; a new connection each time, so that every process is asked."""
    host = urlsplit(base_url).hostname or ""
    try:
        answer = httpx.get(f"{base_url}/readyz", headers={"Host": host}, timeout=10)
    except httpx.TransportError:
        return True
    return answer.status_code != httpx.codes.OK and "PostgreSQL" in json.dumps(answer.json())
