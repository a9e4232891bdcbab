"""`manage.py agree DECISION_ID --as PERSON`: agrees to what another asked, which then takes effect."""

from backoffice.books.deciding import agree
from backoffice.management.deciding import AnsweringCommand


class Command(AnsweringCommand):
    help = "Agrees to a decision that another person asked for. Nobody agrees to their own."
    answering = staticmethod(agree)
