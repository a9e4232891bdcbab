"""`manage.py checkpoint`: the signed head of the books, alone on stdout."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backoffice.books.evidence.checkpoints import NothingSealed, sign_checkpoint
from backoffice.books.evidence.keys import NoSealKey, signing_key
from backoffice.books.evidence.sealer import seal
from backoffice.management.base import StackCommand


class Command(StackCommand):
    help = (
        "Seals what is closed, and prints the signed note of it. Keep it where nobody who keeps the books can reach it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--public-key", action="store_true", help="print the key that checks such notes instead")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            if options["public_key"]:
                self.stdout.write(str(signing_key().checking))
                return
            seal(now=now)
            self.stdout.write(sign_checkpoint(now=now), ending="")
        except (NoSealKey, NothingSealed) as error:
            raise CommandError(str(error)) from None
