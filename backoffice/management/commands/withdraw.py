"""`manage.py withdraw DECISION_ID --as PERSON`: takes back what this person asked for."""

from django.core.management.base import CommandParser

from backoffice.books.deciding import withdraw
from backoffice.management.deciding import AnsweringCommand


class Command(AnsweringCommand):
    help = "Withdraws a request that nobody has answered yet. Only whoever asked can."
    answering = staticmethod(withdraw)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--note", default="", metavar="TEXT")
