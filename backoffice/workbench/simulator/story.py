"""The day of `manage.py demo`: six tills, bad lines, and what goes wrong at each of them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from backoffice_terminal import Busy, LinkError, Order

from backoffice.workbench.simulator.mishaps import add_up, copy_journal, miscalculate, mislay, reboot_from_old_copy
from backoffice.workbench.simulator.till import PATIENCE_S, Till

# The orders of a shift before the line fails, without it, and after it is back.
BEFORE, WITHOUT, AFTER = 10, 8, 7


@dataclass
class Plot:
    """A shift that loses its line, and nothing else. Other plots override the moment at which something happens.

    `besides` is the number of orders that a plot adds; `short` is what the drawer will lack. `broken` has the orders that
    must not be in the books before a person decides, each with the reason in words; `corrected` has what they should have
    been, where that is not what was sent. `older_journals` are files that a till has left behind. A
    `blind` close leaves the counting to head office: the shift is discrepant until it has counted.
    """

    besides: ClassVar[int] = 0

    short: int = 0
    blind: bool = False
    broken: dict[str, str] = field(default_factory=dict)
    corrected: dict[str, Order] = field(default_factory=dict)
    older_journals: list[Path] = field(default_factory=list)

    @property
    def planned(self) -> int:
        """How many orders the till will sell."""
        return BEFORE + WITHOUT + AFTER + self.besides

    def before_the_line_fails(self, till: Till) -> None:
        """The till is online."""

    def without_the_line(self, till: Till, orders: list[Order]) -> None:
        """The till has these orders in its cache."""

    def after_the_line_is_back(self, till: Till) -> None:
        """The till has delivered its cache."""

    def after_the_close(self, till: Till, shift_id: str) -> None:
        """The till has declared its shift and has not yet asked about it."""

    def play(self, till: Till) -> None:
        """Plays the whole shift, until Back Office waits for nothing more."""
        till.begin(till.shop.cashiers[till.number % len(till.shop.cashiers)])
        _serve(till, BEFORE)
        till.move_cash()
        self.before_the_line_fails(till)
        if not till.link.cut:
            till.lose_line()
        cached = _serve(till, WITHOUT)
        till.witness.happened(till, f"sells {cached[0].label} to {cached[-1].label} without a line")
        self.without_the_line(till, cached)
        till.regain_line()
        self.after_the_line_is_back(till)
        _serve(till, AFTER)
        shift_id = till.end(short=self.short, blind=self.blind)
        self.after_the_close(till, shift_id)
        till.settled()
        till.witness.happened(till, f"shift is {till.terminal.journal.shift(shift_id).state}")


class UsesANumberTwice(Plot):
    """Comes back from a power cut with a journal that lacks the last order, and gives its number to the next one."""

    besides = 2

    def before_the_line_fails(self, till: Till) -> None:
        copy = copy_journal(till)
        first = till.finish(till.ring_up()).order
        _wait_until(lambda: _arrived(till, first))
        self.older_journals.append(reboot_from_old_copy(till, copy))
        till.witness.happened(till, "has a power cut, and comes back without its last order")
        till.lose_line()
        second = till.finish(till.ring_up()).order
        till.witness.happened(till, f"gives number {first.number} to another order: {second.label}")
        self.broken[second.order_id] = f"order {second.label}, a number used twice"


class CannotAdd(Plot):
    """One order's total is not the sum of its lines."""

    besides = 1

    def before_the_line_fails(self, till: Till) -> None:
        wrong = miscalculate(till)
        till.witness.happened(till, f"sends order {wrong.label} with sums that do not add up")
        self.broken[wrong.order_id] = f"order {wrong.label}, sums that do not add up"
        self.corrected[wrong.order_id] = add_up(wrong)


class SendsAllAgain(Plot):
    """Sends all its orders again, in overlapping batches, shuffled, the later half first."""

    def after_the_line_is_back(self, till: Till) -> None:
        orders = [saved.order_id for saved in till.terminal.journal.orders(till.terminal.shift().shift_id)]
        middle = len(orders) // 2
        till.witness.happened(
            till, f"is not sure of its line and sends {len(orders)} orders again, shuffled and overlapping"
        )
        for part in (orders[middle - 4 :], orders[: middle + 4]):
            till.rng.shuffle(part)
            try:
                till.terminal.send_again(part)
            except (LinkError, Busy):
                till.persist(till.deliver)


class ForgetsThree(Plot):
    """Believes that three orders were delivered that never were; Back Office names the gap, the journal fills it."""

    def without_the_line(self, till: Till, orders: list[Order]) -> None:
        mislaid = orders[2:5]
        mislay(till, mislaid)
        till.witness.happened(till, f"mislays orders {mislaid[0].number} to {mislaid[-1].number}")

    def after_the_close(self, till: Till, shift_id: str) -> None:
        view = till.persist(lambda: till.terminal.look(shift_id))
        gaps = ", ".join(f"{first} to {last}" for first, last in view.missing_numbers)
        till.witness.happened(
            till, f"Back Office keeps the shift {view.state}: orders {gaps} are missing. The till looks for them"
        )


def _serve(till: Till, orders: int) -> list[Order]:
    return [till.serve().order for _ in range(orders)]


def _arrived(till: Till, order: Order) -> bool:
    """Whether Back Office has told the outcome of an order."""
    till.persist(till.terminal.sync)
    saved = till.terminal.journal.order(order.order_id)
    return saved is not None and saved.outcome is not None


def _wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.05)
