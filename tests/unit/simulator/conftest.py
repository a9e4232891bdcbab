"""Simulated tills before a Back Office in memory."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from backoffice_terminal import Sold
from backoffice_terminal.testing import FakeBackOffice

from backoffice.workbench.simulator.catalogue import PARIS, Shop
from backoffice.workbench.simulator.link import FAIR, Weather
from backoffice.workbench.simulator.till import Till


class Silence:
    """A witness who tells nobody."""

    def sold(self, till: Till, sold: Sold) -> None:
        pass

    def happened(self, till: Till, words: str) -> None:
        pass


@pytest.fixture
def server() -> FakeBackOffice:
    return FakeBackOffice()


@pytest.fixture
def install(tmp_path: Path, server: FakeBackOffice) -> Iterator[Callable[..., Till]]:
    """Puts a till into a shop and activates it."""
    installed: list[Till] = []

    def install_one(*, shop: Shop = PARIS, number: int = 1, seed: int = 7, weather: Weather = FAIR) -> Till:
        till = Till(
            shop,
            number,
            folder=tmp_path,
            base_url="http://back.office",
            seed=seed,
            starts_at=datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
            witness=Silence(),
            transport=server.transport,
            haste=0.01,
        )
        till.activate("7KQF-2MXD-9RTV", weather)
        installed.append(till)
        return till

    yield install_one
    for till in installed:
        till.close()
