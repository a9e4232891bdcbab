"""`manage.py trial_balance [--store CODE] [--at DATE] [--json]`."""

import json
from typing import Any

from django.core.management.base import CommandParser

from backoffice.books.evidence.balance import BalanceRow, trial_balance_at
from backoffice.languages.formats import money
from backoffice.management.base import StackCommand, business_date, store_named


class Command(StackCommand):
    help = "Debits, credits and balance of every account that moved, by store and currency; with --json in minor units."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--store", metavar="CODE", help="only this store")
        parser.add_argument("--at", type=business_date, metavar="DATE", help="up to the end of this business date")
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        store = None if options["store"] is None else store_named(options["store"])
        rows = trial_balance_at(store=store, at=options["at"])
        if options["json"]:
            self.stdout.write(json.dumps([row._asdict() for row in rows], ensure_ascii=False))
            return
        for line in in_columns(_as_people_write(rows), texts=3):
            self.stdout.write(line)


def _as_people_write(rows: list[BalanceRow]) -> list[list[str]]:
    """The rows in words, below their names: amounts in units of their currency."""
    names = list(BalanceRow._fields)
    return [names] + [
        [row.store, row.account, row.currency, *(money(amount, row.currency) for amount in row[3:])] for row in rows
    ]


def in_columns(rows: list[list[str]], *, texts: int) -> list[str]:
    """A table of rows of cells: the first `texts` columns to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place < texts else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
