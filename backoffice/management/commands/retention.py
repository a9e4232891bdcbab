"""`manage.py retention`: which months are due to leave, and what keeps them. `--apply` detaches those that may."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backoffice.books.retention import MonthStanding, review_months
from backoffice.management.base import StackCommand
from backoffice.management.commands.detach_month import detach, show


class Command(StackCommand):
    help = (
        "Shows month by month until when it is kept, whether it is due to leave, and what keeps it. Changes nothing, unless "
        "--apply is given: then it detaches what may leave, the oldest first. Exit code 1 if a month that is due had to stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        how = parser.add_mutually_exclusive_group()
        how.add_argument(
            "--apply", action="store_true", help="detach what may leave; run it as the owner of the tables"
        )
        how.add_argument("--json", action="store_true", help="one JSON document on stdout and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        months = review_months(today=timezone.now().date())
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(month) for month in months]))
            return
        for month in months:
            self.stdout.write(f"{month.month:%Y-%m}  {_in_words(month)}")
        if not months:
            self.stdout.write("There is no month in the tables.")
        if options["apply"]:
            self._apply(months)

    def _apply(self, months: list[MonthStanding]) -> None:
        for month in months:
            if month.may_leave:
                self._detach(month)
        if stay := [f"{month.month:%Y-%m}" for month in months if month.is_due and month.reasons]:
            raise CommandError(f"Due, and kept: {', '.join(stay)}.")

    def _detach(self, month: MonthStanding) -> None:
        tables = detach(month.month)
        self.stdout.write(f"{month.month:%Y-%m} is detached. Its tables are still in the database:")
        show(self, tables)


def _as_json(month: MonthStanding) -> dict[str, Any]:
    standing = {"month": f"{month.month:%Y-%m}", "kept_through": month.kept_through.isoformat()}
    return standing | {"due": month.is_due, "may_leave": month.may_leave, "reasons": month.reasons}


def _in_words(month: MonthStanding) -> str:
    if not month.is_due:
        return f"is kept at least until {month.kept_through}."
    if not month.reasons:
        return f"was kept through {month.kept_through}, is due, and may leave."
    return "is due, and stays. " + " ".join(month.reasons)
