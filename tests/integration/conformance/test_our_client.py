"""Our own terminal client works through the whole scenario and breaks no rule."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from backoffice_terminal import Busy, Device, Draft, LinkError, NotActivated, TaxRate, Terminal, TerminalError

from backoffice.conformance.office import Office
from backoffice.conformance.server import listening

FOOD = TaxRate("FR-5.5", "0.055")
PATIENCE_S = 60.0
# What a client of ours uses although nobody must.
NOT_USED: list[str] = []


class Cashier:
    """Works through the printed steps with a terminal, as a person would."""

    def __init__(self, till: Terminal, office: Office) -> None:
        self.till = till
        self.office = office

    def sell(self, *, tip: int = 0, status: str = "paid") -> None:
        draft = self.ring_up()
        draft.tip = tip
        if status == "paid":
            draft.pay("card", draft.due, reference=f"TX-{time.monotonic_ns()}")
        self.till.sell(draft, status=status)

    def ring_up(self) -> Draft:
        draft = self.till.draft(type="takeaway", printed_to="local")
        draft.add(sku="BAG-TRAD", name="Baguette", quantity="3", unit_price=120, taxes=[FOOD])
        draft.add(sku="FUEL", quantity="10.5", unit_price="159.9", discount=9, taxes=[FOOD])
        return draft

    def give_back(self) -> None:
        orders = self.till.journal.orders(self.till.shift().shift_id)
        sold = next(s.order for s in orders if s.order.kind == "sale" and s.order.status == "paid")
        back = self.till.refund(sold, lines=[0])
        back.pay("cash", back.due)
        self.till.sell(back)

    def persist(self, call: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                call()
            except (LinkError, Busy):
                assert time.monotonic() < deadline
            else:
                return

    def until(self, step: int, call: Callable[[], object]) -> None:
        """Repeats a step of the scenario until the kit says that it is done."""
        deadline = time.monotonic() + PATIENCE_S
        while any(left.startswith(f"{step}.") for left in self.office.steps_left):
            assert time.monotonic() < deadline, self.office.steps_left
            call()

    def sell_live(self) -> None:
        if self.till.mode == "offline":
            self.persist(self.till.go_online)
        self.sell()
        self.persist(self.till.sync)

    def deliver(self) -> None:
        self.persist(self.till.sync)
        if self.till.refused():
            self.till.send_refused_again()

    def report_and_sync(self) -> None:
        self.persist(self.till.heartbeat)
        self.deliver()


def work_through(cashier: Cashier) -> None:
    till, codes = cashier.till, cashier.office.floor.credentials.codes
    till.activate(codes[0], Device("Till 1", app_version="1.0"))
    cashier.persist(lambda: till.open_shift(cashier="Anna", opening_float=20_000))
    cashier.sell(tip=30)
    cashier.give_back()
    cashier.sell(status="voided")
    cashier.until(3, cashier.sell_live)
    cashier.persist(till.sync)
    cashier.persist(till.heartbeat)
    cashier.persist(till.change_token)
    cashier.until(6, lambda: cashier.persist(till.follow_store))
    go_offline_and_come_back(cashier)
    lose_the_credential(cashier)
    cashier.persist(lambda: till.close_shift(cash_counted=till.expected_cash(till.shift().shift_id)))
    cashier.until(9, cashier.deliver)
    cashier.persist(lambda: till.open_shift(cashier="Ben", opening_float=10_000))
    for _ in range(2):
        cashier.sell_live()
    cashier.until(10, cashier.report_and_sync)
    cashier.persist(till.follow_store)
    cashier.persist(lambda: till.close_shift(cash_counted=10_000))
    cashier.until(11, cashier.report_and_sync)


def go_offline_and_come_back(cashier: Cashier) -> None:
    cashier.till.go_offline()
    for _ in range(8):
        cashier.sell()
    cashier.till.cash_in(5_000, reason="change")
    cashier.persist(cashier.till.follow_store)
    cashier.until(7, cashier.deliver)
    cashier.persist(cashier.till.follow_store)


def lose_the_credential(cashier: Cashier) -> None:
    cashier.sell()
    with pytest.raises(NotActivated):
        cashier.till.sync()
    for _ in range(2):
        cashier.sell()
    cashier.till.activate(cashier.office.floor.credentials.codes[1], Device("Till 1", app_version="1.0"))
    cashier.persist(cashier.till.sync)


@pytest.fixture(params=[1, 2, 3])
def cashier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cashier]:
    with listening("127.0.0.1", 0, Office(seed=request.param)) as listener:
        till = Terminal(tmp_path / "till.sqlite", listener.address, rng=Random(request.param))
        yield Cashier(till, listener.office)
        till.close()


def test_our_client_passes(cashier: Cashier) -> None:
    try:
        work_through(cashier)
    except (TerminalError, AssertionError):
        print(cashier.office.report().as_text())
        raise
    report = cashier.office.report()
    assert report.passed, report.as_text()
    assert report.of("not used") == NOT_USED
