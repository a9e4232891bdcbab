"""429: one terminal that floods does not slow the others, and Redis being away refuses nobody (protocol §9)."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.conf import settings
from prometheus_client import REGISTRY
from redis import Redis

from backoffice.buckets import TAKE_ONE, Buckets
from backoffice.metrics import requests_unmetered
from pos_api.throttling import TerminalThrottle
from tests.till import Till, at_once


def unmetered() -> float:
    return REGISTRY.get_sample_value("backoffice_requests_unmetered_total") or 0.0


@pytest.fixture
def strict(settings) -> None:
    settings.REQUESTS_PER_SECOND = 1
    settings.REQUESTS_BURST = 5


@pytest.mark.usefixtures("strict")
def test_a_terminal_that_floods_is_told_when_to_come_back_and_others_are_not() -> None:
    flooding, other = Till(), Till()
    answers = [flooding.send("GET", "terminal") for _ in range(8)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert [answer.status_code for answer in answers[:5]] == [200] * 5
    assert refused
    assert refused[0].json()["type"].endswith("/too-many-requests")
    assert refused[0]["Content-Type"] == "application/problem+json"
    assert 1 <= int(refused[0]["Retry-After"]) <= 2
    assert other.send("GET", "terminal").status_code == 200


def test_the_promised_rate_is_never_refused() -> None:
    till = Till()
    assert {till.send("GET", "terminal").status_code for _ in range(200)} == {200}


@pytest.fixture
def bucket() -> Iterator[tuple[Redis, str]]:
    """The Redis of the tests, and the key of a bucket of nobody's."""
    with Redis.from_url(settings.REDIS_URL) as redis:
        key = f"backoffice:requests:{uuid4()}"
        yield redis, key
        redis.delete(key)


def test_of_many_requests_at_once_exactly_the_burst_passes(bucket: tuple[Redis, str]) -> None:
    redis, key = bucket
    take_one, burst, threads, each = redis.register_script(TAKE_ONE), 200, 16, 50

    def ask() -> list[int]:
        # So slowly that no token comes back meanwhile.
        return [int(take_one(keys=[key], args=[1e-6, burst])) for _ in range(each)]

    waits = [wait for waited in at_once([ask] * threads) for wait in waited]
    assert len(waits) == threads * each
    assert waits.count(0) == burst


def test_fifty_a_second_are_never_refused_also_after_a_burst(bucket: tuple[Redis, str]) -> None:
    redis, key = bucket
    take_one = redis.register_script(TAKE_ONE)
    promised = [50, 200]
    assert [take_one(keys=[key], args=promised) for _ in range(200)] == [0] * 200
    for _ in range(1000):
        # The script reads the server's clock: instead of waiting 20 ms, what it remembers is made 20 ms older.
        redis.hincrby(key, "at", -20)
        assert take_one(keys=[key], args=promised) == 0


@pytest.mark.usefixtures("strict")
def test_with_redis_away_every_request_passes_and_a_metric_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = Buckets("redis://127.0.0.1:1/0", prefix="nobody", unmetered=requests_unmetered)
    monkeypatch.setattr(TerminalThrottle, "buckets", nobody)
    till, before = Till(), unmetered()
    assert {till.send("GET", "terminal").status_code for _ in range(20)} == {200}
    assert unmetered() == before + 20
    metrics = till.client.get("/metrics").content.decode()
    assert "backoffice_requests_unmetered_total" in metrics
