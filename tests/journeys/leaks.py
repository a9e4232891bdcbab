"""Everything that a running Back Office keeps or said in an error, as text, and whether a secret stands in it."""

import zlib
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import psycopg
from redis import Redis

from tests.conftest import RunningStack
from tests.told import errors_of_this_run


def secrets_of(stack: RunningStack) -> set[str]:
    """What the stack itself must keep to itself: its signing key and its servers' passwords."""
    environment = stack.environment
    passwords = {urlsplit(environment[name]).password or "" for name in ("DATABASE_URL", "REDIS_URL")}
    return {environment["SECRET_KEY"], *passwords}


def everything_kept(stack: RunningStack, log: str) -> Iterator[tuple[str, str]]:
    """Every text that the stack keeps or answered as an error, with where it is."""
    yield "log", log
    yield from (("error text", text) for text in errors_of_this_run)
    yield from _redis(Redis.from_url(stack.environment["REDIS_URL"]))
    with psycopg.connect(stack.environment["DATABASE_URL"]) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        ).fetchall()
        for (table,) in tables:
            for (row,) in connection.execute(f'SELECT t::text FROM "{table}" t'):
                yield f"table {table}", row
        for (body,) in connection.execute("SELECT body FROM inbox_batch"):
            yield "stored bodies", zlib.decompress(body).decode(errors="replace")


def _redis(broker: Redis) -> Iterator[tuple[str, str]]:
    """Each value read by its type: what a dump gives may be compressed."""
    reads = {
        b"string": broker.get,
        b"list": lambda key: broker.lrange(key, 0, -1),
        b"hash": broker.hgetall,
        b"set": broker.smembers,
        b"zset": lambda key: broker.zrange(key, 0, -1, withscores=True),
        b"none": repr,  # gone meanwhile
    }
    for key in broker.scan_iter("*"):
        yield "Redis", repr(key) + repr(reads[broker.type(key)](key))


def found_in(places: Iterable[tuple[str, str]], secrets: Iterable[str]) -> set[tuple[str, str]]:
    """Which of the secrets stand where, plainly or as the hexadecimal text of a column of bytes."""
    spellings = {spelling: secret for secret in secrets for spelling in (secret, secret.encode().hex())}
    return {(place, secret) for place, text in places for spelling, secret in spellings.items() if spelling in text}
