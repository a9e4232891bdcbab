"""A store manager tries everything that is not theirs, in a browser: the menu, the palette, lists, addresses, downloads."""

from collections.abc import Iterator
from typing import NamedTuple
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from backoffice.books.roles import STORE_MANAGERS
from tests.browsing import CHROMIUM
from tests.conftest import RunningStack
from tests.journeys.http_till import HttpTill, a_store_code
from tests.journeys.insiders import ask_palette, desks, leave_palette, make_insider
from tests.till import a_sale

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="No Chromium is installed: apt-get install chromium")

LISTS = (
    "sales/order/",
    "sales/shift/",
    "sales/shift/days/",
    "sales/helditem/",
    "inbox/batch/",
    "fleet/terminal/",
    "fleet/store/",
    "ledger/journalentry/",
    "ledger/account/trial-balance/",
    "books/decision/",
    "exports/exportjob/",
    "reports/sales/",
    "reports/cash/",
)
CLOSED = ("auth/user/", "trail/trailentry/", "alerts/webhookendpoint/", "alerts/alertrule/", "fleet/store/new/")
MENU = ("Terminals", "Orders", "Shifts", "Store days", "Held orders", "Journal", "Exports", "Stores")
NOT_IN_MENU = ("Audit trail", "People", "Webhooks", "Recipients of mails", "Alert rules")
# Both stores are exported, and a drawer of each is counted again. Then every page of a row of each store.
BEGIN = """
from datetime import date
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from backoffice.books.deciding import Proposal, decide
from backoffice.books.exports.jobs import ask_export, run_waiting
from backoffice.books.exports.models import ExportProfile
from backoffice.books.exports.planning import StoreDays
from backoffice.books.people import Reach
from backoffice.domain.decisions import Verb
from backoffice.fleet.models import Store
from backoffice.review.reach import OF_HEAD_OFFICE, OF_THE_COMPANY
now, day, boss = timezone.now(), date(2026, 3, 1), User.objects.create_superuser({boss!r})
for code, shift in {shops!r}:
    store = Store.objects.get(code=code)
    counts = {{"counts": {{"cash": 20240}}}}
    decide(Proposal(verb=Verb.RECOUNT, subject=shift, person=boss, reason="miscounted", note="", arguments=counts), now=now)
    job = ask_export(ExportProfile.objects.get(name={profile!r}), StoreDays(store, day, day), person=boss, now=now)
    run_waiting(now=now)
    print(code, "key", store.pk)
    for model, page in admin.site._registry.items():
        if page.store_path not in (OF_THE_COMPANY, OF_HEAD_OFFICE):
            rows = page.of_reach(model._default_manager.order_by("-pk"), Reach(frozenset([store.pk])))
            for key in rows.values_list("pk", flat=True)[:1]:
                print(code, model._meta.model_name, reverse(f"admin:{{model._meta.app_label}}_{{model._meta.model_name}}_change", args=[key]))
"""


class Shop(NamedTuple):
    """A store with a shift: one order sold, one held. `first` is a number that no other store uses; `pages` by their kind."""

    code: str
    name: str
    first: int
    till: HttpTill
    order_id: str
    pages: dict[str, str]


class Visit(NamedTuple):
    """The manager of one store at her window; `url` is where it is all served."""

    page: Page
    url: str
    mine: Shop
    other: Shop

    def status(self, address: str) -> int:
        """How an address of the console that is typed in is answered, with nothing in it of the other store."""
        answer = self.page.goto(f"{self.url}{address}")
        assert answer is not None
        assert self.other.name not in self.page.content(), address
        return answer.status


@pytest.fixture(scope="module")
def visit(stack: RunningStack) -> Iterator[Visit]:
    tag = uuid4().hex[:6]
    shops = [_a_shop(stack, f"{name} {tag}", first) for name, first in (("Nantes", 61001), ("Reims", 62001))]
    stack.clerk.does("export_profile", f"p-{tag}", "--format", "gl-csv")
    facts = {"boss": f"boss-{tag}", "profile": f"p-{tag}"}
    shifts = [(shop.code, str(shop.till.shift_id)) for shop in shops]
    told = [line.split() for line in stack.clerk.does("shell", "-c", BEGIN.format(shops=shifts, **facts)).splitlines()]
    mine, other = (
        shop._replace(pages={words[1]: words[2] for words in told if words[:1] == [shop.code]}) for shop in shops
    )
    mona = make_insider(stack, f"mona-{tag}", role=STORE_MANAGERS, store_code=mine.code)
    with desks() as room:
        yield Visit(room.of(stack.base_url, mona), stack.base_url, mine, other)


def _a_shop(stack: RunningStack, name: str, first: int) -> Shop:
    till = HttpTill(stack, code := a_store_code(stack, name=name))
    till.open(first_number=first)
    sold, held = a_sale(first), a_sale(first + 1, total=999)
    till.processed(till.upload(sold, held).json()["batch_id"])
    till.close(sold, order_count=2, last_number=first + 1)
    till.settled()
    return Shop(code, name, first, till, sold["order_id"], {})


def test_the_menu_and_every_list_know_one_store(visit: Visit) -> None:
    menu = visit.page.locator("#nav-sidebar")
    for title in MENU:
        expect(menu.get_by_text(title, exact=True)).to_have_count(1)
    for title in NOT_IN_MENU:
        expect(menu.get_by_text(title, exact=True)).to_have_count(0)
    theirs = visit.other.pages["key"]
    for place in LISTS:
        assert visit.status(f"/console/{place}") == 200
        assert visit.status(f"/console/{place}?store={theirs}&day=2026-03-01") == 200, "what is no choice is ignored"
    expect(visit.page.locator("main")).to_contain_text(visit.mine.name)


def test_the_palette_and_the_search_find_nothing_of_another_store(visit: Visit) -> None:
    page = visit.page
    page.goto(f"{visit.url}/console/")
    found = page.locator("#command-results-list")
    ask_palette(page, str(visit.mine.first))
    expect(found).to_contain_text(visit.mine.name)
    leave_palette(page)
    other = visit.other
    for words in (
        str(other.first),
        other.order_id,
        other.code,
        f"{other.code} {other.first}",
        str(other.till.shift_id),
    ):
        with page.expect_response(lambda answer: "/search/" in answer.url):
            ask_palette(page, words)
        expect(found).to_contain_text("Nothing has this number, code, name or identifier.")
        leave_palette(page)
    visit.status(f"/console/sales/order/?q={other.order_id}")


def test_no_address_of_another_store_opens(visit: Visit) -> None:
    kinds = {"order", "shift", "helditem", "batch", "terminal", "store", "journalentry", "decision", "exportjob"}
    assert kinds <= set(visit.other.pages), "or less was tried"
    for kind, address in visit.other.pages.items():
        if kind in kinds:
            assert visit.status(visit.mine.pages[kind]) == 200, kind
        if kind != "key":
            assert visit.status(address) in {403, 404}, address
    shift = visit.other.till.shift_id
    assert visit.status(f"/console/books/decision/decide/explain/{shift}/") == 404
    assert visit.status(f"/console/books/decision/decide/approve/{visit.mine.till.shift_id}/") == 403
    for place in CLOSED:
        assert visit.status(f"/console/{place}") == 403, place
    # Whoever ends there finds the way back.
    visit.page.get_by_role("link", name="To the dashboard").click()
    expect(visit.page.get_by_role("heading", name="Dashboard")).to_be_visible()


def test_nothing_of_another_store_is_printed_or_downloaded(visit: Visit) -> None:
    assert visit.status(f"/console/sales/shift/{visit.mine.till.shift_id}/report/") == 200
    assert visit.status(f"/console/sales/shift/{visit.other.till.shift_id}/report/") == 404
    assert visit.status(visit.mine.pages["exportjob"]) == 200
    expect(visit.page.get_by_role("button", name="Download")).to_have_count(0)
    for shop in (visit.mine, visit.other):
        assert _pressed(visit.page, shop.pages["exportjob"].replace("/change/", "/file/")) == 403
        assert _pressed(visit.page, shop.pages["terminal"].replace("/change/", "/activation-code/")) in {403, 404}


def _pressed(page: Page, address: str) -> int:
    """How a button is answered that her pages do not show, pressed by a script of hers."""
    send = """async address => {
        const token = document.cookie.match(/csrftoken=([^;]+)/)?.[1] ?? document.querySelector("[name=csrfmiddlewaretoken]").value;
        const answer = await fetch(address, {method: "POST", headers: {"X-CSRFToken": token}, body: new URLSearchParams({name: "x"})});
        return answer.status;
    }"""
    return int(page.evaluate(send, address))
