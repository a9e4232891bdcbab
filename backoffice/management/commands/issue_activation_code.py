"""`manage.py issue_activation_code PAR1 "Till 2"`: prints the code, alone on the last line."""

import os
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backoffice.fleet.models import Store
from backoffice.ingestion.stores import issue_activation_code
from backoffice.management.base import StackCommand


class Command(StackCommand):
    help = "Issues an activation code for a terminal, which is created if it is new. The code is shown only once."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("store_code")
        parser.add_argument("terminal_name")

    def handle(self, *args: Any, **options: Any) -> None:
        if "SECRET_KEY" not in os.environ:
            raise CommandError(
                "SECRET_KEY is not set. Set it to the web server's own: activation codes are hashed with it."
            )
        try:
            code = issue_activation_code(
                store_code=options["store_code"], terminal_name=options["terminal_name"], now=timezone.now()
            )
        except Store.DoesNotExist:
            raise CommandError(f"There is no store {options['store_code']}: create it with create_store.") from None
        self.stdout.write(f"Type it into {options['terminal_name']} within 15 minutes; it works once:")
        self.stdout.write(code)
