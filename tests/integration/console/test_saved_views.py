"""Saved views: the filters of a list under a name, above that list."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from backoffice.review.models import SavedView
from tests.integration.console.pages import Page
from tests.integration.console.two_stores import browser_of, somebody
from tests.till import Till, a_store

pytestmark = pytest.mark.django_db
SHIFTS, VIEWS = "admin:sales_shift_changelist", "admin:sales_shift_views"


def rights(*names: str) -> list[Permission]:
    return list(Permission.objects.filter(codename__in=names))


def saved(client: Client, name: str, query: str, **more: Any) -> Page:
    """What the list says once a view was sent."""
    answer = client.post(reverse(VIEWS), {"name": name, "query": query, **more}, follow=True)
    assert answer.status_code == 200
    return Page(answer.content.decode())


def tabs(client: Client, **query: Any) -> list[tuple[str, str]]:
    """The tabs above the list of shifts, each with where it leads."""
    html = client.get(reverse(SHIFTS), query).content.decode()
    (strip,) = [part.partition("</nav>")[0] for part in html.split('aria-label="Saved views"')[1:]] or [""]
    links = [link.partition("</a>") for link in strip.split("<a ")[1:]]
    return [(Page(f"<a {link}").text, link.partition('href="')[2].partition('"')[0]) for link, _, _ in links]


def test_a_person_keeps_filters_under_a_name_opens_and_removes_them() -> None:
    till = Till(a_store())
    client, other = (browser_of(somebody(name, rights=rights("view_shift", "view_store"))) for name in ("ann", "bob"))
    page = saved(client, "Open <b>ones</b>", f"?store={till.store.pk}&state=open&after=5&x=1".lstrip("?"))
    assert "<bdi>Open &lt;b&gt;ones&lt;/b&gt;</bdi>" in page.html, "a name is text"
    assert "Remove this view" in page.text, "it leads to what was saved"
    assert tabs(client) == [("Open <b>ones</b>", f"?state=open&amp;store={till.store.pk}")]
    assert "Remove this view" not in Page(client.get(reverse(SHIFTS)).content.decode()).text
    assert tabs(other) == [], "it is one's own"
    assert "Save this view" in Page(client.get(reverse(SHIFTS), {"state": "closing"}).content.decode()).text

    key = SavedView.objects.get().pk
    other.post(reverse(VIEWS), {"remove": key})
    assert len(tabs(client)) == 1, "nobody removes another's"
    client.post(reverse(VIEWS), {"remove": key})
    assert tabs(client) == []


def test_the_same_name_again_takes_the_place_of_the_first() -> None:
    client = browser_of(somebody("ann", rights=rights("view_shift")))
    saved(client, "Mine", "state=open")
    saved(client, "Mine", "state=closing")
    assert tabs(client) == [("Mine", "?state=closing")]


def test_who_has_the_right_shares_a_view_with_everybody_who_may_see_its_store() -> None:
    here, there = a_store(name="Zwirn"), a_store(name="Quarzal")
    chief = browser_of(somebody("chief", rights=rights("view_shift", "share_savedview")))
    colleague = browser_of(somebody("bob", rights=rights("view_shift")))
    bound = browser_of(somebody("zoe", here, rights=rights("view_shift")))
    for name, query in (("Here", f"store={here.pk}"), ("There", f"store={there.pk}"), ("Open", "state=open")):
        saved(chief, name, query, is_shared="on")
    assert [name for name, _ in tabs(colleague)] == ["Here chief", "Open chief", "There chief"]
    assert [name for name, _ in tabs(bound)] == ["Here chief"], "of other stores, not even the name"
    saved(colleague, "Not shared", "state=open", is_shared="on")
    assert "Not shared" not in str(tabs(chief)), "that takes a right"


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("", "state=open"),
        ("x" * 61, "state=open"),
        ("a\0b", "state=open"),
        ("4111 1111 1111 1111", "state=open"),
        ("Mine", "state=4111+1111+1111+1111"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(name: str, query: str) -> None:
    client = browser_of(somebody("ann", rights=rights("view_shift")))
    assert "It was not saved" in saved(client, name, query).html
    assert not SavedView.objects.exists()


def test_nobody_saves_a_view_of_what_they_may_not_see() -> None:
    client = browser_of(somebody("ann", rights=rights("view_order")))
    assert client.post(reverse(VIEWS), {"name": "x", "query": "state=open"}).status_code == 403
    assert client.get(reverse(VIEWS)).status_code == 405
