"""The word to the outside: only while all is well, and never in anybody's way."""

import time
from typing import Any

import pytest

from backoffice.alerts import ping
from backoffice.health.broker import BEAT_TRACE, broker, leave_beat_trace
from tests.integration.alerts.receiver import running_receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def beat_is_alive() -> None:
    leave_beat_trace()


def pinged(settings: Any, path: str = "/204") -> int:
    """How many pings arrived, of one that was asked for."""
    with running_receiver() as receiver:
        settings.PING_URL = receiver.url(path)
        began = time.monotonic()
        is_sent = ping.ping_outside()
        assert time.monotonic() - began < 2, "whoever asks for it does not wait"
        if is_sent:
            assert ping._pinging is not None
            ping._pinging.join(10)
        return len(receiver.got)


@pytest.mark.usefixtures("beat_is_alive")
def test_all_is_well(settings: Any) -> None:
    assert ping.faults_of_service() == []
    assert pinged(settings) == 1
    assert pinged(settings, "/500") == 1
    settings.PING_URL = None
    assert not ping.ping_outside()


def test_a_silent_beat_keeps_it_back(settings: Any) -> None:
    with broker() as client:
        client.set(BEAT_TRACE, str(time.time() - 61))
    assert ping.faults_of_service() == ["beat is silent"]
    assert pinged(settings) == 0


@pytest.mark.usefixtures("beat_is_alive")
def test_whatever_readiness_says_keeps_it_back(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert ping.faults_of_service() == ["Redis does not answer"]
    assert pinged(settings) == 0
