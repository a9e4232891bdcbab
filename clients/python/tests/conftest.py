"""A till at the corner shop, a Back Office in memory, and a clock that tests move."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from till_clock import Clock

from backoffice_terminal import Device, Draft, TaxRate, Terminal
from backoffice_terminal.testing import FakeBackOffice

FOOD = TaxRate("FR-5.5", "0.055")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> FakeBackOffice:
    return FakeBackOffice()


@pytest.fixture
def boot(tmp_path: Path, clock: Clock, server: FakeBackOffice) -> Iterator[Callable[[], Terminal]]:
    """Switches the till on; call it again for the same till after a power cut."""
    running: list[Terminal] = []

    def start() -> Terminal:
        while running:
            running.pop().close()
        terminal = Terminal(
            tmp_path / "till.sqlite",
            "http://back.office",
            now=clock,
            sleep=clock.sleep,
            monotonic=clock.monotonic,
            rng=Random(7),
            attempts=3,
            transport=server.transport,
        )
        running.append(terminal)
        return terminal

    yield start
    while running:
        running.pop().close()


@pytest.fixture
def till(boot: Callable[[], Terminal]) -> Terminal:
    """Activated, with Anna's shift open on a float of 200.00."""
    terminal = boot()
    terminal.activate("7KQF-2MXD-9RTV", Device("Till 1"))
    terminal.open_shift(cashier="Anna", opening_float=20_000)
    return terminal


@pytest.fixture
def baguette(till: Terminal) -> Callable[[], Draft]:
    """One baguette at 1.20, paid in cash with the exact amount."""

    def ring_up() -> Draft:
        draft = till.draft(type="takeaway")
        draft.add(sku="BAG-TRAD", name="Baguette", unit_price=120, taxes=[FOOD])
        draft.pay("cash", draft.due)
        return draft

    return ring_up
