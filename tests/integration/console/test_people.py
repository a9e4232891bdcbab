"""Who gives roles and stores to whom: in the console, in plain words, and never more than they have."""

import re
from html import unescape
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from backoffice.books.access import AccessChange, NotGiven, change_access
from backoffice.books.people import EVERYWHERE, NOWHERE, Reach, reach_of
from backoffice.books.roles import ADMINISTRATORS, AUDITORS, REVIEWERS, STORE_MANAGERS, give_rights
from backoffice.fleet.models import Store
from backoffice.trail.models import TrailEntry
from tests.integration.console.pages import Page
from tests.integration.console.two_stores import browser_of, somebody
from tests.till import a_store
from tests.unit.docs.documents import CHECKOUT, rows

pytestmark = pytest.mark.django_db

PEOPLE = ("view_user", "change_user", "add_user")


def role(name: str) -> Group:
    return Group.objects.get(name=name)


def fresh(person: User) -> User:
    return User.objects.get(pk=person.pk)


def may(person: User, *names: str) -> bool:
    return fresh(person).has_perms(names)


@pytest.fixture
def adam(db: None) -> User:
    return somebody("adam", groups=[role(ADMINISTRATORS)])


@pytest.fixture
def shop(db: None) -> Store:
    return a_store(name="Bastille")


def a_manager_of_people(*stores: Store, rights: tuple[str, ...] = ()) -> User:
    """Somebody who changes people, and does not administer them."""
    return somebody("mona", *stores, rights=Permission.objects.filter(codename__in=[*PEOPLE, *rights]))


def filled(page: HttpResponse) -> dict[str, list[str]]:
    """A form as a browser would send it back."""
    sent: dict[str, list[str]] = {}
    html = page.content.decode()
    for field in re.findall(r"<input [^>]*>", html[html.index("c-access") :]):
        said = {name: unescape(value) for name, value in re.findall(r'(\w+)="([^"]*)"', field)}
        if said.get("type") in {"checkbox", "radio"} and " checked" not in field:
            continue
        sent.setdefault(said.get("name", ""), []).append(said.get("value", "on"))
    return sent


def changed(browser: Client, person: User, **wanted: Any) -> HttpResponse:
    """Fills the form about a person anew, and saves it."""
    place = reverse("admin:auth_user_access", args=[person.pk])
    sent = filled(browser.get(place)) | {f"access-{name}": value for name, value in wanted.items()}
    return browser.post(place, {name: value for name, value in sent.items() if value != []})


def test_an_administrator_gives_a_role_and_stores_and_the_trail_says_why(adam: User, shop: Store) -> None:
    person = somebody("stella")
    wanted = {"roles": [role(STORE_MANAGERS).pk], "works": "named", "stores": [shop.pk], "why": "New in the shop"}
    answer = changed(browser_of(adam), person, **wanted)
    assert answer.status_code == 302, Page(answer.content.decode()).text
    assert reach_of(fresh(person)) == Reach(frozenset({shop.pk}))
    assert may(person, "books.decide_safe")
    assert not may(person, "books.decide_held")
    noted = TrailEntry.objects.filter(about="user", object_id=str(person.pk), person="adam").order_by("id")
    assert [(each.what, each.reason) for each in noted] == [
        (what, "New in the shop") for what in ("given", "bound", "given")
    ]
    text = Page(browser_of(adam).get(answer["Location"]).content.decode()).text
    assert "Works in Bastille" in text
    assert "Roles Store managers" in text


def test_what_is_taken_is_gone_with_the_next_request(adam: User, shop: Store) -> None:
    other = a_store(name="Montreuil")
    person = somebody("stella", shop, other, groups=[role(STORE_MANAGERS)])
    browser = browser_of(person)
    place = reverse("admin:fleet_store_change", args=[other.pk])
    assert browser.get(place).status_code == 200
    changed(browser_of(adam), person, stores=[shop.pk])
    assert browser.get(place).status_code == 404
    changed(browser_of(adam), person, roles=[])
    assert browser.get(reverse("admin:fleet_store_changelist")).status_code == 403
    changed(browser_of(adam), person, may_log_in=[])
    assert browser.get(reverse("admin:index")).status_code == 302


def test_who_lost_their_last_store_sees_none_and_not_all(adam: User, shop: Store) -> None:
    person = somebody("stella", shop, groups=[role(AUDITORS)])
    changed(browser_of(adam), person, stores=[])
    assert reach_of(fresh(person)) == NOWHERE
    assert "No store has been given to you yet" in browser_of(person).get(reverse("admin:index")).content.decode()
    changed(browser_of(adam), person, works="everywhere")
    assert reach_of(fresh(person)) == EVERYWHERE


def test_a_store_manager_without_any_store_sees_none(shop: Store) -> None:
    assert reach_of(somebody("stella", groups=[role(STORE_MANAGERS)])) == NOWHERE
    assert reach_of(somebody("olga", groups=[role(STORE_MANAGERS), role(REVIEWERS)])) == NOWHERE
    assert reach_of(User.objects.create_superuser("root")) == EVERYWHERE


def test_two_who_work_on_one_person_do_not_undo_each_other(adam: User, shop: Store) -> None:
    person = somebody("stella", groups=[role(AUDITORS)])
    place = reverse("admin:auth_user_access", args=[person.pk])
    browser = browser_of(adam)
    shown = filled(browser.get(place))
    person.groups.add(role(REVIEWERS))
    browser.post(place, shown | {"access-roles": []} | {"access-works": ["named"], "access-stores": [shop.pk]})
    assert set(person.groups.values_list("name", flat=True)) == {REVIEWERS}
    assert reach_of(fresh(person)) == Reach(frozenset({shop.pk}))


def test_several_people_are_given_a_role_and_a_store_at_once(adam: User, shop: Store) -> None:
    other = a_store(name="Montreuil")
    people = [somebody("stella", other), somebody("sam", groups=[role(AUDITORS)])]
    browser = browser_of(adam)
    chosen = {"action": "change_several", "_selected_action": [person.pk for person in people]}
    page = browser.post(reverse("admin:auth_user_changelist"), chosen)
    sent = filled(page)
    assert sent["person"] == [str(person.pk) for person in sorted(people, key=lambda person: person.username)]
    answer = browser.post(
        reverse("admin:auth_user_access_of_several"),
        sent | {"access-give_roles": [role(STORE_MANAGERS).pk], "access-give_stores": [shop.pk]},
    )
    assert answer.status_code == 302, Page(answer.content.decode()).text
    assert [reach_of(fresh(person)).store_ids for person in people] == [{shop.pk, other.pk}, {shop.pk}]
    assert set(people[1].groups.values_list("name", flat=True)) == {AUDITORS, STORE_MANAGERS}


def test_who_has_every_store_loses_none_by_being_given_one(adam: User, shop: Store) -> None:
    person = somebody("sam", groups=[role(AUDITORS)])
    change_access([person.pk], AccessChange(give_stores=frozenset({shop.pk})), by=adam)
    assert reach_of(fresh(person)) == EVERYWHERE


def test_of_several_all_are_changed_or_none(adam: User, shop: Store) -> None:
    root, person = User.objects.create_superuser("root"), somebody("stella")
    with pytest.raises(NotGiven, match="may do everything"):
        change_access([person.pk, root.pk], AccessChange(give_roles=frozenset({role(AUDITORS).pk})), by=adam)
    assert not person.groups.exists()


class TestNobodyGivesMoreThanTheyHave:
    """Whoever changes people, and does not administer them."""

    def test_roles_with_other_rights_are_not_offered_and_not_taken(self, shop: Store) -> None:
        person = somebody("stella")
        mona = a_manager_of_people()
        browser = browser_of(mona)
        assert "Administrators" not in browser.get(reverse("admin:auth_user_access", args=[person.pk])).content.decode()
        for somebody_of in (person, mona):
            answer = changed(browser, somebody_of, roles=[role(ADMINISTRATORS).pk])
            assert answer.status_code == 200
            assert "not one of the available choices" in Page(answer.content.decode()).text
            change = AccessChange(give_roles=frozenset({role(ADMINISTRATORS).pk}))
            with pytest.raises(NotGiven, match="rights that you have not"):
                change_access([somebody_of.pk], change, by=fresh(mona))
            assert not somebody_of.groups.exists()

    def test_nor_are_they_given_to_somebody_who_may_not_log_in_just_now(self) -> None:
        person = User.objects.create_user("stella", is_staff=True, is_active=False)
        mona = a_manager_of_people()
        change = AccessChange(give_roles=frozenset({role(ADMINISTRATORS).pk}))
        with pytest.raises(NotGiven, match="rights that you have not"):
            change_access([person.pk], change, by=mona)

    def test_what_they_have_themselves_they_give(self, shop: Store) -> None:
        rights = [right.codename for right in role(AUDITORS).permissions.all()]
        person = somebody("stella")
        assert changed(browser_of(a_manager_of_people(rights=tuple(rights))), person, roles=[role(AUDITORS).pk])
        assert set(person.groups.values_list("name", flat=True)) == {AUDITORS}

    def test_who_has_more_is_not_changed_by_them(self, adam: User) -> None:
        answer = changed(browser_of(a_manager_of_people()), adam, may_log_in=[])
        assert "rights that you have not" in Page(answer.content.decode()).text
        assert fresh(adam).is_active

    def test_stores_that_are_not_theirs_are_neither_shown_nor_given_nor_taken(self, shop: Store) -> None:
        other = a_store(name="Montreuil")
        person = somebody("stella", shop, other)
        mona = a_manager_of_people(shop)
        browser = browser_of(mona)
        for place in ("auth_user_change", "auth_user_access"):
            html = browser.get(reverse(f"admin:{place}", args=[person.pk])).content.decode()
            assert "Bastille" in html
            assert "Montreuil" not in html
        assert "Montreuil" not in browser.get(reverse("admin:auth_user_changelist")).content.decode()
        for wanted in ({"stores": []}, {"works": "everywhere"}, {"stores": [shop.pk, other.pk]}):
            assert changed(browser, person, **wanted).status_code == 200
        for change in (AccessChange(everywhere=True), AccessChange(give_stores=frozenset({other.pk}))):
            with pytest.raises(NotGiven, match="stores that are not yours"):
                change_access([mona.pk], change, by=fresh(mona))
        assert reach_of(fresh(person)).store_ids == {shop.pk, other.pk}

    def test_somebody_they_add_works_where_they_do(self, shop: Store) -> None:
        browser = browser_of(a_manager_of_people(shop))
        new = {"username": "nina", "password1": "correct horse battery", "password2": "correct horse battery"}
        answer = browser.post(reverse("admin:auth_user_add"), new)
        nina = User.objects.get(username="nina")
        assert answer["Location"] == reverse("admin:auth_user_access", args=[nina.pk])
        assert reach_of(nina).store_ids == {shop.pk}
        assert Client().login(username="nina", password="correct horse battery")


def test_nobody_shuts_themselves_out(adam: User) -> None:
    for wanted in ({"may_log_in": []}, {"roles": []}):
        answer = changed(browser_of(adam), adam, **wanted)
        assert "Nobody shuts themselves out" in Page(answer.content.decode()).text
    assert fresh(adam).is_active
    assert may(adam, "books.administer_people")


def test_an_administrator_has_every_store_and_a_store_manager_has_named_ones(adam: User, shop: Store) -> None:
    person = somebody("stella", shop)
    answer = changed(browser_of(adam), person, roles=[role(ADMINISTRATORS).pk])
    assert "administers people, and so has every store" in Page(answer.content.decode()).text
    answer = changed(browser_of(adam), person, roles=[role(STORE_MANAGERS).pk], works="everywhere")
    assert "name these stores" in Page(answer.content.decode()).text


def test_who_may_only_look_changes_nobody(adam: User) -> None:
    browser = browser_of(somebody("otto", groups=[role(AUDITORS)]))
    page = reverse("admin:auth_user_change", args=[adam.pk])
    assert "Change roles" not in browser.get(page).content.decode()
    assert browser.get(reverse("admin:auth_user_access", args=[adam.pk])).status_code == 403
    assert browser.post(reverse("admin:auth_user_access_of_several"), {"person": [adam.pk]}).status_code == 403
    assert browser.get(reverse("admin:auth_user_add")).status_code == 403


# What each row of the table of roles in docs/people.md stands for.
ROWS = {
    "see stores, terminals, uploads": {"view_store", "view_terminal", "view_batch"},
    "see orders, shifts, what is held": {"view_order", "view_shift", "view_helditem"},
    "see decisions": {"view_decision"},
    "see journal, accounts, reports, exports": {"view_journalentry", "view_account", "view_exportjob"},
    "read what tills sent, as it is stored ([asked again](signing-in.md#asked-again), and noted)": {"view_original"},
    "see the audit trail": {"view_trailentry"},
    "see people": {"view_user"},
    "decide about what is held, orders, shifts, periods": {
        f"decide_{of}" for of in ("held", "order", "shift", "period")
    },
    "explain and enter numbers, count the safe, bank": {"decide_numbers", "decide_safe"},
    "write notes": {"add_note"},
    "share saved views of lists": {"share_savedview"},
    "run and download exports": {"run_export"},
    "change settings of stores and terminals, issue activation codes": {
        *("add_store", "change_store", "add_terminal", "change_terminal")
    },
    "take in the cache of a terminal that died": {"decide_terminal"},
    "name accounts": {"change_account"},
    "see alerts": {"view_alert"},
    "see alert rules and quiet hours": {"view_alertrule", "view_quiethours"},
    "see who is mailed, and webhooks": {"view_alertrecipient", "view_webhookendpoint", "view_webhookdelivery"},
    "snooze alerts": {"snooze_alert"},
    "set alert rules and quiet hours": {
        f"{verb}_{kind}" for verb in ("add", "change", "delete") for kind in ("alertrule", "quiethours")
    },
    "say who is mailed, set up webhooks": {
        *(f"{verb}_alertrecipient" for verb in ("add", "change", "delete")),
        *("add_webhookendpoint", "change_webhookendpoint"),
    },
    "give roles and stores": {"administer_people", "add_user", "change_user"},
}


def test_the_table_of_roles_is_what_the_roles_have() -> None:
    lines = list(rows((CHECKOUT / "docs" / "people.md").read_text()))
    names, table = lines[0][1:], [line for line in lines[1:] if line[0] in ROWS]
    assert len(table) == len(ROWS)
    for place, name in enumerate(names, start=1):
        said = {right for line in table if line[place] != "–" for right in ROWS[line[0]]}
        bound = {"own_stores_only"} if name == STORE_MANAGERS else set()
        assert set(role(name).permissions.values_list("codename", flat=True)) == said | bound, name
        assert {line[place] for line in table} - {"–"} == ({"their own"} if bound else {"yes"})


def test_roles_are_given_their_rights_before_django_makes_these_and_taken_again() -> None:
    """As in a migration: groups that are there keep what they had, whether or not the rights' rows are there."""
    Permission.objects.filter(codename="view_batch").delete()
    group = role(AUDITORS)
    group.permissions.set(Permission.objects.filter(codename="delete_order"))
    operation = give_rights({AUDITORS: ["inbox.view_batch", "books.decide_held"], "Tellers": ["sales.view_shift"]})
    with connection.schema_editor() as editor:
        operation.code(apps, editor)
        operation.code(apps, editor)
        names = set(group.permissions.values_list("codename", flat=True))
        assert names == {"delete_order", "view_batch", "decide_held"}
        assert Permission.objects.get(codename="view_batch").name == "Can view batch"
        operation.reverse_code(apps, editor)
    assert set(group.permissions.values_list("codename", flat=True)) == {"delete_order"}
    assert not role("Tellers").permissions.exists()
