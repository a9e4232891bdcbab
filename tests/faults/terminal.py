"""One terminal in a process of its own: sells until its quota is made, through whatever happens, and resumes when killed.

It is made with the client package and talks to Back Office by nothing else. Exit code 0: everything it sold was acknowledged,
every shift is settled, the drawer is empty.
"""

import argparse
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import httpx
from backoffice_terminal import Busy, LinkError, Terminal

from tests.faults.customers import Customers
from tests.faults.recorder import Recorder

ATTEMPTS = 4
# A clock that somebody sets: minutes, a day, the factory's date, and right again.
STEPS = (
    timedelta(0),
    timedelta(0),
    timedelta(minutes=-25),
    timedelta(minutes=40),
    timedelta(days=-1),
    timedelta(days=-7300),
    timedelta(days=7300),
)


class Shop:
    """A terminal and those who work at it. Every choice follows from the seed, the name and the incarnation."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._rng = Random(f"{options.seed}/{options.name}/{options.incarnation}")
        self._skew = timedelta(0)
        self._recorder = Recorder(options.journals, options.name, httpx.HTTPTransport())
        self._terminal = Terminal(
            options.memory,
            options.url,
            now=lambda: datetime.now().astimezone() + self._skew,
            rng=self._rng,
            attempts=ATTEMPTS,
            timeout_s=options.timeout,
            transport=self._recorder,
        )
        self._recorder.terminal = self._terminal.journal.fact("terminal_id") or ""
        self._recorder.store = self._terminal.store.code
        self._customers = Customers(self._terminal, self._rng, cheques=options.cheques)

    @property
    def _made(self) -> int:
        return self._terminal.journal.next_number("order_number") - 1

    def work(self) -> None:
        """Until everything is sold and settled. Without a line it waits and goes on; any other error is a finding."""
        while True:
            try:
                if self._step():
                    return
            except (LinkError, Busy):
                time.sleep(self._rng.uniform(0.02, 0.3))

    def _step(self) -> bool:
        """A step that may be cut short anywhere; True at the end of the day."""
        journal = self._terminal.journal
        shift = journal.current_shift()
        if shift is not None and shift.opened:
            sold = self._made - shift.first_number + 1
            if self._made < self._options.quota and sold < self._options.shift:
                waiting = self._terminal.journal.cached().orders
                self._serve(min(self._options.batch - waiting, self._options.quota - self._made))
            else:
                self._close(short=self._rng.choice((0, 0, 500)))
        elif self._made < self._options.quota or shift is not None:
            self._open(opening_float=self._rng.choice((0, 20000)))
        else:
            return self._end_of_day()
        return False

    def _serve(self, customers: int) -> None:
        """Sells and sends; with a batch that still waits to be sent, only that."""
        live = self._rng.randint(1, 4) if self._rng.random() < self._options.live else 0
        if customers <= 0:
            self._terminal.go_online()
            return
        for _ in range(min(live, customers)):
            self._customers.serve()
        self._terminal.go_offline()
        for _ in range(customers - live):
            self._customers.serve()
        self._terminal.go_online()
        if self._rng.random() < 0.2:
            self._terminal.heartbeat()

    def _open(self, *, opening_float: int) -> None:
        if self._rng.random() < self._options.clock_steps:
            self._skew = self._rng.choice(STEPS)
        self._terminal.open_shift(cashier=self._rng.choice(("Anna", "Bo")), opening_float=opening_float)

    def _close(self, *, short: int) -> None:
        shift_id = self._terminal.shift().shift_id
        expected = self._terminal.expected_cash(shift_id)
        counted, more_to_sell = max(0, expected - short), self._made < self._options.quota
        # A table that is not paid yet: its order is the first of the next shift.
        unpaid = [self._made + 1] if more_to_sell and self._rng.random() < 0.3 else []
        left = self._rng.choice((None, None, 0, 20000))
        blind = self._rng.random() < self._options.blind
        if blind:
            self._recorder.drawer_holds(shift_id, counted)
        self._terminal.close_shift(cash_counted=None if blind else counted, float_left=left, carried_over=unpaid)
        self._terminal.sync()

    def _end_of_day(self) -> bool:
        """Once every shift is settled, an empty one brings the drawer's cash to the safe: then the drawer's account is exact."""
        self._terminal.sync()
        if self._terminal.journal.unsettled_shifts():
            time.sleep(0.5)
            return False
        last = self._terminal.journal.declared_shifts()[-1]
        if last.first_number > self._options.quota and last.counted == 0:
            return True
        self._terminal.open_shift(cashier="Anna", opening_float=0)
        self._terminal.close_shift(cash_counted=0)
        return False


def main() -> int:
    """Reads the command line that `fleet.py` writes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--memory", type=Path, required=True, help="the client's own file")
    parser.add_argument("--journals", type=Path, required=True, help="where the recorder writes")
    parser.add_argument("--url", required=True)
    parser.add_argument("--seed", required=True)
    parser.add_argument("--incarnation", type=int, required=True)
    parser.add_argument("--quota", type=int, required=True, help="orders to make")
    parser.add_argument("--batch", type=int, required=True, help="orders made offline and sent together")
    parser.add_argument("--shift", type=int, required=True, help="orders after which a shift is closed")
    parser.add_argument("--live", type=float, default=0.0, help="chance that some orders are sent one by one")
    parser.add_argument("--clock-steps", type=float, default=0.0, help="chance that the clock is set before a shift")
    parser.add_argument("--blind", type=float, default=0.0, help="chance that head office counts after a close")
    parser.add_argument("--cheques", type=float, default=0.0, help="chance that an order is paid so, and held")
    parser.add_argument("--timeout", type=float, default=5.0, help="seconds to wait for an answer")
    Shop(parser.parse_args()).work()
    return 0


if __name__ == "__main__":
    sys.exit(main())
