"""`manage.py create_seal_key --name backoffice.example/books`: makes the key that signs the seals of the books."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from backoffice.books.evidence.keys import NoSealKey, create_signing_key


class Command(BaseCommand):
    help = "Makes the key's file, which only its owner may read, and prints the public key. Give that to your auditor."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--name", required=True, help="tells these books from all others: backoffice.example/books")
        parser.add_argument(
            "--file", type=Path, default=settings.SEAL_KEY_FILE, help="where to put it (default: SEAL_KEY_FILE)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["file"] is None:
            raise CommandError("Say where to put the key: --file FILE, or SEAL_KEY_FILE.")
        try:
            key = create_signing_key(Path(options["file"]), name=options["name"])
        except NoSealKey as error:
            raise CommandError(str(error)) from None
        self.stdout.write(str(key))
