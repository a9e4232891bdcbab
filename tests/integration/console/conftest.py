"""A console to read: a person of head office, logged in."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.integration.console.pages import Page

Open = Callable[..., Page]


@pytest.fixture
def head_office(db: None) -> Client:
    """The browser of somebody who may see everything."""
    client = Client()
    client.force_login(User.objects.create_superuser("claire"))
    return client


@pytest.fixture
def page(head_office: Client) -> Open:
    """Opens a page by its name in the console, and reads it."""

    def read(name: str, *args: Any, **query: Any) -> Page:
        answer: HttpResponse = head_office.get(reverse(f"admin:{name}", args=args), query)
        assert answer.status_code == 200, answer.content
        return Page(answer.content.decode())

    return read
