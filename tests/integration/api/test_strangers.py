"""What anybody may ask without a credential: it is limited, and no way of asking is an error of ours."""

from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from structlog.testing import capture_logs

from backoffice.buckets import Buckets
from backoffice.metrics import tries_unmetered
from pos_api import throttling
from pos_api.throttling import ACTIVATIONS_BURST, ActivationThrottle

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
OPEN = (
    "/",
    "/livez",
    "/metrics",
    "/readyz",
    "/api/docs/",
    "/api/schema/",
    "/api/v1/",
    "/api/v1/activations",
    "/api/v1/nothing",
    "/console/",
    "/console/login/",
    "/console/logout/",
    "/console/jsi18n/",
    "/console/nothing/",
    "/nothing",
    "/static/nothing.css",
)


@pytest.mark.parametrize("path", OPEN)
@pytest.mark.parametrize("method", METHODS)
def test_no_method_at_any_open_address_is_an_error_of_ours(method: str, path: str) -> None:
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    assert client.generic(method, path).status_code < 500


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/metrics", "/api/docs/", "/api/schema/"])
def test_writing_where_there_is_nothing_to_write_is_405_without_a_line_in_the_log(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as lines:
        answer = Client(enforce_csrf_checks=True).post(path)
    assert answer.status_code == 405
    assert [record for record in caplog.records if "csrf" in record.name] == []
    assert not [line for line in lines if line["log_level"] in {"warning", "error", "critical"}]


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    buckets = Buckets(settings.REDIS_URL, prefix=f"test:{uuid4()}", unmetered=tries_unmetered)
    monkeypatch.setattr(ActivationThrottle, "buckets", buckets)
    monkeypatch.setattr(throttling, "ACTIVATIONS_PER_S", 1e-3)  # or a slow machine never comes to the end of it


def activate(address: str):
    message = {"activation_code": "2222-2222-2222", "device": {"name": "Till 1"}}
    return Client(REMOTE_ADDR=address).post("/api/v1/activations", message, content_type="application/json")


def test_a_hundred_tries_a_minute_are_never_too_many() -> None:
    assert throttling.ACTIVATIONS_PER_S * 60 >= 100
    assert ACTIVATIONS_BURST >= 100


@pytest.mark.usefixtures("fresh")
def test_an_address_that_guesses_codes_is_told_to_wait_but_not_below_a_hundred_tries() -> None:
    assert {activate("192.0.2.1").status_code for _ in range(ACTIVATIONS_BURST)} == {403}
    refused = activate("192.0.2.1")
    assert refused.status_code == 429
    assert refused.json()["type"].endswith("/too-many-requests")
    assert int(refused["Retry-After"]) >= 1
    assert activate("192.0.2.2").status_code == 403


@pytest.mark.usefixtures("fresh")
def test_of_ipv6_a_whole_network_counts_as_one() -> None:
    statuses = {activate(f"2001:db8:1:1::{number:x}").status_code for number in range(1, ACTIVATIONS_BURST * 2)}
    assert statuses == {403, 429}
    assert activate("2001:db8:1:2::1").status_code == 403
