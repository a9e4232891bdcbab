"""Who is bound to a store finds nothing of another: tried for every kind of row and every address that there is."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import URLPattern, path, resolve, reverse
from pytest_django import DjangoDbBlocker

from backoffice.books.exports.models import ExportJob, ExportProfile
from backoffice.books.models import CacheFile, Decision
from backoffice.fleet.models import Store
from backoffice.review.admin.deciding.asking import ASKINGS
from backoffice.review.admin.deciding.views import ANSWERS
from backoffice.review.reach import OF_HEAD_OFFICE, OF_THE_COMPANY, my_stores
from backoffice.review.site import ConsoleSite
from backoffice.trail.models import TrailEntry
from tests.integration.console.crawling import Read, links_of, model_of, patterns, read
from tests.integration.console.pages import Page
from tests.integration.console.two_stores import Shop, a_shop, browser_of, every_right, keys_of, refer, somebody

# How long ago something was changes while we look.
SPAN = re.compile(r"\b\d+ (?:s|sec|min|h|minutes?|seconds?)\b|less than a minute|under a second|\d\d:\d\d(?::\d\d)?")


class Two(NamedTuple):
    """Two stores, and a reader with every right who is bound to ours.

    `before` and `after` are the plain addresses as they were read before and after there was another store; `own` are the
    addresses of our rows, each with its name and as it was read.
    """

    ours: Shop
    theirs: Shop
    bound: Client
    before: list[Read]
    after: list[Read]
    own: list[tuple[str, Read]]


@pytest.fixture(scope="module")
def two(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Two]:
    with django_db_blocker.unblock(), transaction.atomic():
        ours = a_shop("Zwirn", first=41001, price=4417)
        bound = browser_of(somebody("bound", ours.store, rights=every_right()))
        before = [read(bound, place) for place in plain_addresses()]
        theirs = a_shop("Quarzal", first=81001, price=7713)
        after = [read(bound, place) for place in plain_addresses()]
        refer(ours, theirs)
        own = [(name, read(bound, place)) for place, name in addresses_of(ours).items()]
        yield Two(ours, theirs, bound, before, after, own)
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def undone(two: Two) -> Iterator[None]:
    """What one test writes, the next does not see."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def converters(pattern: URLPattern) -> int:
    return max(len(pattern.pattern.converters), pattern.pattern.regex.groups)


def plain_addresses() -> list[str]:
    """Every address without a part that varies."""
    named = [pattern.name for _, pattern in patterns() if pattern.name and not converters(pattern)]
    return [address for name in named if (address := reverse(f"admin:{name}")) and "/logout/" not in address]


def _forms_of_verbs(shop: Shop) -> list[str]:
    asked = [(verb.value, key) for verb, asking in ASKINGS.items() for key in keys_of(asking.about, shop)]
    return [reverse("admin:books_decision_decide", args=list(each)) for each in asked]


def _answers(shop: Shop) -> list[str]:
    return [
        reverse("admin:books_decision_answer", args=[key, answer])
        for key in keys_of(Decision, shop)
        for answer in ANSWERS
    ]


def _files(shop: Shop) -> list[str]:
    kept = CacheFile.objects.filter(terminal__store=shop.store).values_list("pk", flat=True)
    return [reverse("admin:fleet_terminal_cache_file", args=[key]) for key in kept]


OF_VERBS: dict[str, Callable[[Shop], list[str]]] = {
    "fleet_terminal_cache_file": _files,
    "books_decision_decide": _forms_of_verbs,
    "books_decision_answer": _answers,
}


def addresses_of(shop: Shop) -> dict[str, str]:
    """Every address of rows of one store, each with its name."""
    found = {}
    for place, pattern in patterns():
        if not converters(pattern) or pattern.name == "app_list":
            continue
        if (
            pattern.name is None
        ):  # Django's way from `…/<key>/` to `…/<key>/change/`, and its answer to any other address
            assert place.endswith(("/<path:object_id>/", "(?P<url>.*)$")), f"{place} needs a name, so that it is tried"
            continue
        if pattern.name in OF_VERBS:
            found |= dict.fromkeys(OF_VERBS[pattern.name](shop), pattern.name)
            continue
        assert converters(pattern) == 1, f"{place}: teach this test how to make such an address"
        for key in keys_of(model_of(pattern.name), shop):
            found[reverse(f"admin:{pattern.name}", args=[key])] = pattern.name
    return found


def leaks(pages: Iterable[Read], shop: Shop) -> list[str]:
    """Pages that show something of a store, other than what the address itself asks for; and pages that failed."""
    wrong = []
    for page in pages:
        found = sorted(word for word in shop.words if word in page.html and word not in page.address)
        if found or page.status >= 500:
            wrong.append(f"{page.address}: {page.status} {page.error}, shows {found}")
    return wrong


def queries(shop: Shop, place: str) -> list[str]:
    """What an address may be asked for, of one store: a list, what its form and its search have; others, whatever there is."""
    values: dict[str, object] = {"store": shop.store.pk, "terminal": shop.till.terminal.pk, "shift": shop.till.shift_id}
    words = {"q": [81002, shop.sales[1]["order_id"], "Quarzal"], "object": ["Quarzal"], "person": ["Quarzal-manager"]}
    taken = getattr(getattr(resolve(place).func, "model_admin", None), "own_parameters", None)
    if taken is not None:
        chosen = [f"{name}={value}" for name, value in values.items() if name in taken]
        return chosen + [f"{name}={word}" for name in words for word in words[name] if name in {*taken, "q"}]
    days = "&".join(f"{name}={shop.day}" for name in ("day", "first", "last", "since", "at"))
    days += "&account=1000&figure=sale"
    searched = ["&".join(f"{name}={word}" for name in ("q", "s", "term", "object")) for word in (81002, "Quarzal")]
    of_store = f"store={shop.store.pk}"
    return [of_store, f"{days}&{of_store}", f"{days}&as=print", *(f"{each}&extended=1" for each in searched)]


def test_there_is_one_of_each_kind_in_both_stores(two: Two) -> None:
    everywhere = browser_of(User.objects.create_superuser("everywhere"))
    for model, page in admin.site._registry.items():
        if page.store_path in {OF_THE_COMPANY, OF_HEAD_OFFICE}:
            continue
        assert keys_of(model, two.ours), f"there is no {model.__name__} to look at: let two_stores make one"
        assert keys_of(model, two.theirs)
        shown = read(everywhere, reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")).html
        assert "Quarzal" in shown, f"nothing on the list of {model.__name__} says of which store it is"


def test_no_list_or_sum_changes_with_another_store(two: Two) -> None:
    def words_of(page: Read) -> str:
        return f"{page.address} {page.status} {SPAN.sub('…', Page(page.html).text)}"

    assert list(map(words_of, two.after)) == list(map(words_of, two.before))
    assert leaks(two.after, two.theirs) == []


def test_no_address_can_be_asked_for_another_store(two: Two) -> None:
    open_to_us = [page.address for page in two.after if page.status == 200]
    asked = [f"{place}?{query}" for place in open_to_us for query in queries(two.theirs, place)]
    assert leaks((read(two.bound, address) for address in asked), two.theirs) == []


def test_no_row_of_ours_shows_or_leads_to_another_store(two: Two) -> None:
    pages = [page for _, page in two.own]
    assert sum(page.status == 200 for page in pages) > 20
    assert leaks(pages, two.theirs) == []
    known = {page.address for page in [*pages, *two.after]}
    links = {link for page in [*pages, *two.after] for link in links_of(page)} - known
    followed = [read(two.bound, link) for link in sorted(links)]
    assert leaks(followed, two.theirs) == []
    assert [page.address for page in followed if page.status == 404] == []


def test_rows_of_another_store_are_not_there(two: Two) -> None:
    ours = {name: page.status for name, page in two.own}
    wrong = []
    for place, name in addresses_of(two.theirs).items():
        page = read(two.bound, place)
        if page.status not in {404, 404 if ours[name] in {200, 302} else ours[name]}:
            wrong.append(f"{name}: {page.status}, and of our own {ours[name]}")
    assert wrong == []


def test_nothing_is_done_in_another_store(two: Two) -> None:
    """Every address is sent a form about the other store, and every action its rows: nothing is noted of that store."""
    store = two.theirs.store.pk
    marks = [
        TrailEntry.objects.filter(store_id=store),
        Decision.objects.filter(store=store),
        ExportJob.objects.filter(store=store),
    ]
    before = [list(each.order_by("pk").values_list("pk", flat=True)) for each in marks]
    sent = {"store": store, "profile": ExportProfile.objects.values_list("pk", flat=True)[0], "name": "Ours now"}
    sent |= {
        "first": two.theirs.day,
        "last": two.theirs.day,
        "person": two.theirs.manager.pk,
        "note": "x",
        "reason": "other",
    }
    theirs = addresses_of(two.theirs)
    # A report that is posted is a PDF, which costs a second, of what its page shows; a password is the reader's own.
    others = [page.address for page in two.after if not re.search("/(password_change|reports)/", page.address)]
    for place in [*theirs, *others]:
        answer = two.bound.post(place, sent)
        assert answer.status_code < 500, place
        assert place not in theirs or answer.status_code in {403, 404, 405}, (place, answer.status_code)
    for model, page in admin.site._registry.items():
        request = RequestFactory().get("/")
        request.user = User.objects.get(username="bound")
        for action in page.get_actions(request):
            keys = keys_of(model, two.theirs)
            chosen = {"action": action, "_selected_action": keys, "select_across": "1", "index": "0"}
            place = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            assert leaks([Read(place, 200, two.bound.post(place, chosen).content.decode(), "")], two.theirs) == []
    assert [list(each.order_by("pk").values_list("pk", flat=True)) for each in marks] == before


def forgetful_view(request: HttpRequest) -> HttpResponse:
    """What somebody might write who has not read docs/people.md."""
    return HttpResponse(", ".join(Store.objects.values_list("name", flat=True)))


def test_a_view_that_forgets_the_readers_stores_is_found(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    own = ConsoleSite.get_urls
    more = [path("forgetful/", admin.site.admin_view(forgetful_view), name="forgetful")]
    monkeypatch.setattr(ConsoleSite, "get_urls", lambda site: [*more, *own(site)])
    with override_settings(ROOT_URLCONF=type("Urls", (), {"urlpatterns": [path("console/", admin.site.urls)]})):
        assert reverse("admin:forgetful") in plain_addresses()
        found = leaks([read(two.bound, reverse("admin:forgetful"))], two.theirs)
    assert found == ["/console/forgetful/: 200 , shows ['Quarzal']"]


def test_a_page_that_does_not_say_how_its_rows_are_narrowed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert admin.site.check(None) == []
    monkeypatch.setattr(type(admin.site._registry[Store]), "store_path", None)
    assert [error.id for error in admin.site.check(None)] == ["console.E001"]
    request = RequestFactory().get("/")
    request.user = User.objects.create_superuser("root")
    assert not my_stores(request).exists(), "nor does it show any"
