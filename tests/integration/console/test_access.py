"""How long a session lasts, what ends it, and how somebody is helped who lost a phone."""

from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from backoffice.review.entrance.sessions import browser_in_words
from backoffice.trail.models import TrailEntry
from tests.integration.console.entering import CONSOLE, SET_UP, a_person, age, by_password, is_open, show, with_app
from tests.signing_in import PASSWORD, code_now, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]


def test_a_session_ends_when_nothing_is_done_and_what_a_page_does_by_itself_is_nothing() -> None:
    client = sign_in(Client(), a_person("view_order"))
    age(client, 29 * 60)
    assert client.get(CONSOLE, headers={"Sec-Fetch-Dest": "empty"}).status_code == 200
    age(client, 2 * 60)
    answer = client.get(CONSOLE, follow=True)
    assert "because nothing was done for 30 minutes" in answer.content.decode()
    client = sign_in(Client(), a_person("view_order"))
    age(client, 29 * 60)
    assert is_open(client)
    age(client, 2 * 60)
    assert is_open(client)


def test_a_session_ends_after_its_hours_whatever_is_done() -> None:
    client = sign_in(Client(), a_person("view_order"))
    for _ in range(30):
        age(client, 20 * 60)
        answer = client.get(CONSOLE)
    assert answer.status_code == 302
    assert "a session ends after 10 hours" in client.get(CONSOLE, follow=True).content.decode()


def test_sign_out_everywhere_ends_all_and_so_does_another_password_for_all_others() -> None:
    person = a_person("view_order")
    here, there, stranger = by_password(person), by_password(person), by_password(a_person("view_order"))
    typed = {
        "old_password": PASSWORD,
        "new_password1": "a rather long new one",
        "new_password2": "a rather long new one",
    }
    assert here.post(reverse("admin:password_change"), typed).status_code == 302
    assert (is_open(here), is_open(there), is_open(stranger)) == (True, False, True)
    here.post(reverse("sign_out_everywhere"))
    assert (is_open(here), is_open(stranger)) == (False, True)
    assert TrailEntry.objects.filter(object_id=person.pk, what="signed-out", person=person.username).exists()


def test_an_administrator_removes_the_factors_of_who_lost_a_phone_and_says_why(head_office: Client) -> None:
    person = a_person("decide_held")
    secret = with_app(person)
    RecoveryCodes.activate(person)
    client = by_password(person)
    show(client, code_now(secret))
    access = reverse("admin:auth_user_entrance", args=[person.pk])
    assert "App with codes" in head_office.get(access).content.decode()
    assert head_office.post(access, {"what": "remove-factors", "why": ""}).status_code == 200
    assert Authenticator.objects.filter(user=person).count() == 2
    assert head_office.post(access, {"what": "remove-factors", "why": "Phone stolen"}).status_code == 302
    assert not is_open(client)
    assert by_password(person).get(CONSOLE).headers["Location"] == SET_UP
    page = head_office.get(reverse("admin:auth_user_change", args=[person.pk])).content.decode()
    assert "app with codes" in page, "its history says which"
    noted = TrailEntry.objects.filter(object_id=person.pk, what="factor-removed")
    assert {(entry.person, entry.reason) for entry in noted} == {("claire", "Phone stolen")}


def test_only_who_manages_people_does_that_and_not_to_administrators() -> None:
    claire, person = User.objects.create_superuser("claire"), a_person()
    otto = sign_in(Client(), a_person("change_user", "view_user"))
    reader = sign_in(Client(), a_person("view_user"))
    assert otto.get(reverse("admin:auth_user_entrance", args=[person.pk])).status_code == 200
    assert otto.get(reverse("admin:auth_user_entrance", args=[claire.pk])).status_code == 403
    assert reader.get(reverse("admin:auth_user_entrance", args=[person.pk])).status_code == 403


def test_browsers_are_told_to_keep_nothing_and_a_page_for_the_printer_runs_nothing(head_office: Client) -> None:
    headers = head_office.get(reverse("mfa_index")).headers
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Cross-Origin-Resource-Policy"] == headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "'unsafe-inline'" not in headers["Content-Security-Policy"].replace("style-src-attr 'unsafe-inline'", "")
    paper = head_office.get(reverse("admin:report_sales"), {"as": "print"}).headers["Content-Security-Policy"]
    assert "script-src" not in paper
    assert paper.startswith("default-src 'none'")


def test_a_command_removes_the_factors_of_the_only_administrator() -> None:
    claire = User.objects.create_superuser(f"claire-{uuid4().hex[:8]}", password=PASSWORD)
    with_app(claire)
    call_command("remove_factors", claire.username, why="Phone lost")
    assert by_password(claire).get(CONSOLE).headers["Location"] == SET_UP
    noted = TrailEntry.objects.filter(object_id=claire.pk, what="factor-removed").get()
    assert (noted.reason, noted.via.partition(",")[0]) == ("Phone lost", "command remove_factors")
    with pytest.raises(CommandError, match="Nobody is called"):
        call_command("remove_factors", "nobody", why="x")


@pytest.mark.parametrize(
    ("claimed", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19.0 Safari/604",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0", "Firefox on Linux"),
        ("<script>", "A browser that does not say what it is"),
    ],
)
def test_a_session_is_told_by_its_browser_in_words(claimed: str, words: str) -> None:
    assert browser_in_words(claimed) == words
