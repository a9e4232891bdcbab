"""`manage.py prove ORDER_ID`: a proof that an order is in the books, alone on stdout (docs/evidence.md)."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backoffice.books.evidence.checkpoints import NothingSealed, sign_checkpoint
from backoffice.books.evidence.keys import NoSealKey
from backoffice.books.evidence.newest import newest_checkpoint
from backoffice.books.evidence.proofs import NotProvable, prove_order
from backoffice.books.evidence.sealer import seal
from backoffice.management.base import StackCommand


class Command(StackCommand):
    help = "Seals what is closed, and prints the proof of one order as JSON. docs/evidence.md has the script that checks it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("order_id", type=UUID, metavar="ORDER_ID")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        seal(now=now)
        try:
            proof = prove_order(order_id=options["order_id"], note=_newest_note(now))
        except (NoSealKey, NothingSealed, NotProvable) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(json.dumps(proof, indent=1, ensure_ascii=False))


def _newest_note(now: datetime) -> str:
    """A note of all that is sealed or, where there is no key at hand, the newest that was signed."""
    try:
        return sign_checkpoint(now=now)
    except NoSealKey:
        note = newest_checkpoint()
        if note is None:
            raise
        return note
