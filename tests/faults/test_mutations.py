"""Our own code made worse in three ways; each must be caught, or the checker sees nothing. The service runs as ever beside."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from backoffice_terminal import Device, Terminal

from backoffice.workbench.embedded.processes import wait_until
from tests.faults.doctored import DIE_FILE
from tests.faults.recorder import Recorder
from tests.faults.run import check
from tests.faults.service import Service, children_of

PATIENCE_S = 60.0
QUEUE = "backoffice"
# The sweeper looks every two seconds; what it has not found after several looks, it does not look for.
SEVERAL_LOOKS_S = 7.0
SOLD = 20
TILLS = 5
# What was taken is remembered no more.
WITHOUT_IDENTITY = """
ALTER TABLE sales_identity DISABLE TRIGGER USER;
TRUNCATE sales_identity;
"""
WITHOUT_SOURCE = "ALTER TABLE ledger_entrysource DROP CONSTRAINT one_entry_per_source"


class Shop:
    """A web server without a worker, and tills that nobody has used. Each till has journals of its own to be checked."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service = service
        self._folder = folder
        stores = [(f"SHOP{number}", "Europe/Paris", "EUR", True) for number in range(TILLS)]
        self._codes = iter(service.activation_codes(["Till 1"] * TILLS, stores=stores))

    @contextmanager
    def worker(self, change: str = "") -> Iterator[int]:
        """A worker, doctored or not; its process id, once it listens."""
        before = self.service.log_path.stat().st_size
        child = self.service.child("worker", "worker", change=change)
        child.start()
        try:
            assert wait_until(lambda: "ready" in self._said_since(before), timeout_s=PATIENCE_S)
            assert child.pid is not None
            yield child.pid
        finally:
            child.stop()

    def till(self) -> "Till":
        store, code = next(self._codes)
        return Till(self, self._folder / code, store, code)

    def has_rung(self) -> bool:
        """Whether a message waits for a worker."""
        return bool(self.service.broker().llen(QUEUE))

    def query(self, statement: str) -> Any:
        with psycopg.connect(self.service.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else None

    def _said_since(self, size: int) -> str:
        return self.service.log_path.read_bytes()[size:].decode(errors="replace")


class Till:
    """A terminal with an open shift in a store of its own, and what it wrote down."""

    def __init__(self, shop: Shop, folder: Path, store: str, code: str) -> None:
        folder.mkdir()
        self._folder = folder
        self._shop = shop
        recorder = Recorder(folder, "till", httpx.HTTPTransport())
        self.terminal = Terminal(folder / "till.sqlite", shop.service.stack.base_url, transport=recorder)
        self.terminal.activate(code, Device(name=code))
        recorder.store, recorder.terminal = store, self.terminal.journal.fact("terminal_id") or ""
        self.terminal.open_shift(cashier="Anna", opening_float=0)
        self.terminal.go_offline()

    def sell(self) -> list[str]:
        """Sells offline, then sends everything; the orders' identifiers."""
        sold = []
        for price in range(100, 100 + SOLD):
            draft = self.terminal.draft()
            draft.add(unit_price=price)
            draft.pay_cash(tendered=1000)
            sold.append(self.terminal.sell(draft).order.order_id)
        self.terminal.go_online()
        return sold

    def found(self) -> dict[str, int]:
        """What the checker finds wrong, by name."""
        checked = check(self._folder, self._shop.service.database_url)
        assert checked["figures"]["orders acknowledged"] == SOLD, json.dumps(checked, indent=2)
        return {name: finding["count"] for name, finding in checked["findings"].items() if finding["count"]}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("mutations")
    with Service(folder / "service", roles=("web",), environment={DIE_FILE: str(folder / "die")}) as service:
        yield Shop(service, folder)


def test_with_the_sweeper_off_a_lost_message_is_a_lost_batch(shop: Shop) -> None:
    till = shop.till()
    till.sell()
    assert wait_until(shop.has_rung, timeout_s=PATIENCE_S)  # once for one batch, and soon, but not before the answer
    shop.service.broker().flushall()
    with shop.worker("without-sweeper"):
        assert not shop.service.idle(timeout_s=SEVERAL_LOOKS_S)
        assert till.found()["lost"] == SOLD
    with shop.worker():
        assert shop.service.idle(timeout_s=PATIENCE_S)
    assert till.found() == {}


def test_a_batch_that_is_marked_before_its_work_is_lost_with_its_worker(shop: Shop) -> None:
    die = Path(shop.service.folder.parent / "die")
    with shop.worker("marks-first") as pid:
        good = shop.till()
        good.sell()
        assert shop.service.idle(timeout_s=PATIENCE_S)
        assert wait_until(lambda: good.found() == {}, timeout_s=PATIENCE_S)  # marked is not yet done
        first = children_of(pid)
        die.touch()
        till = shop.till()
        till.sell()
        assert wait_until(lambda: children_of(pid) != first, timeout_s=PATIENCE_S)
        die.unlink()
        assert shop.service.idle(timeout_s=PATIENCE_S)
        assert till.found()["lost"] == SOLD


def test_without_remembered_identities_known_orders_are_taken_twice(shop: Shop) -> None:
    with shop.worker():
        till = shop.till()
        sold = till.sell()
        till.terminal.send_again(sold)
        assert shop.service.idle(timeout_s=PATIENCE_S)
        assert till.found() == {}

        shop.query(WITHOUT_IDENTITY)
        till.terminal.send_again(sold)
        assert shop.service.idle(timeout_s=PATIENCE_S)
        # The ledger's own rule, one entry per source, stands behind it: nothing is posted twice, but all of it is held.
        assert till.found() == {"posted and held at once": SOLD}

        shop.query(WITHOUT_IDENTITY + WITHOUT_SOURCE)
        till.terminal.send_again(sold)
        assert shop.service.idle(timeout_s=PATIENCE_S)
        assert till.found()["doubled"] == SOLD
