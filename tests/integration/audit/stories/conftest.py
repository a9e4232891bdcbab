"""The shop of the stories, in a company of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.audit.stories.shop import Shop


@pytest.fixture
def shop(tmp_path: Path, tamper: Callable[..., None]) -> Shop:
    """It was set up before its stories begin: the trail says since when a method is mapped, and a decision goes by that."""
    shop = Shop(tmp_path)
    tamper("UPDATE trail_entry SET at = '2026-02-01'")
    return shop
