"""Coming in, for the tests of the entrance: people with rights and factors, and browsers of theirs."""

from typing import Any
from uuid import uuid4

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import Group, Permission, User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from backoffice.review.entrance.sessions import SEEN, SIGNED_IN
from tests.signing_in import PASSWORD

CONSOLE, AUTHENTICATE, SET_UP = reverse("admin:index"), reverse("mfa_authenticate"), reverse("mfa_index")
AGAIN = reverse("mfa_reauthenticate")
WRONG = "000000"


def a_person(*rights: str, group: str = "") -> User:
    """Somebody who may log in, with these rights."""
    person = User.objects.create_user(f"ruth-{uuid4().hex[:8]}", password=PASSWORD, is_staff=True)
    found = Permission.objects.filter(codename__in=rights)
    if group:
        made = Group.objects.create(name=group)
        made.permissions.set(found)
        person.groups.add(made)
    else:
        person.user_permissions.set(found)
    return User.objects.get(pk=person.pk)


def with_app(person: User) -> str:
    """Gives somebody an authenticator app; returns its secret."""
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    return secret


def by_password(person: User, **extra: Any) -> Client:
    """A browser in which somebody has typed their password."""
    client = Client(**extra)
    answer = client.post(reverse("admin:login"), {"username": person.username, "password": PASSWORD})
    assert answer.status_code == 302, "the password is right"
    return client


def is_open(client: Client) -> bool:
    return client.get(CONSOLE).status_code == 200


def show(client: Client, code: str, *, address: str = AUTHENTICATE, **more: str) -> HttpResponse:
    return client.post(address, {"code": code, **more})


def age(client: Client, seconds: float) -> None:
    """As if what this session knows had been some time ago."""
    session = client.session
    session[SEEN] -= seconds
    session[SIGNED_IN] -= seconds
    for record in session["account_authentication_methods"]:
        record["at"] -= seconds
    session.save()
