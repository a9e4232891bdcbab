"""Batches in the inbox, and what the workers make of them."""

from pathlib import Path

import pytest

from tests.till import Till

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here uses the database, rolled back afterwards unless it asks for `committed_db`."""
    for item in items:
        if item.path.is_relative_to(HERE) and "committed_db" not in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db)


@pytest.fixture
def till(request: pytest.FixtureRequest) -> Till:
    """A till whose shift is open since this morning."""
    request.getfixturevalue("committed_db" if "committed_db" in request.fixturenames else "db")
    till = Till()
    assert till.open().status_code == 201
    return till
