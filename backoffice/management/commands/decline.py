"""`manage.py decline DECISION_ID --as PERSON --note TEXT`: declines what another asked."""

from django.core.management.base import CommandParser

from backoffice.books.deciding import decline
from backoffice.management.deciding import AnsweringCommand


class Command(AnsweringCommand):
    help = "Declines a decision that another person asked for, and says why in a note."
    answering = staticmethod(decline)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--note", default="", metavar="TEXT", help="why (needed)")
