"""`manage.py remove_factors claire --why "Phone lost"`: for whoever cannot come in, and no administrator can help."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser

from backoffice.management.base import StackCommand
from backoffice.review.entrance.person import remove_factors
from backoffice.trail.acting import because


class Command(StackCommand):
    help = "Removes somebody's second factors and recovery codes, and signs them out. They set up a new one at their next login."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("login", help="the name they log in with")
        parser.add_argument("--why", required=True, help="kept in the audit trail")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError if nobody has that name."""
        person = User.objects.filter(username=options["login"]).first()
        if person is None:
            raise CommandError(f"Nobody is called {options['login']}.")
        because(options["why"])
        remove_factors(person)
        self.stdout.write(f"{person.username} has no second factor any more, and is signed out.")
