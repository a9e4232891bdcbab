"""`manage.py store_day STORE DATE [--json]`."""

import json
from datetime import date
from typing import Any

import msgspec
from django.core.management.base import CommandParser

from backoffice.books.store_days import StoreDay, read_store_day
from backoffice.languages.formats import money
from backoffice.management.base import StackCommand, business_date, store_named


class Command(StackCommand):
    help = "All shifts of a store and business date: where the day stands, what it waits for, and what it comes to."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store", metavar="STORE", help="the code of the store")
        parser.add_argument("date", type=business_date, metavar="DATE", help="a business date such as 2026-03-31")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout, amounts in minor units")

    def handle(self, *args: Any, **options: Any) -> None:
        day: date = options["date"]
        found = read_store_day(store_named(options["store"]), day)
        self.stdout.write(
            json.dumps(msgspec.to_builtins(found), ensure_ascii=False) if options["json"] else _in_words(found)
        )


def _in_words(day: StoreDay) -> str:
    """Where it stands, and a line for each shift."""
    lines = [f"{day.name}, {day.date}: {day.state}, waiting for {day.waits_for}"]
    lines += [
        f"  {shift.terminal}, shift {shift.number}: {shift.state}, {money(shift.net, shift.currency)}"
        for shift in day.shifts
    ]
    return "\n".join(lines)
