"""After every test of the API the four promises are checked, by SQL alone (what the service must survive)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.promises import broken_promises
from tests.till import Till, acknowledged_batches

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here uses the database, rolled back afterwards unless it asks for `committed_db`."""
    for item in items:
        if item.path.is_relative_to(HERE) and "committed_db" not in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db)


@pytest.fixture(autouse=True)
def promises_are_kept(request: pytest.FixtureRequest) -> Iterator[None]:
    """Asked of everything a test wrote, and of every batch it was told is taken, before it is rolled back."""
    request.getfixturevalue("committed_db" if "committed_db" in request.fixturenames else "db")
    assert connection.settings_dict["NAME"].startswith("test_")
    acknowledged_batches.clear()
    yield
    with connection.cursor() as cursor:
        assert broken_promises(cursor, batches=acknowledged_batches) == []


@pytest.fixture
def till() -> Till:
    """A till whose shift is open since this morning."""
    till = Till()
    assert till.open().status_code == 201
    return till
