"""A till that sells all through the rehearsal, through TLS, and knows what it has sold and how long that took."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from backoffice_terminal import Device, TaxRate, Terminal
from backoffice_terminal.problems import TerminalError

TAX = TaxRate("FR-5.5", "0.055")
EVERY_S = 0.2
FLOAT = 20_000
# How often a till that is offline tries to come back, and how often one that is online says how it is.
COMES_BACK_S, BEATS_S = 0.5, 5.0
PATIENCE_S = 180.0


@dataclass(frozen=True)
class Sale:
    """One sale: when, how long its customer stood there, and whether it was posted at once."""

    at: float
    seconds: float
    is_live: bool


class Till:
    """Sells one order after another in a thread of its own, from `start` to `close`, and not while it is `still`."""

    def __init__(self, journal: Path, url: str, code: str) -> None:
        self.sales: list[Sale] = []
        self.failure: BaseException | None = None
        self._journal, self._url, self._code = journal, url, code
        self._may_sell, self._is_over, self._is_idle = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="till", daemon=True)
        self.shift_id = ""

    def start(self) -> None:
        self._may_sell.set()
        self._thread.start()
        self.wait_for_sales(3)

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nobody buys anything, and the till says nothing, for as long as the block lasts."""
        self._is_idle.clear()
        self._may_sell.clear()
        self._is_idle.wait(PATIENCE_S)
        try:
            yield
        finally:
            self._may_sell.set()

    def wait_for_sales(self, many: int) -> None:
        """Until so many more are posted at once: the till is online, and so is everything behind it."""
        before, deadline = self._live(), time.monotonic() + PATIENCE_S
        while self._live() < before + many:
            if self.failure is not None:
                raise AssertionError("the till has failed") from self.failure
            if time.monotonic() > deadline:
                raise AssertionError(f"{self._live() - before} of {many} sales were posted within {PATIENCE_S:g} s")
            time.sleep(0.1)

    def close(self) -> str:
        """Closes the shift, and waits until it is settled. How it ended."""
        self._is_over.set()
        self._may_sell.set()
        self._thread.join(PATIENCE_S)
        if self.failure is not None or self._thread.is_alive():
            raise AssertionError("the till has failed") from self.failure
        till = self._terminal(attempts=6)
        try:
            till.sync()
            till.close_shift(cash_counted=till.expected_cash(self.shift_id), float_left=FLOAT)
            deadline = time.monotonic() + PATIENCE_S
            while (view := till.look(self.shift_id)).state == "closing" and time.monotonic() < deadline:
                time.sleep(1)
                till.sync()
            return str(view.state)
        finally:
            till.close()

    def _live(self) -> int:
        return sum(sale.is_live for sale in self.sales)

    def _terminal(self, *, attempts: int = 1) -> Terminal:
        return Terminal(self._journal, self._url, app_version="rehearsal", timeout_s=10.0, attempts=attempts)

    def _work(self) -> None:
        try:
            till = self._terminal()
            if not till.is_activated:
                till.activate(self._code, Device("Till 1"))
            self.shift_id = till.open_shift(cashier="Anna", opening_float=FLOAT).shift_id
            self._sell_on(till)
            till.close()
        except BaseException as error:  # noqa: BLE001 - told to whoever waits for it
            self.failure = error

    def _sell_on(self, till: Terminal) -> None:
        spoke = time.monotonic()
        while not self._is_over.is_set():
            if not self._may_sell.is_set():
                self._is_idle.set()
                self._may_sell.wait()
                continue
            self.sales.append(sell_one(till))
            if time.monotonic() - spoke > (COMES_BACK_S if till.mode == "offline" else BEATS_S):
                spoke = time.monotonic()
                keep_in_step(till)
            time.sleep(EVERY_S)


def sell_one(till: Terminal) -> Sale:
    began, at = time.monotonic(), time.time()
    draft = till.draft(type="takeaway")
    draft.add(sku="BAG-TRAD", name="Baguette", quantity="2", unit_price=120, taxes=[TAX])
    draft.pay_cash(tendered=500)
    sold = till.sell(draft)
    return Sale(at, time.monotonic() - began, is_live=sold.outcome == "posted")


def keep_in_step(till: Terminal) -> None:
    """Comes back online if that is possible, and sends what Back Office lacks; customers are served all the same."""
    with suppress(TerminalError):
        till.heartbeat()
        till.sync()
