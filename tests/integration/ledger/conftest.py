"""Raw SQL against the books, as somebody would write it who goes around the service."""

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
def till(db: None) -> Till:
    """A till whose shift is open since this morning, with 200.00 in its drawer."""
    till = Till()
    assert till.open().status_code == 201
    return till
