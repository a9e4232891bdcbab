"""Deciding in the console, as a browser does it."""

from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from tests.integration.books.office import a_person
from tests.integration.console.pages import Page
from tests.signing_in import sign_in

# What somebody has to see of what they decide about.
SEES = ("view_helditem", "view_order", "view_shift", "view_store", "view_decision", "view_terminal", "view_batch")


class Desk:
    """Somebody of head office at the console, who may decide everything unless the test says otherwise."""

    def __init__(self, name: str = "Ruth", **how: Any) -> None:
        self.person: User = a_person(name, **how)
        self.person.is_staff = True
        self.person.save()
        self.person.user_permissions.add(*Permission.objects.filter(codename__in=SEES))
        self.client = Client()
        sign_in(self.client, self.person)

    def open(self, name: str, *args: Any, **query: Any) -> Page:
        """A page by its name in the console."""
        answer = self.client.get(reverse(f"admin:{name}", args=args), query)
        assert answer.status_code == 200, answer.content
        return Page(answer.content.decode())

    def decide(self, verb: str, row: Any, **said: Any) -> Page:
        """Fills in the form of a verb and sends it; the page that follows, or the form again."""
        address = reverse("admin:books_decision_decide", args=[verb, row.pk])
        return Page(self.client.post(address, said, follow=True).content.decode())

    def answer(self, decision_id: Any, answer: str, **said: Any) -> Page:
        """Answers a request of somebody else, or withdraws one."""
        address = reverse("admin:books_decision_answer", args=[decision_id, answer])
        return Page(self.client.post(address, said, follow=True).content.decode())
