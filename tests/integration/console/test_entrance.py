"""The entrance: who needs a second factor, what one is, and how long it counts."""

import time
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.usersessions.models import UserSession
from django.contrib.admin.sites import all_sites
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from django.utils import timezone

from backoffice.alerts.tasks import clear
from backoffice.review.entrance.encryption import decrypted
from backoffice.review.entrance.rule import needs_factor
from backoffice.trail.models import TrailEntry
from tests.integration.console.entering import (
    AGAIN,
    AUTHENTICATE,
    CONSOLE,
    SET_UP,
    WRONG,
    a_person,
    age,
    by_password,
    is_open,
    show,
    with_app,
)
from tests.signing_in import PASSWORD, code_now, sign_in
from tests.till import Till

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]


@pytest.mark.parametrize(
    ("rights", "is_needed"),
    [
        ((), False),
        (("view_order",), False),
        (("view_order", "view_shift", "view_trailentry"), False),
        (("change_store",), True),
        (("view_order", "decide_held"), True),
        (("run_export",), True),
        (("add_user",), True),
    ],
)
def test_it_is_needed_by_who_may_do_more_than_read(rights: tuple[str, ...], is_needed: bool) -> None:
    assert needs_factor(a_person(*rights)) is is_needed
    assert needs_factor(a_person(*rights, group="Any name")) is is_needed


def test_administrators_need_one_and_a_setting_can_say_that_nobody_does(settings: Any) -> None:
    claire = User.objects.create_superuser("claire")
    assert needs_factor(claire)
    settings.SECOND_FACTOR = False
    assert not needs_factor(claire)


def test_who_only_reads_comes_in_by_the_password_alone() -> None:
    assert is_open(by_password(a_person("view_order", "view_shift")))


def test_who_decides_and_has_none_is_led_to_it_and_nothing_else_opens() -> None:
    client = by_password(a_person("decide_held", "view_order", "change_terminal"))
    till = Till()
    for address in (CONSOLE, reverse("admin:sales_order_changelist"), reverse("admin:search"), "/console/no-such-page"):
        assert client.get(address).headers["Location"] == SET_UP, address
    assert client.post(reverse("admin:fleet_terminal_code", args=[till.terminal.pk])).headers["Location"] == SET_UP
    page = client.get(SET_UP).content.decode()
    assert "Set up a second factor" in page
    assert "Sign out everywhere" not in page, "nor is anything else of the console there"


def test_a_part_of_a_page_that_is_fetched_anew_sends_the_whole_page_there() -> None:
    client = by_password(a_person("decide_held"))
    answer = client.get(CONSOLE, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, SET_UP)


def test_setting_up_an_app_opens_the_console_and_shows_recovery_codes_once(committing: None) -> None:
    person = a_person("decide_held")
    client = by_password(person)
    elsewhere = by_password(person)
    page = client.get(reverse("mfa_activate_totp"))
    assert "data:image/svg+xml" in page.content.decode()
    secret = client.session["mfa.totp.secret"]
    assert show(client, WRONG, address=reverse("mfa_activate_totp")).status_code == 200
    assert not Authenticator.objects.filter(user=person).exists()
    done = show(client, code_now(secret), address=reverse("mfa_activate_totp"))
    assert done.headers["Location"] == reverse("mfa_view_recovery_codes")
    codes = RecoveryCodes(Authenticator.objects.get(user=person, type="recovery_codes")).get_unused_codes()
    assert len(codes) == 10
    shown = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert all(code in shown for code in codes)
    again = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert not any(code in again for code in codes)
    assert is_open(client)
    assert elsewhere.get(SET_UP).status_code == 302, "the session that another began with the password alone has ended"
    noted = TrailEntry.objects.filter(about="user", object_id=person.pk, what="factor-added")
    assert {entry.after["type"] for entry in noted} == {"totp", "recovery_codes"}
    assert {entry.person for entry in noted} == {person.username}
    told = str(list(TrailEntry.objects.filter(about="user", object_id=person.pk).values()))
    assert secret not in told


def test_a_code_counts_for_its_time_and_once() -> None:
    person = a_person("decide_held")
    secret = with_app(person)
    client = by_password(person)
    assert not is_open(client)
    assert show(client, code_now(secret, at=time.time() - 120)).status_code == 200, "too old"
    assert not is_open(client)
    assert show(client, code := code_now(secret)).headers["Location"] == CONSOLE
    assert is_open(client)
    another = by_password(person)
    assert show(another, code).status_code == 200, "whoever looked over a shoulder has nothing"
    assert not is_open(another)
    assert show(another, code_now(secret, at=time.time() + 30)).headers["Location"] == CONSOLE


def test_a_recovery_code_counts_once_and_its_use_is_noted() -> None:
    person = a_person("decide_held")
    with_app(person)
    code = RecoveryCodes.activate(person).get_unused_codes()[3]
    assert show(by_password(person), code).headers["Location"] == CONSOLE
    assert show(by_password(person), code).status_code == 200
    noted = TrailEntry.objects.filter(about="user", object_id=person.pk).order_by("id").values_list("what", flat=True)
    assert [what for what in noted if what.startswith(("recovery", "factor-failed", "login"))] == [
        "recovery-code-used",
        "login",
        "factor-failed",
    ]


def test_after_five_wrong_codes_the_right_one_is_not_taken_either() -> None:
    person = a_person("decide_held")
    secret = with_app(person)
    for _ in range(5):
        assert show(by_password(person), WRONG).status_code == 200
    client = by_password(person)
    answer = show(client, code_now(secret))
    assert "Too many wrong codes" in answer.content.decode()
    assert not is_open(client)
    assert TrailEntry.objects.filter(object_id=person.pk, what="factor-failed").count() == 5


def test_it_is_the_session_that_counts_and_who_has_a_factor_adds_no_other_without_it() -> None:
    person = a_person("decide_held")
    client = sign_in(Client(), person, factor=False)
    secret = with_app(person)
    for address in (CONSOLE, SET_UP, reverse("mfa_activate_totp"), reverse("mfa_add_webauthn")):
        assert client.get(address).headers["Location"].startswith(AGAIN), address
    assert client.get(reverse("account_reauthenticate")).headers["Location"].startswith(AGAIN), "no password will do"
    assert show(client, code_now(secret), address=AGAIN, next=CONSOLE).headers["Location"] == CONSOLE
    assert is_open(client)


def test_what_matters_asks_again_after_five_minutes_and_goes_on_from_there() -> None:
    person = a_person("change_terminal", "view_terminal")
    secret = with_app(person)
    till = Till()
    client = sign_in(Client(), person)
    address = reverse("admin:fleet_terminal_code", args=[till.terminal.pk])
    age(client, 200)
    assert client.post(address).status_code == 200
    age(client, 200)
    asked = client.post(address)
    assert asked.headers["Location"].startswith(AGAIN)
    assert show(client, WRONG, address=AGAIN, next=address).status_code == 200
    went_on = show(client, code_now(secret), address=AGAIN, next=address)
    assert "It works once" in went_on.content.decode()


def test_somebody_without_a_factor_is_asked_for_the_password_where_none_is_needed(settings: Any) -> None:
    settings.SECOND_FACTOR = False
    person, till = a_person("change_terminal", "view_terminal"), Till()
    client = by_password(person)
    age(client, 600)
    assert "Second factor off" in client.get(CONSOLE).content.decode()
    address = reverse("admin:fleet_terminal_code", args=[till.terminal.pk])
    again = reverse("account_reauthenticate")
    assert client.post(address).headers["Location"].startswith(again)
    assert "not your password" in client.post(again, {"password": "x", "next": address}).content.decode()
    assert "It works once" in client.post(again, {"password": PASSWORD, "next": address}).content.decode()


def test_removing_the_last_factor_leads_back_to_setting_one_up() -> None:
    person = a_person("decide_held")
    client = sign_in(Client(), person)
    with_app(person)
    assert client.post(reverse("mfa_deactivate_totp")).status_code == 302
    assert client.get(CONSOLE).headers["Location"] == SET_UP


def test_secrets_are_encrypted_and_outlive_another_key(settings: Any) -> None:
    person = a_person("decide_held")
    secret = with_app(person)
    kept = Authenticator.objects.get(user=person).data["secret"]
    assert secret not in kept
    assert decrypted(kept) == secret
    settings.SECRET_KEY, old = "another", settings.SECRET_KEY
    assert decrypted(kept) != secret, "a backup alone is not enough"
    settings.SECRET_KEY_BEFORE = [old]
    assert show(by_password(person), code_now(secret)).headers["Location"] == CONSOLE
    settings.SECRET_KEY_BEFORE = []
    assert decrypted(Authenticator.objects.get(user=person).data["secret"]) == secret, "encrypted anew as it was used"


def test_an_address_that_nobody_verified_stands_in_nobodys_way(committing: None) -> None:
    person = a_person("decide_held")
    person.email = "ruth@example.com"
    person.save()
    client = by_password(person)
    assert client.get(reverse("mfa_activate_totp")).status_code == 200
    show(client, code_now(client.session["mfa.totp.secret"]), address=reverse("mfa_activate_totp"))
    assert is_open(client)


def test_every_login_goes_through_it_and_nobody_signs_up_or_has_a_password_sent() -> None:
    person = a_person("decide_held")
    with_app(person)
    for site in all_sites:
        typed = {"username": person.username, "password": PASSWORD}
        answer = Client().post(reverse(f"{site.name}:login"), typed)
        assert answer.headers["Location"] == AUTHENTICATE
    for name in ("account_signup", "account_reset_password", "account_email", "admin_password_reset"):
        with pytest.raises(NoReverseMatch):
            reverse(name)
    names = {str(name) for name in get_resolver().reverse_dict if isinstance(name, str)}
    assert not [name for name in names if "signup" in name or "reset" in name]


ODD_CODES = [
    "",
    "\0",
    "\u0661\u0662\u0663\u0664\u0665\u0666",
    "123 456",
    "é",
    "x" * 5000,
    "-1",
    "\ud800".encode("utf-8", "surrogatepass"),
]
ODD_CREDENTIALS = [
    "",
    "{",
    "[]",
    "{}",
    "7",
    '"x"',
    "null",
    '{"id": 1}',
    '{"id": "AA", "rawId": "AA", "type": "public-key"}',
]
ODD_CREDENTIALS += [
    '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {}, "clientExtensionResults": []}',
    '{"id": "é", "rawId": "é", "type": "x", "response": {"clientDataJSON": "AA", "attestationObject": "AA"}}',
    (
        '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "AA", "authenticatorData": "AA",'
        ' "signature": "AA", "userHandle": null}}'
    ),
    '{"rawId": "AA", "response": {"clientDataJSON": "e30", "attestationObject": "oA"}}',
]


def test_odd_codes_and_passkeys_are_wrong_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("allauth.mfa.base.forms.check_rate_limit", lambda *_, **__: lambda: None)
    monkeypatch.setattr("allauth.mfa.webauthn.forms.check_rate_limit", lambda *_, **__: lambda: None)
    person = a_person("decide_held")
    inside = sign_in(Client(raise_request_exception=False), person)
    inside.get(reverse("mfa_add_webauthn"))
    answers = {}
    for credential in ODD_CREDENTIALS:
        typed = {"name": "x", "credential": credential}
        inside.get(reverse("mfa_add_webauthn"))
        answers["add", credential] = inside.post(reverse("mfa_add_webauthn"), typed).status_code
    with_app(person)
    outside = by_password(person, raise_request_exception=False)
    for code in ODD_CODES:
        answers["code", code] = show(outside, code).status_code
    for credential in ODD_CREDENTIALS:
        outside.get(AUTHENTICATE)
        answers["show", credential] = outside.post(AUTHENTICATE, {"credential": credential}).status_code
        again = inside.post(reverse("mfa_reauthenticate_webauthn"), {"credential": credential})
        answers["again", credential] = again.status_code
    assert {what: status for what, status in answers.items() if status not in {200, 302}} == {}
    assert not is_open(outside)


def test_what_is_left_of_sessions_that_are_over_is_deleted_and_nobody_is_signed_out(settings: Any) -> None:
    """Of who only closed the browser: whoever signs out has left nothing."""
    person = a_person("view_order")
    here, closed = by_password(person), by_password(person)
    now = timezone.now()
    Session.objects.filter(pk=closed.session.session_key).update(expire_date=now - timedelta(seconds=1))
    longest = timedelta(hours=settings.SESSION_HOURS, seconds=1)
    UserSession.objects.filter(session_key=closed.session.session_key).update(created_at=now - longest)
    clear()
    assert not Session.objects.filter(pk=closed.session.session_key).exists()
    assert is_open(here)
    assert [session.session_key for session in UserSession.objects.filter(user=person)] == [here.session.session_key]
