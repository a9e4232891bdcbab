"""Logging in: how often it may be tried, and what the log says of it."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from backoffice.buckets import Buckets
from backoffice.metrics import tries_unmetered
from backoffice.review import login

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def buckets(monkeypatch: pytest.MonkeyPatch) -> Buckets:
    """Buckets that no other test has emptied."""
    fresh = Buckets(settings.REDIS_URL, prefix=f"test:{uuid4()}", unmetered=tries_unmetered)
    monkeypatch.setattr(login, "buckets", fresh)
    monkeypatch.setattr(login, "ADDRESS_PER_S", 1e-3)  # or a slow machine never comes to the end of it
    return fresh


@pytest.fixture(autouse=True)
def quick(settings) -> None:
    """Hashing takes as long as it should in production, and the buckets would fill meanwhile."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def claire() -> Iterator[User]:
    return User.objects.create_user(f"claire-{uuid4().hex[:8]}", password=PASSWORD, is_staff=True)


def log_in(name: str, password: str = "wrong", *, address: str = "192.0.2.1"):
    return Client(REMOTE_ADDR=address).post(reverse("admin:login"), {"username": name, "password": password})


def test_a_name_that_is_tried_too_often_is_told_to_wait_whatever_its_password(claire: User) -> None:
    statuses = [log_in(claire.username, address=f"192.0.2.{n}").status_code for n in range(login.NAME_BURST)]
    assert set(statuses) == {200}
    refused = log_in(claire.username, PASSWORD, address="192.0.2.200")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 30
    assert log_in("somebody-else").status_code == 200


def test_an_address_that_tries_too_often_is_told_to_wait_and_others_are_not(claire: User) -> None:
    statuses = [log_in(f"guess-{n}", address="198.51.100.7").status_code for n in range(login.ADDRESS_BURST * 3)]
    assert set(statuses[: login.ADDRESS_BURST]) == {200}
    assert set(statuses) == {200, 429}
    assert log_in(claire.username, PASSWORD, address="198.51.100.8").status_code == 302


def test_behind_the_proxy_the_address_is_the_one_that_the_proxy_added(claire: User, settings) -> None:
    settings.BEHIND_TLS = True
    forged = {"HTTP_X_FORWARDED_FOR": "203.0.113.1, 198.51.100.9"}
    client, statuses = Client(REMOTE_ADDR="127.0.0.1", **forged), set()
    for number in range(login.ADDRESS_BURST * 3):
        statuses.add(client.post(reverse("admin:login"), {"username": f"g{number}", "password": "x"}).status_code)
    assert statuses == {200, 429}
    assert log_in(claire.username, PASSWORD, address="203.0.113.1").status_code == 302


def test_who_logs_in_has_all_tries_again(claire: User) -> None:
    for number in range(3 * login.NAME_BURST):
        right = number % 5 == 4
        answer = log_in(claire.username, PASSWORD if right else "wrong", address=f"192.0.2.{number}")
        assert answer.status_code == (302 if right else 200)


def test_with_redis_away_everybody_may_try_and_a_metric_says_so(monkeypatch: pytest.MonkeyPatch, claire: User) -> None:
    def unmetered() -> float:
        return REGISTRY.get_sample_value("backoffice_tries_unmetered_total") or 0.0

    monkeypatch.setattr(login, "buckets", Buckets("redis://127.0.0.1:1/0", prefix="nobody", unmetered=tries_unmetered))
    before = unmetered()
    assert log_in(claire.username, PASSWORD).status_code == 302
    assert unmetered() > before


def test_the_log_has_a_line_for_each_try_and_no_password(claire: User, monkeypatch: pytest.MonkeyPatch) -> None:
    # As web logs: the commands' own level leaves the good ones out.
    monkeypatch.setattr(login, "log", structlog.wrap_logger(None, wrapper_class=structlog.BoundLogger))
    with capture_logs() as lines:
        log_in(claire.username)
        log_in(claire.username, PASSWORD)
        log_in(PASSWORD, "in the wrong field")
    said = [(line["event"], line.get("user"), line.get("address")) for line in lines]
    assert said == [
        ("login failed", claire.username, "192.0.2.1"),
        ("login", claire.username, "192.0.2.1"),
        ("login failed", "(nobody's)", "192.0.2.1"),
    ]
    assert PASSWORD not in str(lines)


@pytest.mark.parametrize("name", ["\0", "\ud800", "x" * 5000, ""])
def test_odd_names_are_wrong_and_no_error(name: str) -> None:
    assert login.LimitedLogin().authenticate(None, name, "x") is None


def test_who_is_not_there_takes_as_long_as_who_is(claire: User, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = []
    monkeypatch.setattr(User, "set_password", lambda _user, password: hashed.append(password))
    assert login.LimitedLogin().authenticate(None, "nobody", "guess") is None
    assert hashed == ["guess"]
    claire.is_active = False
    claire.save()
    assert login.LimitedLogin().authenticate(None, claire.username, PASSWORD) is None
