"""A console to read: a person of head office, logged in."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as running
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from backoffice.buckets import Buckets
from backoffice.metrics import tries_unmetered
from backoffice.review import login
from tests.integration.console.pages import Page
from tests.signing_in import sign_in

Open = Callable[..., Page]


@pytest.fixture
def head_office(db: None) -> Client:
    """The browser of somebody who may see everything."""
    client = Client()
    sign_in(client, User.objects.create_superuser("claire"))
    return client


@pytest.fixture
def page(head_office: Client) -> Open:
    """Opens a page by its name in the console, and reads it."""

    def read(name: str, *args: Any, **query: Any) -> Page:
        answer: HttpResponse = head_office.get(reverse(f"admin:{name}", args=args), query)
        assert answer.status_code == 200, answer.content
        return Page(answer.content.decode())

    return read


@pytest.fixture
def quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing takes as long as it should in production; and no other test has emptied the buckets."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    fresh = Buckets(running.REDIS_URL, prefix=f"test:{uuid4()}", unmetered=tries_unmetered)
    monkeypatch.setattr(login, "buckets", fresh)


@pytest.fixture
def committing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows a commit follows at once: the transaction of a test is never committed."""
    monkeypatch.setattr(transaction, "on_commit", lambda follow, **_: follow())
