"""Tests here commit: what a sealer may take depends on which transactions have ended. Each makes a store of its own."""

import pytest

from tests.till import Till


@pytest.fixture
def till(committed_db: None) -> Till:
    """A till of a store of its own, whose shift is open."""
    till = Till()
    assert till.open().status_code == 201
    return till
