"""What our client has besides selling, before a Back Office that runs: heartbeats, tokens, the store's feed."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from backoffice_terminal import Device, StoreOrder, TaxRate, Terminal

from tests.conftest import RunningStack
from tests.told import Remembering, secrets_of_this_run

PATIENCE_S = 20.0
README = Path(__file__).resolve().parents[3] / "clients" / "python" / "README.md"
STORE = "HEARTBEAT"


@pytest.fixture(scope="module")
def store(stack: RunningStack) -> str:
    stack.clerk.does("create_store", STORE, "--name=Heartbeat", "--timezone=Europe/Paris", "--currency=EUR")
    return STORE


@pytest.fixture
def till(stack: RunningStack, store: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    """Activated, with an open shift. Each test has a till of its own."""
    name = request.node.name[:60]
    till = Terminal(tmp_path / "till.sqlite", stack.base_url, app_version="9.9", transport=Remembering())
    till.activate(stack.activation_code(store, name), Device(name))
    till.open_shift(cashier="Anna", opening_float=0)
    yield till
    till.close()


def sell(till: Terminal) -> str:
    draft = till.draft()
    draft.add(unit_price=120, taxes=[TaxRate("FR-5.5", "0.055")])
    draft.pay_cash(tendered=200)
    return till.sell(draft).order.order_id


def follow_until(till: Terminal, order_ids: set[str]) -> list[StoreOrder]:
    seen: list[StoreOrder] = []
    deadline = time.monotonic() + PATIENCE_S
    while not order_ids <= {order.order_id for order in seen} and time.monotonic() < deadline:
        seen += till.follow_store()
        time.sleep(0.05)
    return seen


def test_a_heartbeat_is_understood_and_its_answer_too(till: Terminal) -> None:
    sell(till)
    till.go_offline()
    sell(till)
    answer = till.heartbeat()
    assert answer.open_shift_id == till.shift().shift_id
    assert answer.missing_numbers == ()
    assert abs(answer.clock_skew_ms) < 60_000


def test_a_token_is_changed_for_another_and_another(till: Terminal) -> None:
    seen = {till.journal.fact("token")}
    for _ in range(2):
        till.change_token()
        assert till.journal.fact("token_next") is None
        seen.add(till.journal.fact("token"))
    assert len(seen) == 3
    assert seen <= secrets_of_this_run
    sell(till)
    assert till.mode == "online"


def test_the_feed_brings_each_order_once_and_catches_up(till: Terminal) -> None:
    first = {sell(till) for _ in range(3)}
    seen = follow_until(till, first)
    till.go_offline()
    assert till.follow_store() == []
    second = {sell(till) for _ in range(3)}
    till.sync()
    seen += follow_until(till, second)
    ids = [order.order_id for order in seen]
    assert first | second <= set(ids)
    assert len(ids) == len(set(ids))
    assert till.journal.store_orders() == seen


def test_the_example_of_the_package_ends_with_a_reconciled_shift_and_works_again(
    stack: RunningStack, store: str, tmp_path: Path
) -> None:
    (example,) = re.findall(r"```python\n(import time.*?)```", README.read_text(), re.DOTALL)
    code = stack.activation_code(store, "Example")
    example = example.replace("https://backoffice.example", stack.base_url).replace("7KQF-2MXD-9RTV", code)
    for number in (1, 2):
        done = subprocess.run(
            [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[0] == f"{2 * number - 1} posted"
        assert done.stdout.splitlines()[-1] == f"{number} reconciled 0"


def test_every_method_of_a_terminal_is_in_the_documentation_of_the_package() -> None:
    told = set(re.findall(r"`([a-z_]+)[(`]", README.read_text()))
    assert {name for name in vars(Terminal) if not name.startswith("_")} <= told


def test_an_order_of_another_till_is_found_with_what_was_given_back(till: Terminal) -> None:
    order_id = sell(till)
    follow_until(till, {order_id})
    found = till.find_order(order_id)
    back = till.draft()
    back.take_back(found.order, [0])
    back.pay("cash", back.due)
    exchange = till.sell(back)
    assert exchange.outcome == "posted"
    follow_until(till, {exchange.order.order_id})
    assert till.find_by_number(found.terminal_id, found.order.number).given_back.amount == 120


def test_a_new_device_closes_what_the_old_one_left_open_and_sends_its_cache_when_it_is_found(
    stack: RunningStack, store: str, till: Terminal, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The same terminal is activated again: from then on the old device is refused."""
    sold = sell(till)
    follow_until(till, {sold})
    till.go_offline()
    sell(till)
    left, old_path, name = till.shift().shift_id, till.journal.path, request.node.name[:60]
    till.close()
    new = Terminal(tmp_path / "new.sqlite", stack.base_url, app_version="9.9", transport=Remembering())
    new.activate(stack.activation_code(store, name), Device(name))
    found = new.left_open()
    assert found is not None
    assert (found.shift_id, found.cash.expected) == (left, 120)
    new.close_left_open(cash_counted=240)
    view = new.look(left)
    assert (view.state, view.cash.over_short) == ("reconciled", 120)
    shift = new.open_shift(cashier="Ben", opening_float=0)
    assert (shift.number, shift.first_number, new.look(shift.shift_id).flags) == (2, 2, ())
    new.send_kept(old_path)
    deadline = time.monotonic() + PATIENCE_S
    while new.look(left).cash.over_short != 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    view = new.look(left)
    assert (view.cash.over_short, view.computed.order_count) == (0, 2)
    assert {difference.what for difference in view.differences} == {"order_count", "sales", "tax", "payments.cash"}
    new.close()
