"""The audit trail in the console: who did what?"""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from backoffice.fleet.models import Terminal
from backoffice.ledger.models import Account
from backoffice.review import login
from backoffice.review.admin.history import in_words
from backoffice.trail.models import TrailEntry
from tests.integration.console.conftest import Open
from tests.signing_in import sign_in
from tests.till import Till, a_store

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"


@pytest.fixture
def store() -> Any:
    return a_store(f"T{uuid4().hex[:8]}", name="Paris Bastille")


def test_a_setting_that_was_changed_is_told_in_words_on_the_stores_page_and_in_the_trail(
    head_office: Client, page: Open, store: Any
) -> None:
    address = reverse("admin:fleet_store_change", args=[store.pk])
    typed = {
        "name": "Paris Bastille",
        "prices_include_tax": "on",
        "max_order_total": "1250.50",
        "why": "Head office said so",
    }
    assert head_office.post(address, typed, REMOTE_ADDR="192.0.2.9").status_code == 302

    words = page("fleet_store_change", store.pk).text
    assert "claire 192.0.2.9, console" in words
    assert "Largest order: nothing → €1,250.50 Head office said so" in words
    row = page("trail_trailentry_changelist", about="store", object=store.code).rows[0]
    assert "Changed store Paris Bastille" in row.text
    assert "Largest order: nothing → €1,250.50" in row.text
    assert "Head office said so" in row.text


def test_years_of_retention_are_a_setting_and_stay_where_nothing_is_typed(head_office: Client, store: Any) -> None:
    address = reverse("admin:fleet_store_change", args=[store.pk])
    assert head_office.post(address, {"name": "Bastille", "retention_years": "12"}).status_code == 302
    assert head_office.post(address, {"name": "Bastille"}).status_code == 302
    store.refresh_from_db()
    assert store.retention_years == 12
    assert head_office.post(address, {"name": "Bastille", "retention_years": "101"}).status_code == 200


def test_a_terminals_page_tells_of_names_and_codes_and_never_of_the_code(head_office: Client, page: Open) -> None:
    till = Till(name="Till 1")
    rename = reverse("admin:fleet_terminal_name", args=[till.terminal.pk])
    assert head_office.post(rename, {"name": "Bar", "why": "It moved"}).status_code == 302
    shown = head_office.post(reverse("admin:fleet_terminal_code", args=[till.terminal.pk]))
    code = shown.context["code"]
    words = page("fleet_terminal_change", till.terminal.pk).text
    assert "Name: Till 1 → Bar It moved" in words
    assert words.count("Activation code made") == 2
    assert "claire" in words
    assert code not in words
    assert not TrailEntry.objects.filter(after__icontains=code.replace("-", "")[4:]).exists()


def test_what_only_programs_need_stands_on_the_page_of_an_entry_alone_and_a_time_is_written_as_one() -> None:
    after = {"request_id": "r-1", "id": 7, "asked_at": "2026-03-01T10:00:00.5+00:00", "note": "Twice"}
    entry = TrailEntry(about="decision", what="added", object_name="", after=after)
    (line,), (whole,) = in_words([entry]), in_words([entry], is_whole=True)
    assert [(change.name, change.after) for change in line.changes] == [
        ("Asked at", "1 Mar 2026, 10:00 UTC"),
        ("Note", "Twice"),
    ]
    assert {change.name for change in whole.changes} == {"Request", "Id", "Asked at", "Note"}


def test_an_account_has_a_history_too(head_office: Client, page: Open) -> None:
    account = Account.objects.get(pk="4000")
    address = reverse("admin:ledger_account_change", args=["4000"])
    assert head_office.post(address, {"name": "Takings", "why": "Plainer"}).status_code == 302
    assert f"Name: {account.name} → Takings Plainer" in page("ledger_account_change", "4000").text


def test_a_login_a_failed_one_and_a_logout_are_noted_and_strangers_names_are_not(
    settings: Any, monkeypatch: pytest.MonkeyPatch, page: Open
) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(login, "ADDRESS_BURST", 1000)
    name = f"otto-{uuid4().hex[:8]}"
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
    browser = Client(REMOTE_ADDR="192.0.2.77")
    for typed in ({"username": name, "password": "wrong"}, {"username": "my-password", "password": "x"}):
        browser.post(reverse("admin:login"), typed)
    browser.post(reverse("admin:login"), {"username": name, "password": PASSWORD})
    browser.post(reverse("admin:logout"))
    mine = TrailEntry.objects.filter(about="user", object_id=user.pk, address="192.0.2.77").order_by("id")
    assert [(entry.what, entry.person) for entry in mine] == [("login-failed", name), ("login", name), ("logout", name)]
    assert not TrailEntry.objects.filter(person="my-password").exists()
    words = page("auth_user_change", user.pk).text
    assert "Tried to log in, in vain" in words
    assert "192.0.2.77, console" in words


def test_the_trail_is_filtered_by_person_thing_and_day(head_office: Client, page: Open, store: Any) -> None:
    head_office.post(reverse("admin:fleet_store_change", args=[store.pk]), {"name": "Opéra"})
    day = TrailEntry.objects.order_by("-id").values_list("at", flat=True)[0].date()
    assert len(page("trail_trailentry_changelist", person="claire", object=store.code).rows) == 1
    assert len(page("trail_trailentry_changelist", person="claire", object=store.code, day=f"{day}").rows) == 1
    assert page("trail_trailentry_changelist", person="nobody").rows == []
    assert page("trail_trailentry_changelist", object=store.code, day="2001-01-01").rows == []
    assert page("trail_trailentry_changelist", object=store.code, about="user").rows == []


def test_history_is_shown_to_who_may_see_the_trail_and_to_nobody_else(store: Any) -> None:
    for rights, is_shown in ((["view_store"], False), (["view_store", "view_trailentry"], True)):
        user = User.objects.create_user(f"reader-{uuid4().hex[:8]}", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=rights))
        client = Client()
        sign_in(client, user)
        answer = client.get(reverse("admin:fleet_store_change", args=[store.pk]))
        assert ("History" in answer.content.decode()) is is_shown
        trail = client.get(reverse("admin:trail_trailentry_changelist"))
        assert trail.status_code == (200 if is_shown else 403)


def test_a_terminal_of_another_name_that_is_refused_leaves_no_trace(head_office: Client) -> None:
    till = Till(name="Till 1")
    Till(till.store, name="Till 2")
    before = TrailEntry.objects.count()
    answer = head_office.post(reverse("admin:fleet_terminal_name", args=[till.terminal.pk]), {"name": "Till 2"})
    assert answer.status_code == 200
    assert TrailEntry.objects.count() == before
    assert Terminal.objects.get(pk=till.terminal.pk).name == "Till 1"
