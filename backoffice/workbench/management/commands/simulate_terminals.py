"""`manage.py simulate_terminals`: simulated shops and tills that sell over HTTP to a running Back Office."""

import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from backoffice.management.base import StackCommand, positive
from backoffice.workbench.simulator.board import Board
from backoffice.workbench.simulator.catalogue import EDINBURGH, SHOPS, Shop
from backoffice.workbench.simulator.crowd import at_once, settle_all, shift_rows, work_shifts
from backoffice.workbench.simulator.head_office import HeadOffice
from backoffice.workbench.simulator.link import FAIR, ROUGH, Weather
from backoffice.workbench.simulator.replay import read_tickets, sell_again
from backoffice.workbench.simulator.report import print_rows
from backoffice.workbench.simulator.till import Till

_A_DAY_AND_A_NIGHT = timedelta(hours=24)


class Command(StackCommand):
    help = "Lets simulated shops sell over HTTP; succeeds if Back Office computes what the tills wrote down."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--stores", type=positive, default=2, metavar="N", help="default: 2")
        parser.add_argument("--terminals", type=positive, default=2, metavar="N", help="in each store; default: 2")
        parser.add_argument("--shifts", type=positive, default=1, metavar="N", help="for each terminal; default: 1")
        parser.add_argument("--orders", type=positive, default=40, metavar="N", help="in each shift; default: 40")
        parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed sells the same; default: 1")
        parser.add_argument(
            "--sales-csv",
            type=Path,
            metavar="FILE",
            help="replay tickets (columns Date, Time, Transaction, Item), a shift per day and terminal of one store",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Creates the stores, lets the tills work, prints the table. Raises CommandError if any sums differ."""
        shops, work, planned, weather = self._plan(options)
        board = Board(sys.stderr, planned=planned, story=options["sales_csv"] is None)
        tills = self._install(shops, board, options, weather)
        try:
            with board.shown():
                at_once(tills, work)
                board.tell("All tills have closed; waiting for Back Office to settle the shifts ...")
                settle_all(tills)
            rows = shift_rows(tills)
        except KeyboardInterrupt:
            raise CommandError("Interrupted; the shifts stay as they are.") from None
        finally:
            for till in tills:
                till.close()
        print_rows(rows, sys.stdout)
        wrong = sum(not row.agrees for row in rows)
        if wrong:
            raise CommandError(f"{wrong} of {len(rows)} shifts differ from what their tills wrote down.")
        self.stdout.write(f"{len(rows)} shifts: Back Office computes exactly what the tills wrote down.")

    def _plan(self, options: dict[str, Any]) -> tuple[list[Shop], Callable[[Till], None], int, Weather]:
        """The shops, what each of their tills does, how many orders that makes, and how good the lines are."""
        if options["sales_csv"] is None:
            shops = [SHOPS[index % len(SHOPS)] for index in range(options["stores"])]
            planned = len(shops) * options["terminals"] * options["shifts"] * options["orders"]
            return shops, work_shifts(shifts=options["shifts"], orders=options["orders"]), planned, ROUGH
        try:
            days = read_tickets(options["sales_csv"])
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        planned = sum(len(tickets) for tickets in days.values())
        return [EDINBURGH], sell_again(days, tills=options["terminals"]), planned, FAIR

    def _install(self, shops: list[Shop], board: Board, options: dict[str, Any], weather: Weather) -> list[Till]:
        """Creates the stores and activates their tills. Their journals stay in a folder of this run, to be looked at."""
        head_office = HeadOffice(options["data_dir"])
        Path(options["data_dir"]).mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="simulated-", dir=options["data_dir"]))
        starts_at = datetime.now(UTC) - options["shifts"] * _A_DAY_AND_A_NIGHT
        tills = []
        for shop in map(head_office.found, shops):
            board.tell(f"{shop.name} opens as {shop.code}")
            for number in range(1, options["terminals"] + 1):
                till = Till(
                    shop,
                    number,
                    folder=folder,
                    base_url=settings.BASE_URL,
                    seed=options["seed"],
                    starts_at=starts_at,
                    witness=board,
                )
                till.activate(head_office.activation_code(shop, till.name), weather)
                tills.append(till)
        return tills
