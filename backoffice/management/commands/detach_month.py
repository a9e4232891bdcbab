"""`manage.py detach_month 2025-01`: takes an old month out of the tables that grow."""

import argparse
from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from django.db.utils import OperationalError
from django.utils import timezone
from psycopg.errors import InsufficientPrivilege

from backoffice.books.retention import let_go
from backoffice.ingestion.detaching import MonthTable, NotNow
from backoffice.management.base import StackCommand

MEBIBYTE = 1024 * 1024


class Command(StackCommand):
    help = (
        "Detaches a month's orders and journal entries, all at once. Run it as the owner of the tables. "
        "Exit code 1, with the reasons, if the month must stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("month", type=month, metavar="YYYY-MM")

    def handle(self, *args: Any, **options: Any) -> None:
        name = f"{options['month']:%Y-%m}"
        tables = detach(options["month"])
        self.stdout.write(
            f"{name} is detached. Its tables are still in the database, but no longer part of orders and journal:"
        )
        show(self, tables)
        self.stdout.write(
            "To keep it elsewhere, dump the tables, then drop them (lines before the orders that they refer to):"
        )
        self.stdout.write(f"  pg_dump --format=custom --table='*_{options['month']:%Y%m}' --file={name}.dump DATABASE")
        self.stdout.write(f"To put it back: manage.py attach_month {name}")


def detach(month: date) -> list[MonthTable]:
    """Detaches a month once nothing needs it any more; what its tables hold. Raises CommandError with the reasons."""
    name = f"{month:%Y-%m}"
    try:
        return let_go(month=month, now=timezone.now())
    except NotNow as error:
        raise CommandError(f"{name} stays. " + "\n".join(error.reasons)) from None
    except DatabaseError as error:
        raise refusal_in_words(error, name) from error


def show(command: StackCommand, tables: list[MonthTable]) -> None:
    for table in tables:
        command.stdout.write(f"  {table.name:<28} {table.rows:>12,} rows {table.size / MEBIBYTE:>10,.1f} MiB")


def refusal_in_words(error: DatabaseError, name: str) -> CommandError:
    """Why PostgreSQL refused. Nothing has changed."""
    if isinstance(error.__cause__, InsufficientPrivilege):
        return CommandError(
            f"{name} stays: run this as the owner of the tables, with the DATABASE_URL that migrations use."
        )
    if isinstance(error, OperationalError):
        return CommandError(f"{name} stays: a long-running statement has locked a table. Try again. ({error})")
    return CommandError(f"{name} stays: {error}")


def month(text: str) -> date:
    """An argparse type: the first day of a month. Raises ArgumentTypeError."""
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a month such as 2025-01") from None
