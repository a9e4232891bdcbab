"""`manage.py seal`: seals what is in the books and closed, as beat does every minute."""

from typing import Any

from django.utils import timezone

from backoffice.books.evidence.checkpoints import sign_if_possible
from backoffice.books.evidence.sealer import seal
from backoffice.management.base import StackCommand


class Command(StackCommand):
    help = "Seals what was posted by transactions that have ended, and signs it where there is a key."

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        count = seal(now=now)
        sign_if_possible(now=now)
        self.stdout.write(f"Sealed: {count:,} records.")
