"""`manage.py attach_month 2025-01`: puts a detached month back."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from backoffice.ingestion.detaching import NotNow, attach_month
from backoffice.management.base import StackCommand
from backoffice.management.commands.detach_month import month, refusal_in_words, show


class Command(StackCommand):
    help = (
        "Puts back a month of orders and journal entries that detach_month took out. Run it as the owner of the tables. "
        "Exit code 1, with the reasons, if it is not possible."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("month", type=month, metavar="YYYY-MM")

    def handle(self, *args: Any, **options: Any) -> None:
        name = f"{options['month']:%Y-%m}"
        try:
            tables = attach_month(month=options["month"])
        except NotNow as error:
            raise CommandError("\n".join(error.reasons)) from None
        except DatabaseError as error:
            raise refusal_in_words(error, name) from error
        self.stdout.write(f"{name} is attached:")
        show(self, tables)
