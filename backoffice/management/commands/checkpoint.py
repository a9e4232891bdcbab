"""`manage.py checkpoint`: the signed head of the books, or a time stamp of one, alone on stdout."""

from base64 import b64encode
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backoffice.books.evidence.checkpoints import NothingSealed, sign_checkpoint
from backoffice.books.evidence.keys import NoSealKey, signing_key
from backoffice.books.evidence.models import Stamp
from backoffice.books.evidence.sealer import seal
from backoffice.management.base import StackCommand


class Command(StackCommand):
    help = (
        "Seals what is closed, and prints the signed note of it. Keep it where nobody who keeps the books can reach it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument("--public-key", action="store_true", help="print the key that checks such notes instead")
        instead.add_argument(
            "--stamped", action="store_true", help="print the newest note that has a time stamp instead"
        )
        instead.add_argument("--stamp", action="store_true", help="print that time stamp instead, in base64")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["stamped"] or options["stamp"]:
            stamp = newest_stamp()
            said = stamp.checkpoint.note if options["stamped"] else f"{b64encode(stamp.reply).decode()}\n"
            self.stdout.write(said, ending="")
            return
        now = timezone.now()
        try:
            if options["public_key"]:
                self.stdout.write(str(signing_key().checking))
                return
            seal(now=now)
            self.stdout.write(sign_checkpoint(now=now), ending="")
        except (NoSealKey, NothingSealed) as error:
            raise CommandError(str(error)) from None


def newest_stamp() -> Stamp:
    """The time stamp of the newest checkpoint that has one. Raises CommandError."""
    stamp = Stamp.objects.select_related("checkpoint").order_by("-checkpoint__size", "-checkpoint_id").first()
    if stamp is None:
        raise CommandError("No checkpoint has a time stamp. See docs/evidence.md, Time stamps.")
    return stamp
