"""`manage.py demo`: the day of six tills in three countries, all that goes wrong in it, and books that are right."""

import contextlib
import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backoffice.workbench.embedded import StackError
from backoffice.workbench.embedded.stack import Stack
from backoffice.workbench.simulator.board import Board
from backoffice.workbench.simulator.catalogue import NEW_YORK, PARIS, TOKYO, Shop
from backoffice.workbench.simulator.crowd import at_once, shift_rows
from backoffice.workbench.simulator.desk import Desk, print_notes
from backoffice.workbench.simulator.head_office import HeadOffice
from backoffice.workbench.simulator.link import ROUGH
from backoffice.workbench.simulator.report import print_rows
from backoffice.workbench.simulator.stage import clear_stage, new_admin, speak_to, without_addresses
from backoffice.workbench.simulator.story import CannotAdd, ForgetsThree, Plot, SendsAllAgain, UsesANumberTwice
from backoffice.workbench.simulator.till import Till
from backoffice.workbench.simulator.verdict import compare

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SEED = 11
WORKERS = 2
# By the tills' own clocks, a shift of the demo takes about an hour and a half.
SHIFT_LENGTH = timedelta(hours=2)
ADMIN = "demo"
FIRST, SECOND = "ruth", "otto"
# Whoever has a look should not need a phone for it. Each page says so.
NO_SECOND_FACTOR = {"SECOND_FACTOR": "off"}

Cast = list[tuple[Till, Plot]]


class Command(BaseCommand):
    help = "Shows Back Office at work: three shops, six tills, bad lines, held orders, and books that are right."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="stop after the story; succeed only if the books are right"
        )
        parser.add_argument(
            "--data-dir", default="var/demo", metavar="DIR", help="emptied first (default: %(default)s)"
        )
        parser.add_argument(
            "--port", type=int, default=8000, help="the console's port, 0 for any free one (default: %(default)s)"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Starts the stack, plays the day, prints the result and stays until a signal. Raises CommandError."""
        data_dir = Path(options["data_dir"])
        for number in STOP_SIGNALS:
            signal.signal(number, signal.default_int_handler)
        try:
            clear_stage(data_dir)
            with (data_dir / "log").open("w") as log:
                self._play(data_dir, options["port"], log, stay=not options["once"])
        except StackError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted.") from None

    def _play(self, data_dir: Path, port: int, log: TextIO, *, stay: bool) -> None:
        started = time.monotonic()
        board = Board(sys.stderr)
        board.tell("Starting Back Office with its own PostgreSQL and Valkey ...")
        environment = without_addresses(os.environ) | NO_SECOND_FACTOR
        stack = Stack(data_dir, port=port, workers=WORKERS, environment=environment, log=log)
        with stack:
            try:
                speak_to(stack.environment)
                right = self._day(stack, board)
                self.stdout.write(f"The demo took {time.monotonic() - started:.0f} seconds.")
                if stay:
                    self.stdout.write("Ctrl-C stops it.")
                    self.stdout.flush()
                    with contextlib.suppress(KeyboardInterrupt):
                        threading.Event().wait()
            finally:
                for number in STOP_SIGNALS:
                    signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C would leave part of the stack running
        if not right:
            raise CommandError("The books are not what the tills wrote down.")

    def _day(self, stack: Stack, board: Board) -> bool:
        """The story from opening to verdict; returns whether the books are right."""
        head_office = HeadOffice(str(stack.data_dir))
        cast = _engage(head_office, stack, board)
        desk = Desk(str(stack.data_dir), first=FIRST, second=SECOND)
        for shop in dict.fromkeys(till.shop for till, _ in cast):
            desk.count_safe(shop)
        board.planned = sum(plot.planned for _, plot in cast)
        plots = dict(cast)
        try:
            with board.shown():
                at_once(list(plots), lambda till: plots[till].play(till))
            _head_office_decides(desk, cast, stack)
            print_rows(shift_rows(list(plots)), sys.stdout)
            print_notes(desk.notes, sys.stdout)
        finally:
            for till in plots:
                till.close()
        verdict = compare(cast, head_office.books(), decided=True)
        password = new_admin(ADMIN)
        for line in (
            *verdict.lines,
            "",
            f"The console: {stack.base_url}/console/   user {ADMIN}   password {password}",
            "(In the demo the password is enough. Elsewhere whoever decides or manages shows a second factor too.)",
        ):
            self.stdout.write(line)
        return verdict.right


def _engage(head_office: HeadOffice, stack: Stack, board: Board) -> Cast:
    """Opens the shops and activates their tills, each with its plot."""
    folder = stack.data_dir / "tills"
    folder.mkdir()
    cast: Cast = []
    for shop, plots in _programme():
        head_office.found(shop)
        board.tell(
            f"{shop.name} opens: {shop.currency}, prices {'include' if shop.prices_include_tax else 'exclude'} tax"
        )
        for number, plot in enumerate(plots, start=1):
            till = Till(
                shop,
                number,
                folder=folder,
                base_url=stack.base_url,
                seed=SEED,
                starts_at=datetime.now(UTC) - SHIFT_LENGTH,
                witness=board,
            )
            till.activate(head_office.activation_code(shop, till.name), ROUGH)
            cast.append((till, plot))
    return cast


def _head_office_decides(desk: Desk, cast: Cast, stack: Stack) -> None:
    """What is held, then what was not counted, then every shift; then it exports the books."""
    shifts = [(till, plot, shift.shift_id) for till, plot in cast for shift in till.terminal.journal.declared_shifts()]
    for till, plot in cast:
        desk.decide_held(till, plot)
    for till, plot, shift_id in shifts:
        if plot.blind:
            desk.count_drawer(till, shift_id)
    for till, _, shift_id in shifts:
        desk.approve(till, shift_id)
    for shop, _ in _programme():
        desk.export(shop, stack.data_dir / "exports")


def _programme() -> list[tuple[Shop, tuple[Plot, Plot]]]:
    return [
        (PARIS, (Plot(blind=True), UsesANumberTwice())),
        (NEW_YORK, (CannotAdd(), SendsAllAgain())),
        (TOKYO, (ForgetsThree(), Plot(short=500))),
    ]
