"""Tills, and the four promises, which are checked by SQL alone after every test of what the service does with a batch."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from backoffice.sales.models import DetachedMonth
from pos_api import bodies
from pos_api.costs import Costs
from tests.promises import broken_promises
from tests.till import Till, acknowledged_batches, an_open_till

HERE = Path(__file__).parent
WITH_DATABASE = {"api", "books", "ingestion", "ledger"}
# Tests of the ledger write into the books what the service never would.
PROMISED = {"api", "books", "ingestion"}
# Not asked where one of these classes leaves a month detached: its orders are in no table that the promises read.
LEAVE_A_MONTH_AWAY = {"TestDetached"}


def room_of(path: Path) -> str:
    """The folder here that a test is in; "" for one that is elsewhere."""
    return path.relative_to(HERE).parts[0] if path.is_relative_to(HERE) else ""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that use the database are rolled back afterwards unless they ask for `committed_db`."""
    for item in items:
        if room_of(item.path) in WITH_DATABASE and "committed_db" not in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> None:
    """The test's database, in the way that the test asks for."""
    request.getfixturevalue("committed_db" if "committed_db" in request.fixturenames else "db")


@pytest.fixture(autouse=True)
def promises_are_kept(request: pytest.FixtureRequest) -> Iterator[None]:
    """Asked of everything a test wrote, and of every batch it was told is taken, before it is rolled back."""
    if room_of(request.path) not in PROMISED:
        yield
        return
    request.getfixturevalue("database")
    assert connection.settings_dict["NAME"].startswith("test_")
    acknowledged_batches.clear()
    yield
    if request.cls is not None and request.cls.__name__ in LEAVE_A_MONTH_AWAY and DetachedMonth.objects.exists():
        return
    with connection.cursor() as cursor:
        assert broken_promises(cursor, batches=acknowledged_batches) == []


@pytest.fixture(scope="module")
def opened(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Till:
    """A till for the tests of a file that are rolled back, committed before them: to open one costs as much as a test."""
    with django_db_blocker.unblock():
        return an_open_till()


@pytest.fixture
def till(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, opened: Till, database: None) -> Till:
    """A till whose shift is open since this morning, with 200.00 in its drawer."""
    if "committed_db" in request.fixturenames:
        return an_open_till()
    # A process remembers what the bodies of a terminal cost, and this one is of other tests too.
    monkeypatch.setattr(bodies, "costs", Costs())
    return opened.again()
