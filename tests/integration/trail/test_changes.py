"""What people change is noted by the database, whoever changes it and however; what the service does to itself is not."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from backoffice.books.models import ReasonCode
from backoffice.fleet.models import Credential, Store, Terminal
from backoffice.ingestion.stores import rotate_token
from backoffice.ledger.models import Account, CashReason, PaymentAccount
from backoffice.trail.acting import Actor, acting, because
from backoffice.trail.events import DOWNLOADED, record_event
from backoffice.trail.models import TrailEntry
from tests.till import Till, a_heartbeat, a_sale, a_store

pytestmark = pytest.mark.django_db

RUTH = Actor(person="ruth", person_id=7, address="192.0.2.7", via="console")


def newest() -> TrailEntry:
    found = TrailEntry.objects.order_by("-id").first()
    assert found is not None
    return found


def said(entry: TrailEntry) -> tuple[str, str, str, Any, Any]:
    return entry.what, entry.about, entry.object_name, entry.before, entry.after


def test_a_changed_setting_is_noted_with_before_after_who_whence_and_why() -> None:
    store = a_store("PARTRAIL", name="Bastille")
    with acting(RUTH):
        because("The law has changed. Card 4111 1111 1111 1111")
        Store.objects.filter(pk=store.pk).update(refund_days=30, max_order_total=100)
    entry = newest()
    assert said(entry) == (
        "changed",
        "store",
        "Bastille · PARTRAIL",
        {"refund_days": None, "max_order_total": None},
        {"refund_days": 30, "max_order_total": 100},
    )
    assert (entry.person, entry.person_id, entry.address, entry.via) == ("ruth", 7, "192.0.2.7", "console")
    assert (entry.object_id, entry.store_id) == (str(store.pk), store.pk)
    assert entry.reason.startswith("The law has changed.")
    assert "4111 1111 1111 1111" not in entry.reason
    assert abs((timezone.now() - entry.at).total_seconds()) < 60


def test_whoever_writes_without_a_word_is_named_by_program_and_role() -> None:
    store = a_store()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE fleet_store SET name = 'Raw' WHERE id = %s", [store.pk])
    entry = newest()
    assert (entry.what, entry.after, entry.person) == ("changed", {"name": "Raw"}, "")
    assert entry.via.startswith("backoffice-command as ")


def test_a_change_of_nothing_is_none() -> None:
    store = a_store()
    before = TrailEntry.objects.count()
    Store.objects.filter(pk=store.pk).update(name=store.name)
    User.objects.create_user("noted-once")
    User.objects.filter(username="noted-once").update(last_login=timezone.now())
    assert TrailEntry.objects.count() == before + 1


def test_each_kind_of_row_that_people_change_is_watched() -> None:
    store = a_store("SWATCH")
    till = Till(store, name="Till 1")
    group = Group.objects.create(name="Auditors of Paris")
    user = User.objects.create_user("otto", email="otto@example.com")
    right = Permission.objects.get(codename="decide_held")
    deeds: list[tuple[Any, tuple[str, str, str]]] = [
        (
            lambda: Terminal.objects.filter(pk=till.terminal.pk).update(name="Bar"),
            ("changed", "terminal", "SWATCH · Bar"),
        ),
        (lambda: Group.objects.filter(pk=group.pk).update(name="Judges"), ("changed", "group", "Judges")),
        (lambda: user.groups.add(group), ("given", "user", "otto")),
        (user.groups.clear, ("taken", "user", "otto")),
        (lambda: user.user_permissions.add(right), ("given", "user", "otto")),
        (lambda: group.permissions.add(right), ("given", "group", "Judges")),
        (
            lambda: ReasonCode.objects.filter(verb="void", code="other").update(is_active=False),
            ("changed", "reason code", "void · other"),
        ),
        (lambda: Account.objects.filter(pk="4000").update(name="Takings"), ("changed", "account", "4000 · Takings")),
        (
            lambda: PaymentAccount.objects.filter(store=store, method="card").update(account_id="1000"),
            ("changed", "payment account", "SWATCH · card"),
        ),
        (
            lambda: CashReason.objects.filter(store=store, reason="change").delete(),
            ("removed", "cash reason", "SWATCH · change"),
        ),
        (user.delete, ("removed", "user", "otto")),
    ]
    for deed, expected in deeds:
        deed()
        assert said(newest())[:3] == expected


def test_rights_are_noted_by_name() -> None:
    user = User.objects.create_user("otto")
    user.groups.add(Group.objects.create(name="Auditors of Paris"))
    assert newest().after == {"group_id": "Auditors of Paris"}
    user.user_permissions.add(Permission.objects.get(codename="decide_held"))
    assert newest().after == {"permission_id": "books.decide_held"}


def test_a_password_is_noted_as_another_and_never_shown() -> None:
    user = User.objects.create_user("otto", password="correct horse")
    assert newest().after["password"] == "not shown"
    user.set_password("battery staple")
    user.save()
    assert said(newest())[3:] == ({"password": "not shown"}, {"password": "another"})
    user.delete()
    assert newest().before["password"] == "not shown"


def test_a_till_that_sells_writes_no_history() -> None:
    till = Till()
    assert till.open().status_code == 201
    before = TrailEntry.objects.count()
    receipt = till.sell(sale := a_sale(1001), a_sale(1002, total=1))
    assert till.send("PUT", "terminal/heartbeat", a_heartbeat()).status_code == 200
    till.close(sale, batches=[receipt["batch_id"]])
    assert TrailEntry.objects.count() == before


def test_codes_and_tokens_are_noted_without_a_secret() -> None:
    till = Till(name="Till 1")
    entries = list(TrailEntry.objects.filter(about="terminal", object_id=till.terminal.pk).order_by("id"))
    assert [entry.what for entry in entries] == ["added", "code-made", "activated"]
    assert (set(entries[1].after), set(entries[2].after)) == ({"expires_at"}, {"used_at"})
    rotate_token(terminal=till.terminal)
    assert newest().pk == entries[-1].pk, "a token that nobody has used yet ends no other"
    with connection.cursor() as cursor:  # as the handbook does when a till is lost
        cursor.execute("UPDATE fleet_credential SET revoked_at = now() WHERE terminal_id = %s", [till.terminal.pk])
    revoked = newest()
    assert (revoked.what, revoked.object_name, set(revoked.after)) == (
        "token-revoked",
        f"{till.store.code} · Till 1",
        {"revoked_at"},
    )
    kept = str(list(TrailEntry.objects.values_list("before", "after")))
    for digest in Credential.objects.values_list("token_hash", flat=True):
        assert bytes(digest).hex() not in kept


def test_who_acts_is_told_once_per_transaction_part_and_forgotten_after_it() -> None:
    store = a_store()
    with acting(RUTH):
        with transaction.atomic():
            Store.objects.filter(pk=store.pk).update(refund_days=1)
            transaction.set_rollback(True)
        Store.objects.filter(pk=store.pk).update(refund_days=2)
        assert newest().person == "ruth"
        with acting(RUTH._replace(person="otto")):
            Store.objects.filter(pk=store.pk).update(refund_days=3)
        assert newest().person == "otto"


def test_a_command_is_noted_as_the_work_of_who_ran_it() -> None:
    call_command("create_store", "SCMD", timezone="Europe/Paris", currency="EUR")
    entry = TrailEntry.objects.get(about="store", what="added", after__code="SCMD")
    assert entry.person
    assert entry.via == f"command create_store, {entry.person}"


def test_an_event_says_what_was_taken_out_of_the_house() -> None:
    with acting(RUTH):
        record_event(DOWNLOADED, about="batch", object_id="17", object_name="batch 17", said={"bytes": 5})
    assert said(newest()) == ("downloaded", "batch", "batch 17", None, {"bytes": 5})
    assert newest().person == "ruth"


@pytest.mark.parametrize(
    "statement", ["UPDATE trail_entry SET person = 'nobody'", "DELETE FROM trail_entry", "TRUNCATE trail_entry"]
)
def test_nobody_changes_what_was_noted(statement: str) -> None:
    a_store()
    with (
        pytest.raises(IntegrityError, match="what was noted stays"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
