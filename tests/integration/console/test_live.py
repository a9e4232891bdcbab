"""Pages that refresh themselves: their part alone, nothing where nothing has changed, and words where it ends."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, connections
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from backoffice.review.away import is_away
from tests.signing_in import sign_in
from tests.till import Till, a_sale

ASKS = {"X-Live-Part": "1"}
AS_OF = re.compile(r"^\d\d:\d\d:\d\d, [A-Za-z/_]+$")
LIVE = ["index", "fleet_terminal_changelist", "inbox_batch_changelist", "exports_exportjob_changelist"]


@pytest.mark.django_db
class TestPart:
    """What the script asks for."""

    @pytest.mark.parametrize("name", LIVE)
    def test_the_page_says_as_of_when_it_is_and_its_part_is_no_whole_page(self, head_office: Client, name: str) -> None:
        page = head_office.get(reverse(f"admin:{name}"))
        assert "data-live=" in page.content.decode()
        assert re.search(r"data-live-as-of>\d\d:\d\d:\d\d, ", page.content.decode())

        part = head_office.get(reverse(f"admin:{name}"), headers=ASKS)

        assert (part.status_code, bool(AS_OF.match(part.headers["X-As-Of"]))) == (200, True)
        assert "<html" not in part.content.decode()
        assert part.content.decode().strip() in page.content.decode(), "the part is what the page shows"

    def test_what_has_not_changed_is_not_sent_again_and_what_has_is(self, head_office: Client) -> None:
        till = Till()
        address = reverse("admin:fleet_terminal_changelist")

        def ask(**headers: str) -> HttpResponse:
            return head_office.get(address, {"store": till.store.pk}, headers=ASKS | headers)

        first = ask()
        again = ask(**{"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert AS_OF.match(again.headers["X-As-Of"]), "it is as of now all the same"
        assert "no-store" in first.headers["Cache-Control"]

        till.open()
        changed = ask(**{"If-None-Match": first.headers["ETag"]})
        assert changed.status_code == 200
        assert "Waiting for upload" in changed.content.decode()

    def test_who_is_not_logged_in_any_more_is_sent_to_log_in_and_who_lost_a_right_is_refused(self) -> None:
        address = reverse("admin:fleet_terminal_changelist")
        assert Client().get(address, headers=ASKS).status_code == 302
        client = Client()
        sign_in(client, User.objects.create_user("new", is_staff=True))
        assert client.get(address, headers=ASKS).status_code == 403

    def test_the_code_is_shown_with_what_a_scanner_reads_and_its_page_follows_until_the_till_is_there(
        self, head_office: Client
    ) -> None:
        till = Till()
        till.send("PUT", "terminal/heartbeat", heartbeat())
        shown = head_office.post(reverse("admin:fleet_terminal_code", args=[till.terminal.pk])).content.decode()
        (code,) = re.findall(r"\b[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}\b", shown)
        address = reverse("admin:fleet_terminal_arrival", args=[till.terminal.pk])
        assert f'data-live-address="{address}"' in shown
        assert "<svg" in shown

        def said() -> str:
            answer = head_office.get(address, headers=ASKS)
            return f"{answer.headers.get('X-Live-Final', '')} {answer.content.decode()}"

        assert "Waiting for the code to be used" in said(), "what it sent before says nothing of the code"
        till.token = None
        activated = till.send("POST", "activations", {"activation_code": code, "device": {"name": "Till 1"}})
        assert "Waiting for the first heartbeat" in said()
        till.token = activated.json()["token"]
        till.send("PUT", "terminal/heartbeat", heartbeat())
        assert said().startswith("1 "), "nothing more is asked"
        assert "Till 1 is there" in said()


def heartbeat() -> dict[str, Any]:
    return {"sent_at": "2026-03-01T11:02:00+01:00", "offline_mode": False, "cached_orders": 0, "cached_total": 0}


@pytest.mark.django_db
class TestFirstHours:
    """A new installation is set up in the console."""

    def test_a_store_and_its_first_terminal_are_made_and_the_code_works(self, head_office: Client) -> None:
        facts = {"name": "Lyon Part-Dieu", "code": "LYO1", "timezone": "Europe/Paris", "currency": "EUR"}
        refused = head_office.post(reverse("admin:fleet_store_new"), facts | {"timezone": "Mars/Base"})
        assert (refused.status_code, "Select a valid choice" in refused.content.decode()) == (200, True)

        made = head_office.post(reverse("admin:fleet_store_new"), facts | {"prices_include_tax": "on"})
        again = head_office.post(reverse("admin:fleet_store_new"), facts)
        assert "already exists" in again.content.decode()
        _, _, store = made.headers["Location"].partition("?store=")
        shown = head_office.post(reverse("admin:fleet_terminal_new"), {"store": store, "name": "Till 1"})
        (code,) = re.findall(r'translate="no">([^<]+)<', shown.content.decode())
        taken = head_office.post(reverse("admin:fleet_terminal_new"), {"store": store, "name": "Till 1"})
        assert "Another terminal of this store has this name." in taken.content.decode()

        answer = Client().post(
            "/api/v1/activations", {"activation_code": code, "device": {}}, content_type="application/json"
        )
        assert answer.json()["store"]["code"] == "LYO1"


class TestDatabaseAway:
    """Nothing of the page needs the database."""

    def test_a_page_says_so_and_tries_again_and_a_form_is_not_sent_twice(self, db: None) -> None:
        def ask() -> tuple[HttpResponse, HttpResponse]:
            nowhere = connections.create_connection("default")
            nowhere.settings_dict = {**nowhere.settings_dict, "HOST": "127.0.0.1", "PORT": "1"}
            connections["default"] = nowhere
            client = Client(raise_request_exception=False)
            client.cookies["sessionid"] = "x" * 32
            return client.get(reverse("admin:index")), client.post(reverse("admin:login"), {"username": "claire"})

        with ThreadPoolExecutor(1) as another:
            read, sent = another.submit(ask).result(timeout=30)
        assert (read.status_code, read.headers["Retry-After"]) == (503, "5")
        assert "The database cannot be reached" in read.content.decode()
        assert 'http-equiv="refresh"' in read.content.decode()
        assert sent.status_code == 503
        assert "may not have been saved" in sent.content.decode()
        assert 'http-equiv="refresh"' not in sent.content.decode()

    def test_a_statement_that_took_too_long_is_no_server_that_is_away(self) -> None:
        class Cause(Exception):
            sqlstate = "57014"

        error = OperationalError()
        assert is_away(error)
        error.__cause__ = Cause()
        assert not is_away(error)


@pytest.mark.django_db
def test_the_board_finds_who_is_silent_and_shows_what_they_last_said(head_office: Client) -> None:
    till = Till(name="Till 7")
    till.open()
    till.sell(a_sale(1001))
    till.send(
        "PUT", "terminal/heartbeat", heartbeat() | {"offline_mode": True, "cached_orders": 2, "cached_total": 480}
    )
    make_silent(till)
    address = reverse("admin:fleet_terminal_changelist")

    def listed(**chosen: str) -> str:
        return head_office.get(address, {"store": till.store.pk, **chosen}).content.decode().replace("\xa0", " ")

    shown = listed()
    for words in ("Silent", "Not heard from for 2 h, with shift 311 open.", "Offline mode since", "2 orders, €4.80"):
        assert words in shown
    assert "to the books" in shown
    for sign in ("offline", "cached", "clock", "open", "long"):
        assert "Till 7" in listed(sign=sign), sign
    for sign in ("missing", "held", "conflict", "failed", "uploads", "differs", "unheard"):
        assert "Nothing matches" in listed(sign=sign), sign
    assert "Till 7" in listed(state="SILENT")


def make_silent(till: Till) -> None:
    """As if all that it said was said two hours ago."""
    with connection.cursor() as cursor:
        for table in ("fleet_heartbeat", "inbox_batch", "sales_shift"):
            cursor.execute(
                f"UPDATE {table} SET received_at = received_at - interval '2 hours' WHERE terminal_id = %s",
                [till.terminal.pk],
            )
