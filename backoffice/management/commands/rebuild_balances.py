"""`manage.py rebuild_balances`: makes the daily balances again from what is sealed."""

from typing import Any

from backoffice.books.evidence.rollup import rebuild_rollup
from backoffice.management.base import StackCommand


class Command(StackCommand):
    help = "Makes the daily balances again from the sealed entries. The sealer waits meanwhile; tills do not."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Made again: {rebuild_rollup():,} daily balances.")
