"""Tests here commit, since what is exported is sealed first. Each makes a store and a profile of its own."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.integration.exports.sending import ODD, Target
from tests.till import Till, a_sale, a_store

TAXES = [{"code": "FR-5.5", "rate": "0.055", "amount": 13}]


@pytest.fixture
def till(committed_db: None) -> Till:
    """A till of a store whose names have everything that files trip over, with its shift open."""
    till = Till(a_store(name=f"Café {ODD}"), name=f"Till {ODD}")
    assert till.open().status_code == 201
    return till


@pytest.fixture
def target(till: Till, tmp_path: Path) -> Target:
    """Makes profiles, and exports the till's store into a folder of its own."""
    return Target(till, tmp_path, f"p{uuid4().hex[:10]}")


@pytest.fixture
def a_day(till: Till) -> list[dict[str, Any]]:
    """Cash, a card, and a thing with a name of two lines: three orders."""
    line = {"kind": "item", "sku": "=1+1", "name": f"Pain\n{ODD}", "quantity": "2", "unit_price": 120, "discount": 0}
    lines = [line | {"amount": 240, "taxes": TAXES}]
    orders = [a_sale(1001, lines=lines), a_sale(1002), a_sale(1003, payments=[{"method": "card", "amount": 240}])]
    till.sell(*orders)
    return orders
