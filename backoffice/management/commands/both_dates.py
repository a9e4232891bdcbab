"""`manage.py both_dates STORE --from DATE --to DATE [--json]`."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from backoffice.books.both_dates import BothDates, by_both_dates, net_sales
from backoffice.management.base import StackCommand, business_date, store_named


class Command(StackCommand):
    help = (
        "What a store posted by business date, less what was entered later, and what was entered of earlier days: the ledger."
        " Debits less credits in minor units; the line `sales` is net sales, credits less debits."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", metavar="STORE")
        parser.add_argument("--from", dest="first", type=business_date, required=True, metavar="DATE")
        parser.add_argument("--to", dest="last", type=business_date, required=True, metavar="DATE")
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        store = store_named(options["store"])
        if options["first"] > options["last"]:
            raise CommandError(f"{options['first']} is after {options['last']}.")
        rows = by_both_dates(store=store, first=options["first"], last=options["last"])
        rows += net_sales(rows)
        if options["json"]:
            self.stdout.write(json.dumps([row._asdict() for row in rows]))
            return
        for row in rows:
            self.stdout.write(_in_words(row))


def _in_words(row: BothDates) -> str:
    return (
        f"{row.account} {row.currency}: {row.of_business_dates:,} of these business dates, less {row.entered_later:,} entered"
        f" later, and {row.of_earlier_days:,} of earlier days = {row.in_ledger:,} in the ledger"
    )
