"""Our own terminal client works through the whole scenario and breaks no rule."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random

import httpx
import pytest
from backoffice_terminal import Busy, Device, Draft, LinkError, NotActivated, TaxRate, Terminal

from backoffice.workbench.conformance.office import Office
from backoffice.workbench.conformance.server import listening

FOOD = TaxRate("FR-5.5", "0.055")
PATIENCE_S = 60.0
Kit = subprocess.Popen[str]
CHECKOUT = Path(__file__).resolve().parents[3]


class Cashier:
    """Works through the printed steps with a terminal, as a person would."""

    def __init__(self, till: Terminal, codes: list[str], steps_left: Callable[[], list[str]]) -> None:
        self.till = till
        self.codes = codes
        self.steps_left = steps_left

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
        while any(left.startswith(f"{step}.") for left in self.steps_left()):
            assert time.monotonic() < deadline, self.steps_left()
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
    till, codes = cashier.till, cashier.codes
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
    cashier.till.activate(cashier.codes[1], Device("Till 1", app_version="1.0"))
    cashier.persist(cashier.till.sync)


def test_our_client_passes(tmp_path: Path) -> None:
    office = Office(seed=1)
    with listening("127.0.0.1", 0, office) as listener:
        till = Terminal(tmp_path / "till.sqlite", listener.address, rng=Random(1))
        work_through(Cashier(till, office.floor.credentials.codes, lambda: office.steps_left))
        till.close()
    report = office.report()
    assert report.passed, report.as_text()
    assert report.of("not used") == ["adjusts-alone"]


@pytest.fixture
def without_a_stack(tmp_path: Path) -> Mapping[str, str]:
    """No database, no broker, and no folder in which either could be found."""
    return {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}


@contextmanager
def kit_with(tmp_path: Path, environment: Mapping[str, str], *options: str, ignored: bool = False) -> Iterator[Kit]:
    """The command as a process; `ignored` as a shell starts it in the background, with Ctrl-C ignored."""
    options = ("--listen", "0", "--seed", "2", "--once", "--report", str(tmp_path / "report.json"), *options)
    command = [sys.executable, str(CHECKOUT / "manage.py"), "conformance", *options]
    with subprocess.Popen(
        ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *command] if ignored else command,
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process
        process.kill()


@pytest.fixture
def kit(tmp_path: Path, without_a_stack: Mapping[str, str]) -> Iterator[Kit]:
    with kit_with(tmp_path, without_a_stack) as process:
        yield process


def read_until(process: Kit, pattern: str) -> list[str]:
    """What the kit prints up to a line, and the groups of that line."""
    for line in process.stdout:
        found = re.search(pattern, line)
        if found:
            return list(found.groups())
    raise AssertionError(f"never printed: {pattern}")


def test_the_command_ends_with_0_for_a_terminal_that_passes(kit: Kit, tmp_path: Path) -> None:
    (address,) = read_until(kit, r"listens at (http://\S+)/api/v1/")
    codes = read_until(kit, r"first code +(\S+)") + read_until(kit, r"second code +(\S+)")
    till = Terminal(tmp_path / "till.sqlite", address, rng=Random(2))
    work_through(Cashier(till, codes, lambda: httpx.get(address).json()["steps_left"]))
    till.close()
    printed, _ = kit.communicate(timeout=PATIENCE_S)
    assert "PASSED: of" in printed
    assert kit.returncode == 0, printed
    assert json.loads((tmp_path / "report.json").read_text())["passed"] is True


@pytest.mark.parametrize("ignored", [False, True], ids=["before one's eyes", "in the background"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_with_its_report_when_it_is_told_to(
    tmp_path: Path, without_a_stack: Mapping[str, str], number: signal.Signals, ignored: bool
) -> None:
    with kit_with(tmp_path, without_a_stack, ignored=ignored) as kit:
        read_until(kit, r"second code")
        kit.send_signal(number)
        printed, _ = kit.communicate(timeout=PATIENCE_S)
    assert kit.returncode == 1
    assert "NOT PASSED" in printed
    report = json.loads((tmp_path / "report.json").read_text())
    assert {rule["verdict"] for rule in report["rules"]} == {"not exercised", "not used"}
    assert len(report["steps_left"]) == 11


def test_the_command_ends_by_itself_when_the_terminal_falls_silent(
    tmp_path: Path, without_a_stack: Mapping[str, str]
) -> None:
    with kit_with(tmp_path, without_a_stack, "--silence", "0.5") as kit:
        printed, _ = kit.communicate(timeout=PATIENCE_S)
    assert kit.returncode == 1
    assert "NOT PASSED" in printed


def test_a_script_finds_its_codes_and_the_report_at_the_same_port(kit: Kit) -> None:
    (address,) = read_until(kit, r"listens at (http://\S+)/api/v1/")
    codes = read_until(kit, r"first code +(\S+)") + read_until(kit, r"second code +(\S+)")
    overview = httpx.get(address).json()
    assert overview["activation_codes"] == codes
    assert overview["base_path"] == "/api/v1/"
    assert overview["steps_left"][0].endswith("Waits for the first code.")
    body = {"activation_code": codes[0], "device": {"name": "Till 1"}}
    httpx.post(f"{address}/api/v1/activations", json=body).raise_for_status()
    for _ in range(2):  # a look changes nothing
        report = httpx.get(f"{address}/report").json()
        assert [rule["kept"] for rule in report["rules"] if rule["code"] == "framing"] == [1]
        assert len(report["steps_left"]) == 10
