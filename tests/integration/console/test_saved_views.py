"""Saved views: the filters of a list under a name, above that list."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.review.models import SavedView
from backoffice.review.saved_views import MOST_OF_A_PERSON, MOST_SHARED
from backoffice.trail.models import TrailEntry
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


def keep(person: User, *names: str, **facts: Any) -> None:
    now = timezone.now()
    views = [SavedView(person=person, kind="shift", name=name, made_at=now, **facts) for name in names]
    SavedView.objects.bulk_create(views)


def test_no_more_are_shared_than_are_shown_and_ones_own_are_always_there() -> None:
    chief, deputy, ann = (
        somebody(name, rights=rights("view_shift", "share_savedview")) for name in ("chief", "deputy", "ann")
    )
    for person in (chief, deputy):
        names = [f"A {number:02}" for number in range(MOST_SHARED // 2)]
        keep(person, *names, query="state=open", is_shared=True)
    keep(ann, *(f"Z {number:02}" for number in range(MOST_OF_A_PERSON)), query="state=closing")
    client = browser_of(ann)
    assert {name for name, _ in tabs(client)} >= {f"Z {number:02}" for number in range(MOST_OF_A_PERSON)}
    assert "as many views of this list are shared as there can be" in saved(client, "Z 00", "x=1", is_shared="on").text
    again = saved(browser_of(chief), "A 00", "state=closing", is_shared="on")
    assert "It was not saved" not in again.text, "it takes the place of one"
    assert SavedView.objects.filter(is_shared=True).count() == MOST_SHARED


def test_who_may_share_removes_what_others_share_with_them_and_of_who_left_nothing_is_shared() -> None:
    here, there = a_store(), a_store()
    chief = somebody("chief", rights=rights("view_shift", "share_savedview"))
    manager = browser_of(somebody("zoe", here, rights=rights("view_shift", "share_savedview")))
    colleague = browser_of(somebody("bob", rights=rights("view_shift")))
    for name, store in (("Here", here), ("There", there)):
        keep(chief, name, query=f"store={store.pk}", store=store, is_shared=True)
    keep(chief, "Hers", query="state=open")
    for client, left in ((colleague, 3), (manager, 2)):
        for key in SavedView.objects.values_list("pk", flat=True):
            client.post(reverse(VIEWS), {"remove": key})
        assert SavedView.objects.count() == left
    assert set(SavedView.objects.values_list("name", flat=True)) == {"There", "Hers"}

    assert [name for name, _ in tabs(colleague)] == ["There chief"]
    User.objects.filter(pk=chief.pk).update(is_active=False)
    assert tabs(colleague) == []


def test_who_may_share_is_offered_to_remove_anothers() -> None:
    chief = somebody("chief", rights=rights("view_shift", "share_savedview"))
    keep(chief, "Open", query="state=open", is_shared=True)
    for name, more, offered in (("bob", (), False), ("zoe", ("share_savedview",), True)):
        client = browser_of(somebody(name, rights=rights("view_shift", *more)))
        page = Page(client.get(reverse(SHIFTS), {"state": "open"}).content.decode())
        assert ("Remove this view" in page.text) == offered


def test_what_is_saved_shared_and_removed_is_noted_as_whoever_did_it() -> None:
    client = browser_of(somebody("chief", rights=rights("view_shift", "share_savedview")))
    saved(client, "Open", "state=open")
    saved(client, "Open", "state=open", is_shared="on")
    client.post(reverse(VIEWS), {"remove": SavedView.objects.get().pk})
    noted = TrailEntry.objects.filter(about="saved view").order_by("id")
    assert [(entry.what, entry.object_name, entry.person) for entry in noted] == [
        (what, "Open", "chief") for what in ("added", "changed", "removed")
    ]
    assert noted[1].after == {"is_shared": True}
