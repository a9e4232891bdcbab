"""What goes wrong in shops besides the line: reboots from an old disk, broken programs, orders that get mislaid."""

import shutil
import sqlite3
from pathlib import Path

from backoffice_terminal import Draft, Order
from backoffice_terminal.orders import Mode, Status
from msgspec.structs import replace

from backoffice.workbench.simulator.till import Till

# In minor units.
TOO_HIGH = 100


class WrongSums(Draft):
    """A draft rung up by a program that cannot add: its total is too high."""

    def finish(self, *, order_id: str, number: int, mode: Mode, status: Status, **times: object) -> Order:
        """The order, wrong."""
        order = super().finish(order_id=order_id, number=number, mode=mode, status=status, **times)  # type: ignore[arg-type]
        return replace(order, total=order.total + TOO_HIGH)


def miscalculate(till: Till) -> Order:
    """Sells the next customer's order with sums that do not add up. Back Office must hold it."""
    draft, wrong = till.ring_up(), WrongSums.__new__(WrongSums)
    wrong.__dict__.update(draft.__dict__)
    return till.finish(wrong).order


def add_up(wrong: Order) -> Order:
    """The same order as it should have been."""
    return replace(wrong, total=wrong.total - TOO_HIGH)


def reboot_from_old_copy(till: Till, copy: Path) -> Path:
    """A power cut, after which the till starts with its journal as it was when the copy was made.

    Returns the path of the newer journal: what is in it was sold, whether or not the till remembers.
    """
    till.terminal.close()
    newer = till.path.with_name(f"{till.path.stem}.before-the-power-cut.sqlite")
    till.path.rename(newer)
    shutil.copyfile(copy, till.path)
    till.boot()
    return newer


def copy_journal(till: Till) -> Path:
    """Copies the till's journal as it is now, as a nightly backup would."""
    copy = till.path.with_name(f"{till.path.stem}.copy.sqlite")
    with sqlite3.connect(till.path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    return copy


def mislay(till: Till, orders: list[Order]) -> None:
    """Makes the till believe that Back Office has these orders, by noting them under a batch that never had them."""
    shift_id = till.terminal.shift().shift_id
    batch = till.terminal.journal.batches(shift_id, "processed", "accepted")[0]
    with sqlite3.connect(till.path) as journal:
        journal.executemany(
            "UPDATE orders SET batch_id = ? WHERE order_id = ?", [(batch.batch_id, order.order_id) for order in orders]
        )
    journal.close()
