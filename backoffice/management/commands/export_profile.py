"""`manage.py export_profile NAME --format FORMAT [--map FILE.csv]`: names a target of exports (docs/exports.md)."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backoffice.books.exports.models import FORMATS
from backoffice.books.exports.profiles import define_profile
from backoffice.books.exports.refusals import NotExported
from backoffice.management.base import StackCommand

MOST_BYTES = 4 * 1024 * 1024


class Command(StackCommand):
    help = "Names a target of exports, or gives one a new map. Prints one JSON object."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--format", required=True, metavar="FORMAT", help=", ".join(FORMATS))
        parser.add_argument(
            "--granularity", metavar="entry|day", help="what is sent as one (default: the format's own)"
        )
        parser.add_argument("--currency", default="", metavar="CODE", help="only this currency (default: the store's)")
        parser.add_argument("--siren", default="", metavar="DIGITS", help="of the company, for the name of an FEC")
        parser.add_argument(
            "--map", type=Path, metavar="FILE.csv", help="codes by account, tax code and payment method"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = define_profile(
                name=options["name"],
                format_name=options["format"],
                granularity=options["granularity"],
                currency=options["currency"],
                siren=options["siren"],
                map_text=None if options["map"] is None else read_text(options["map"]),
                now=timezone.now(),
            )
        except NotExported as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(json.dumps(report._asdict(), ensure_ascii=False))


def read_text(path: Path) -> str:
    """A file's text. Raises CommandError where there is none."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise CommandError(f"{path} has more than {MOST_BYTES:,} bytes.")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not UTF-8.") from None
