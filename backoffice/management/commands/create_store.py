"""`manage.py create_store PAR1 --name "Paris Bastille" --timezone Europe/Paris --currency EUR`."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from backoffice.ingestion.stores import create_store
from backoffice.management.base import StackCommand


class Command(StackCommand):
    help = "Creates a store that can sell at once: every payment method has its account, and no limits are set."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("code", help="short and unique, such as PAR1")
        parser.add_argument("--name", help="what people call it (default: the code)")
        parser.add_argument("--timezone", required=True, help="IANA name, such as Europe/Paris")
        parser.add_argument("--currency", required=True, help="ISO 4217, such as EUR")
        mode = parser.add_mutually_exclusive_group()
        mode.add_argument("--prices-include-tax", dest="prices_include_tax", action="store_true", default=True)
        mode.add_argument("--prices-exclude-tax", dest="prices_include_tax", action="store_false")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            store = create_store(
                code=options["code"],
                name=options["name"] or options["code"],
                timezone=options["timezone"],
                currency=options["currency"].upper(),
                prices_include_tax=options["prices_include_tax"],
            )
        except ValidationError as error:
            raise CommandError(
                "\n".join(f"{field}: {' '.join(messages)}" for field, messages in error.message_dict.items())
            ) from None
        prices = "include" if store.prices_include_tax else "exclude"
        self.stdout.write(f"{store} is ready to sell: {store.currency}, {store.timezone}, prices {prices} tax.")
