"""What our commands share: which stack they talk to, and a plain message when nothing answers there."""

import argparse
import os
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection

from backoffice.books.refusals import NotDecided
from backoffice.books.stores import find_store
from backoffice.env import DEFAULT_DATA_DIR, names_own_servers
from backoffice.fleet.models import Store
from backoffice.trail.acting import acting, at_the_command_line


class StackCommand(BaseCommand):
    """A command that needs a running Back Office: that of `--data-dir`, or the one that DATABASE_URL names."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Adds `--data-dir` for every subclass; manage.py has already read its value."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument(
            "--data-dir",
            default=DEFAULT_DATA_DIR,
            metavar="DIR",
            help="folder of the stack that `manage.py up` runs (default: %(default)s)",
        )
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Runs the command. Raises CommandError if no database answers; lets other database errors through."""
        if "DATABASE_URL" not in os.environ:
            raise nothing_runs(options["data_dir"])
        try:
            with acting(at_the_command_line(self._name(), person=options.get("person"))):
                return super().execute(*args, **options)
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) is not None:
                raise  # the server answered: it refused a statement
            if not names_own_servers(os.environ):
                raise nothing_runs(options["data_dir"]) from error
            host, port = connection.settings_dict["HOST"], connection.settings_dict["PORT"]
            raise CommandError(f"The database at {host}:{port} (DATABASE_URL) does not answer: {error}") from error

    def _name(self) -> str:
        return type(self).__module__.rpartition(".")[2]


def nothing_runs(data_dir: str) -> CommandError:
    """The error for a folder in which no stack is running."""
    option = "" if data_dir == DEFAULT_DATA_DIR else f" --data-dir {data_dir}"
    return CommandError(
        f"No Back Office is running in `{data_dir}`. Start one with `python manage.py up{option}` in another terminal,\n"
        "or set DATABASE_URL and REDIS_URL to servers of your own."
    )


def positive(text: str) -> int:
    """An argparse type: a whole number from 1 up. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def business_date(text: str) -> date:
    """An argparse type: a date. Raises ArgumentTypeError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-03-31") from None


def store_named(code: str) -> Store:
    """The store of this code. Raises CommandError."""
    try:
        return find_store(code)
    except NotDecided as refusal:
        raise CommandError(refusal.detail) from None
