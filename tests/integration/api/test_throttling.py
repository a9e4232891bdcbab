"""429: one terminal that floods does not slow the others, and Redis being away refuses nobody (protocol §9)."""

import pytest
from prometheus_client import REGISTRY
from redis import Redis

from pos_api.throttling import TerminalThrottle
from tests.till import Till


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


@pytest.mark.usefixtures("strict")
def test_with_redis_away_every_request_passes_and_a_metric_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.1)
    take_one = nobody.register_script("return 0")
    monkeypatch.setattr(TerminalThrottle, "_take_one", take_one)
    monkeypatch.setattr(TerminalThrottle, "_silent_until", 0.0)
    till, before = Till(), unmetered()
    assert {till.send("GET", "terminal").status_code for _ in range(20)} == {200}
    assert unmetered() == before + 20
    metrics = till.client.get("/metrics").content.decode()
    assert "backoffice_requests_unmetered_total" in metrics
