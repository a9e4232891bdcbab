"""One simulated till: the client, a line, a clock, a cashier and the customers in front of it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

import httpx
from backoffice_terminal import Busy, Device, Draft, LinkError, Order, Sold, Terminal
from backoffice_terminal.orders import Status

from backoffice.workbench.simulator.catalogue import Shop
from backoffice.workbench.simulator.clock import DeviceClock
from backoffice.workbench.simulator.customers import Customers
from backoffice.workbench.simulator.link import FAIR, FaultyLink, Weather

Answer = TypeVar("Answer")

# How long a till keeps trying before the simulation counts that as a failure.
PATIENCE_S = 60.0
# States in which Back Office waits for nothing more.
ENDED = ("reconciled", "discrepant", "approved")
# Retries wait less than in a shop: the simulated network recovers faster than a real one.
HASTE = 0.2


class Abandoned(Exception):
    """The simulation is over; its tills stop where they are."""


class Witness(Protocol):
    """An observer of a till at work."""

    def sold(self, till: "Till", sold: Sold) -> None:
        """An order was finished."""

    def happened(self, till: "Till", words: str) -> None:
        """Something happened that a shop manager would want to know."""


class Till:
    """A till with its own journal in `folder`, numbered within its shop.

    Everything it sends and receives goes through the terminal client.
    """

    def __init__(
        self, shop: Shop, number: int, *, folder: Path, base_url: str, seed: int, starts_at: datetime, witness: Witness,
        transport: httpx.BaseTransport | None = None, haste: float = HASTE,
    ) -> None:  # fmt: skip
        self.shop = shop
        self.number = number
        self.name = f"Till {number}"
        self.rng = Random(f"{seed}/{shop.code}/{number}")  # repeatable on purpose  # nosec B311
        self.customers = Customers(shop, self.rng)
        self.clock = DeviceClock(starts_at.astimezone(ZoneInfo(shop.timezone)))
        self.path = folder / f"{shop.code}-{number}.sqlite"
        weather = Random(f"{seed}/line/{shop.code}/{number}")  # likewise  # nosec B311
        self.link = FaultyLink(transport or httpx.HTTPTransport(), weather)
        self.witness = witness
        self._base_url = base_url
        self._haste = haste
        self._abandoned = False
        self._returned: set[str] = set()
        self._left: int | None = None
        self.terminal = self.boot()

    def boot(self) -> Terminal:
        """Switches the till on, with the journal at its path."""
        self.terminal = Terminal(
            self.path,
            self._base_url,
            now=self.clock,
            sleep=lambda seconds: time.sleep(seconds * self._haste),
            rng=self.rng,
            transport=self.link,
        )
        return self.terminal

    def activate(self, code: str, weather: Weather = FAIR) -> None:
        """Redeems the code on a good line; afterwards the line has the given weather."""
        self.terminal.activate(code, Device(self.name, model="Simulated", serial=f"{self.shop.code}-{self.number}"))
        self.link.weather = weather

    # -- a cashier's day

    def begin(self, cashier: str) -> str:
        """Opens a shift; returns its id."""
        opening_float = self._count_float()
        shift = self.persist(lambda: self.terminal.open_shift(cashier=cashier, opening_float=opening_float))
        self.witness.happened(self, f"{cashier} opens shift {shift.number}")
        self.report()
        return shift.shift_id

    def _count_float(self) -> int:
        """What is in the drawer before a shift: what was left in it, of which now and then something is missing."""
        if self._left is None:
            return self.shop.opening_float
        missing = self.rng.choice((0, 0, 0, 0, self.shop.notes[0] // 10))
        return max(0, self._left - missing)

    def serve(self) -> Sold:
        """Serves the next customer: nearly always a sale, sometimes a refund, an exchange, a correction or no sale at all."""
        self._go_on()
        self.clock.pass_time(self.customers.seconds_until_next())
        fates = ("sale", "refund", "exchange", "correction", "voided", "training")
        fate = self.rng.choices(fates, (88, 4, 3, 2, 2, 1))[0]
        earlier = self._order_to_return() if fate in ("refund", "exchange", "correction") else None
        if earlier is not None:
            return self.come_back(fate, earlier)
        draft = self.ring_up()
        if fate not in ("voided", "training"):
            return self.finish(draft)
        draft.payments.clear()
        draft.tip = 0
        return self.finish(draft, status="voided" if fate == "voided" else "training")

    def ring_up(self) -> Draft:
        """A paid draft of what the next customer wants."""
        offline = self.terminal.mode == "offline"
        draft = self.terminal.draft(
            type=self.customers.order_type(), customer=None if offline else self.customers.name()
        )
        self.customers.choose(draft)
        self.customers.pay(draft)
        return draft

    def finish(self, draft: Draft, *, status: Status = "paid") -> Sold:
        """Sells a draft; it is sent at once if the till is online."""
        sold = self.terminal.sell(draft, status=status)
        self.witness.sold(self, sold)
        return sold

    def come_back(self, fate: str, order: Order) -> Sold:
        """Refunds an order or a part of it, exchanges something of it, or corrects how it was paid, once."""
        self._returned.add(order.order_id)
        if fate == "refund":
            draft = self.terminal.refund(order, lines=self.customers.bring_back(order))
            self.customers.take_back(draft, order)
        else:
            draft = self.terminal.draft()
            (self.customers.exchange if fate == "exchange" else self.customers.correct)(draft, order)
        return self.finish(draft)

    def _order_to_return(self) -> Order | None:
        shift = self.terminal.shift()
        sales = [
            saved.order
            for saved in self.terminal.journal.orders(shift.shift_id)
            if (saved.order.kind, saved.order.status) == ("sale", "paid")
            and saved.order.total > 0
            and saved.order_id not in self._returned
        ]
        return self.rng.choice(sales) if sales else None

    def move_cash(self) -> None:
        """Puts change into the drawer, or pays tips out of it."""
        amount = self.shop.notes[0] * self.rng.randint(1, 4)
        if self.rng.choice((True, False)):
            self.terminal.cash_in(amount, reason="change")
        else:
            self.terminal.cash_out(amount, reason="tips")

    def end(self, *, short: int = 0, blind: bool = False) -> str:
        """Counts the drawer, `short` minor units less than it should hold, and closes the shift; returns its id.

        A `blind` close leaves the counting to head office. Most say what stays in the drawer; a table that is not paid
        yet keeps the next number for the next shift.
        """
        shift = self.terminal.shift()
        counted = self.terminal.expected_cash(shift.shift_id) - short
        self._left = self.rng.choice((self.shop.opening_float, self.shop.opening_float, None))
        unpaid = [self.terminal.journal.next_number("order_number")] if self.rng.randrange(5) == 0 else []
        self.clock.pass_time(60)
        try:
            self.terminal.close_shift(
                cash_counted=None if blind else counted, float_left=self._left, carried_over=unpaid
            )
        except (LinkError, Busy):
            self.persist(self.deliver)
        counts = "leaves the counting to head office and closes" if blind else "counts the drawer and closes"
        self.witness.happened(self, f"{shift.terms.cashier} {counts} shift {shift.number}")
        return shift.shift_id

    # -- the line

    def lose_line(self) -> None:
        """Pulls the cable. The till carries on offline."""
        self.link.cut = True
        self.terminal.go_offline()
        self.witness.happened(self, "has lost the line and goes on offline (orders marked *)")

    def regain_line(self) -> None:
        """Plugs the cable in again, and delivers what was cached."""
        self.link.cut = False
        self.report()
        self.persist(self.terminal.go_online)
        self.witness.happened(self, "has the line back and delivers what it kept")

    def report(self) -> None:
        """Sends a heartbeat. Its time is real: the simulated day is in the past, which must not look like a wrong clock."""
        self.persist(lambda: self.terminal.heartbeat(at=datetime.now(UTC)))

    def deliver(self) -> None:
        """Goes online, and sends everything that is waiting."""
        self.terminal.go_online()

    def settled(self, *, patience_s: float = PATIENCE_S) -> bool:
        """Synchronises until Back Office waits for nothing more from closed shifts; False if patience ends first."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            self.persist(self.terminal.sync)
            journal = self.terminal.journal
            ended = all(shift.state in ENDED for shift in journal.declared_shifts())
            if ended and not journal.batches_awaiting_outcome():
                self.report()
                return True
            time.sleep(0.1)
        return False

    def persist(self, call: Callable[[], Answer], *, patience_s: float = PATIENCE_S) -> Answer:
        """Repeats the call after every LinkError or Busy, until patience ends; then raises that error."""
        deadline = time.monotonic() + patience_s
        while True:
            self._go_on()
            try:
                return call()
            except (LinkError, Busy):
                if time.monotonic() > deadline:
                    raise

    def abandon(self) -> None:
        """Makes a till in another thread raise Abandoned before its next step."""
        self._abandoned = True
        self.link.cut = True

    def _go_on(self) -> None:
        if self._abandoned:
            raise Abandoned(f"{self.shop.code} {self.name}")

    def close(self) -> None:
        """Switches the till off."""
        self.terminal.close()
