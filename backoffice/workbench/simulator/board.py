"""What people see while tills are at work: a live table and a story on a terminal, plain lines elsewhere."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from backoffice_terminal import Sold
from backoffice_terminal.money import to_text
from rich.console import Console
from rich.live import Live
from rich.table import Table

from backoffice.workbench.simulator.till import Till

# Between two lines of progress, if there is no live table.
_LINE_EVERY_S = 2.0


class Board:
    """A Witness of many tills in many threads.

    `planned` is the number of orders to come, or 0 if it is unknown; without `story` only their number is shown.
    """

    def __init__(self, out: TextIO, *, planned: int = 0, story: bool = True) -> None:
        self.planned = planned
        self._story = story
        self.orders = 0
        self._console = Console(file=out)
        self._live: Live | None = None
        self._lock = threading.Lock()
        self._tills: dict[tuple[str, str], list[str]] = {}
        self._line_due = 0.0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Keeps the table on the screen for as long as the block runs."""
        if not self._console.is_terminal:
            yield
            return
        with Live(console=self._console, get_renderable=self._table, refresh_per_second=8, transient=True) as live:
            self._live = live
            yield
        self._live = None

    def sold(self, till: Till, sold: Sold) -> None:
        """Counts an order and notes it beside its till."""
        amount = f"{to_text(sold.order.total, till.shop.currency)} {till.shop.currency}"
        with self._lock:
            self.orders += 1
            self._note(till, f"{sold.order.kind} {sold.label}  {amount}")
        self._count_in_lines()

    def happened(self, till: Till, words: str) -> None:
        """Shows something that happened at a till."""
        with self._lock:
            self._note(till, words)
        if self._story:
            self.tell(f"{till.shop.code} {till.name}: {words}")

    def tell(self, words: str) -> None:
        """Prints a line, above the table if there is one."""
        self._console.print(words, highlight=False, markup=False, soft_wrap=True)

    def _note(self, till: Till, words: str) -> None:
        mode = "offline *" if till.terminal.mode == "offline" else "online"
        self._tills[till.shop.code, till.name] = [mode, words]

    def _count_in_lines(self) -> None:
        if self._live is not None or time.monotonic() < self._line_due:
            return
        self._line_due = time.monotonic() + _LINE_EVERY_S
        self.tell(self._progress())

    def _progress(self) -> str:
        return f"{self.orders} of {self.planned} orders" if self.planned else f"{self.orders} orders"

    def _table(self) -> Table:
        table = Table(caption=self._progress())
        for name in ("Store", "Till", "Line", "Last"):
            table.add_column(name, no_wrap=True)
        with self._lock:
            for (store, till), cells in sorted(self._tills.items()):
                table.add_row(store, till, *cells)
        return table
