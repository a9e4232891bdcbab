"""Each right opens its own pages and no others: tried for every right that there is, at every address that there is."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from backoffice.books.roles import ROLES, STORE_MANAGERS
from backoffice.fleet.models import Store
from backoffice.review.reach import OF_HEAD_OFFICE, OF_THE_COMPANY
from tests.integration.console.crawling import crawl, model_of, patterns, read
from tests.integration.console.pages import Page
from tests.integration.console.two_stores import bind, browser_of
from tests.signing_in import sign_in
from tests.till import Till, a_movement, a_sale, a_store

pytestmark = pytest.mark.django_db

KINDS = [model._meta for model in admin.site._registry]
VERBS = ("view", "change", "add", "delete")
ONE_RIGHT = [f"{verb}_{kind.model_name}" for kind in KINDS for verb in VERBS]
EDITABLE = {"store", "terminal", "account"}
# What can be added, and removed, besides being changed.
ADDED = {"alertrule", "quiethours", "alertrecipient", "webhookendpoint"}
REMOVED = ADDED - {"webhookendpoint"}
# Buttons of a row's page, which only take POST, by the right to press them.
BUTTONS = {
    "alerts_alert_snooze": "snooze_alert",
    "alerts_webhookdelivery_replay": "change_webhookdelivery",
    "alerts_webhookendpoint_test": "change_webhookendpoint",
    "alerts_webhookendpoint_secret": "change_webhookendpoint",
    "alerts_webhookendpoint_on": "change_webhookendpoint",
    "alerts_webhookendpoint_off": "change_webhookendpoint",
}
# Open to whoever may log in: they show nothing of any row.
OPEN = {"index", "search", "login", "password_change", "password_change_done", "jsi18n", "logout"}
# Whoever may log in may send a form there, and nobody finds a page.
SENT_TO = {"language", "sales_store_days_note"}
# As well, each of a list or of a row of it.
FORMS_OF_A_LIST, FORMS_OF_A_ROW = "_views", "_note"
# What no page of the console offers, whatever one's rights.
CLOSED = {"autocomplete"}
# Where the address says one kind, and what is shown is another's.
OF_ANOTHER_KIND = {
    "ledger_trial_balance": "journalentry",
    "ledger_account_days": "journalentry",
    "report_sales": "order",
    "report_weekdays": "order",
    "report_tax": "order",
    "report_over_short": "shift",
    "report_over_short_weekdays": "shift",
    "report_cashier": "shift",
    "report_no_receipt": "order",
    "report_risk": "order",
    "report_cash": "journalentry",
    "report_offline": "order",
    "report_orders": "order",
    "sales_store_days": "shift",
    "sales_store_days_csv": "shift",
    "books_decision_waiting": "decision",
}
# What only a right to decide opens, and no right to see or to change a row.
BY_DECIDING: dict[str, list[Any]] = {
    "books_decision_decide": ["post", 1],
    "books_decision_answer": [uuid4(), "agree"],
    "sales_helditem_many": [],
    "sales_helditem_claim": [1],
    "sales_helditem_release": [1],
    "fleet_terminal_cache": [],
    "fleet_terminal_cache_file": [uuid4()],
}
# By which right, and how it is answered then: there is no such row, and some only take POST.
DECIDED_BY = {
    "books_decision_decide": ("decide_held", 404),
    "sales_helditem_many": ("decide_held", 200),
    "sales_helditem_claim": ("decide_held", 405),
    "sales_helditem_release": ("decide_held", 405),
    "fleet_terminal_cache": ("decide_terminal", 200),
    "fleet_terminal_cache_file": ("decide_terminal", 404),
}
# What one certain right is needed for, and how it then is answered; 405 is what a form presses.
BY_THEIR_OWN_RIGHT = {
    "exports_exportjob_ask": ("run_export", 405),
    "exports_exportjob_file": ("run_export", 405),
    "inbox_batch_stored": ("view_original", 200),
    "fleet_terminal_code": ("change_terminal", 405),
    "auth_user_add": ("add_user", 200),
    "auth_user_access": ("change_user", 200),
    "auth_user_access_of_several": ("change_user", 302),
    "auth_user_entrance": ("change_user", 200),
    "fleet_store_new": ("add_store", 200),
    "fleet_terminal_new": ("add_terminal", 200),
}
# What is of no row.
ALONE = {"exports_exportjob_ask", "auth_user_access_of_several", "fleet_store_new", "fleet_terminal_new"}
MONEY = ("€", "EUR", "573", "5.73")


@pytest.fixture
def till() -> Till:
    """One of each kind of row; whatever is sold is worth 5.73."""
    till = Till(a_store(name="Paris Bastille", code="PARBAS"), name="Till Nine")
    Store.objects.update(max_order_total=57300, min_refund_total=57300)
    till.open(cashier="Zebedee")
    worth = {"unit_price": 573, "quantity": "1", "amount": 573}
    lines = [a_sale(1)["lines"][0] | worth | {"taxes": []}]
    paid = [{"method": "cash", "amount": 573}]
    sales = [a_sale(1001 + place, lines=lines, total=573, payments=paid, cashier="Zebedee") for place in range(3)]
    till.sell(*sales, a_sale(1010, total=573), movements=[a_movement(573), a_movement(-573)])
    till.sell(sales[0] | {"cashier": "Florence"})
    till.close(*sales, counted=57300)
    till.open(number=312, first_number=2001)
    till.upload(a_sale(2001))
    return till


def somebody(*rights: str) -> Client:
    """The browser of staff who have these rights alone."""
    user = User.objects.create_user(f"with {' '.join(rights)[:100] or 'none'}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    assert user.user_permissions.count() == len(rights)
    client = Client(raise_request_exception=False)
    sign_in(client, user)
    return client


def keys(model: type[Model]) -> list[Any]:
    """Of two rows; of the store of this test where it has any, since others leave theirs behind."""
    rows = model._default_manager.order_by().values_list("pk", flat=True)
    path = admin.site._registry[model].store_path
    own = () if path in {OF_HEAD_OFFICE, OF_THE_COMPANY} else rows.filter(**{path: Store.objects.get(code="PARBAS").pk})
    return list(own[:2]) or list(rows[:2])


def addresses_named(name: str) -> list[str]:
    if name in BY_DECIDING:
        return [reverse(f"admin:{name}", args=BY_DECIDING[name])]
    if name in OPEN | CLOSED | SENT_TO | ALONE:
        return [reverse(f"admin:{name}")]
    if name.endswith(("_changelist", "_add", "_csv", FORMS_OF_A_LIST)) or name in OF_ANOTHER_KIND:
        return [reverse(f"admin:{name}")]
    return [reverse(f"admin:{name}", args=[key]) for key in keys(model_of(name))]


def expected(right: str, name: str) -> set[int]:  # noqa: PLR0911 - a table in words
    """How a GET of an address with this name is answered to somebody with one right."""
    verb, _, kind = right.partition("_")
    if name in OPEN:
        return {200, 302}
    if name in SENT_TO or name.endswith((FORMS_OF_A_LIST, FORMS_OF_A_ROW)):
        return {405}
    if name in CLOSED | set(BY_DECIDING):
        if name == "books_decision_answer":
            return {404}
        needed, status = DECIDED_BY.get(name, ("", 403))
        return {status} if right == needed else {403}
    if name in BY_THEIR_OWN_RIGHT:
        needed, status = BY_THEIR_OWN_RIGHT[name]
        return {status} if right == needed else {403}
    if name in BUTTONS:
        return {405} if right == BUTTONS[name] else {403}
    needed = OF_ANOTHER_KIND.get(name) or str(model_of(name)._meta.model_name)
    if kind == needed and name.endswith(f"_{kind}_{verb}") and kind in {"add": ADDED, "delete": REMOVED}.get(verb, ()):
        return {200}
    if kind != needed or verb not in {"view", "change"} or name.endswith(("_add", "_delete")):
        return {403}
    return {200}


def opens_nothing(right: str) -> bool:
    """Rights that Django makes for every kind of row, and no page asks for."""
    names = {pattern.name for _, pattern in patterns() if pattern.name and pattern.name not in {"logout", "app_list"}}
    return all(expected(right, name) == expected("", name) for name in names)


OPENING, OPENING_NOTHING = (
    [right for right in ONE_RIGHT if opens_nothing(right) == nothing] for nothing in (False, True)
)


@pytest.mark.parametrize("right", [*OPENING, "run_export", "view_original", "nothing"])
def test_one_right_opens_its_own_pages_and_no_others(till: Till, right: str) -> None:
    """Those that open nothing are tried together: what all of them do not open, none does."""
    client = somebody(*(OPENING_NOTHING if right == "nothing" else [right]))
    wrong = []
    for _, pattern in patterns():
        if pattern.name is None or pattern.name in {"logout", "app_list"}:
            continue
        answers, places = expected(right, pattern.name), addresses_named(pattern.name)
        # A door that is closed is closed by its name, whatever row it leads to.
        for address in places[:1] if answers == {403} else places:
            page = read(client, address)
            if page.status not in answers:
                wrong.append(f"{address}: {page.status} {page.error}")
    assert wrong == []
    # 405: the button that issues an activation code, which a form presses.
    pages = crawl(client, [reverse("admin:index")])
    closed = [f"{page.address}: {page.status}" for page in pages if page.status not in {200, 302, 405}]
    assert closed == [], "no page leads to a closed door"


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_what_its_rights_open(till: Till, role: str) -> None:
    """One page of each name: whatever one of its rights opens is open, and nothing else."""
    user = User.objects.create_user(role, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    if role == STORE_MANAGERS:
        bind(user, till.store)
    rights = Permission.objects.filter(group__name=role).values_list("codename", flat=True)
    client = browser_of(user)
    wrong = []
    for _, pattern in patterns():
        if pattern.name is None or pattern.name.endswith(("logout", "app_list", "_history", "_delete")):
            continue
        answers = {status for right in rights for status in expected(right, pattern.name)}
        for address in addresses_named(pattern.name)[:1]:
            page = read(client, address)
            if page.status not in (answers - {403} or {403}):
                wrong.append(f"{address}: {page.status}, not {answers} {page.error}")
    assert wrong == []


def test_who_is_not_logged_in_opens_nothing(till: Till) -> None:
    named = [pattern.name for _, pattern in patterns() if pattern.name not in {None, "logout", "app_list", "login"}]
    places = [place for name in named for place in addresses_named(str(name))[:1]]
    answers = [(place, Client().get(place)) for place in places]
    assert len(answers) > 60
    assert [
        place for place, answer in answers if not answer.headers.get("Location", "").startswith("/console/login/")
    ] == []


def texts(client: Client, *, follow: bool = True) -> dict[str, str]:
    pages = crawl(client, [reverse("admin:index")], follow=lambda _: follow)
    return {page.address: page.html for page in pages if page.status == 200}


@pytest.mark.parametrize("right", ["", "add_order", "delete_store"])
def test_who_may_see_nothing_sees_nothing(till: Till, right: str) -> None:
    client = somebody(*([right] if right else []))
    for address, html in texts(client).items():
        for word in (*MONEY, "Bastille", "PARBAS", "Till Nine", "Zebedee", "1001", "In sync", "told us everything"):
            assert word not in Page(html).text, (address, word)
    assert "There is nothing here that you may see" in client.get(reverse("admin:index")).content.decode()


# The right, what the dashboard shows with it, and what it does not.
PARTS = {
    "view_terminal": (["told us", "Needs attention"], [*MONEY, "Held orders", "Sold today", "Oldest upload"]),
    "view_order": (
        ["Sold today", "Paris Bastille"],
        ["told us", "until someone decides", "Oldest upload", "Needs attention"],
    ),
    "view_helditem": (["Held orders", "€"], ["told us", "Sold today", "Oldest upload", "Bastille"]),
    "view_shift": (["Shifts that do not add up"], [*MONEY, "told us", "Sold today", "Held orders", "Bastille"]),
    "view_batch": (["Oldest upload waiting"], [*MONEY, "told us", "Sold today", "Held orders", "Bastille"]),
    "view_store": (["nothing here that you may see"], [*MONEY, "told us", "Sold today", "Bastille"]),
    "view_account": (["nothing here that you may see"], [*MONEY, "told us", "Sold today", "Bastille"]),
    "view_journalentry": (["nothing here that you may see"], [*MONEY, "told us", "Sold today", "Bastille"]),
}


@pytest.mark.parametrize("right", PARTS)
def test_the_dashboard_shows_each_part_to_who_may_see_it(till: Till, right: str) -> None:
    shown, hidden = PARTS[right]
    text = Page(somebody(right).get(reverse("admin:index")).content.decode()).text
    assert [words for words in shown if words not in text] == []
    assert [words for words in hidden if words in text] == []


def test_the_menu_names_what_one_may_see(till: Till) -> None:
    html = somebody("view_shift").get(reverse("admin:index")).content.decode()
    for kind in KINDS:
        address = f'href="{reverse(f"admin:{kind.app_label}_{kind.model_name}_changelist")}"'
        assert (address in html) == (kind.model_name == "shift"), address


@pytest.mark.parametrize("right", ["view_terminal", "view_batch", "view_account"])
def test_pages_that_are_not_about_money_show_none(till: Till, right: str) -> None:
    for address, html in texts(somebody(right)).items():
        for word in ("€", "5.73"):
            assert word not in Page(html).text, (address, word)


def test_an_order_shows_its_journal_entry_to_who_may_read_the_journal(till: Till) -> None:
    order = reverse("admin:sales_order_change", args=keys(model_of("sales_order_change"))[:1])
    assert "Journal entry" not in somebody("view_order").get(order).content.decode()
    assert "Journal entry" in somebody("view_order", "view_journalentry").get(order).content.decode()


def test_a_search_finds_held_orders_for_who_may_see_them(till: Till) -> None:
    orders = reverse("admin:sales_order_changelist")
    assert "is held and not in the books" not in somebody("view_order").get(orders, {"q": "1010"}).content.decode()
    both = somebody("view_order", "view_helditem")
    assert "is held and not in the books" in both.get(orders, {"q": "1010"}).content.decode()


@pytest.mark.parametrize("extended", [{}, {"extended": "1"}])
def test_the_search_names_what_one_may_see(till: Till, extended: dict[str, str]) -> None:
    for term in ("sales", "order", "store", "e"):
        html = somebody().get(reverse("admin:search"), {"s": term, **extended}).content.decode()
        assert "/console/" not in html.replace(reverse("admin:search"), "")
        User.objects.all().delete()


def test_settings_are_shown_as_money_to_who_may_only_look(till: Till) -> None:
    store = reverse("admin:fleet_store_change", args=[till.store.pk])
    reader = somebody("view_store")
    assert "€573.00" in reader.get(store).content.decode()
    assert reader.post(store, {"name": "Mine"}).status_code == 403
    assert "Save" not in Page(reader.get(store).content.decode()).text
