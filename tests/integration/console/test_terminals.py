"""Terminals in the console: which till has not told us everything?"""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backoffice.books.importing import import_cache
from backoffice.fleet.models import Credential, Terminal
from backoffice.inbox.models import Batch
from backoffice.ingestion.stores import issue_activation_code
from backoffice.review.sync import Signs, SyncState, sync_state
from tests.caches import cached_batch, cached_shift, saved_cache
from tests.integration.books.office import a_person
from tests.integration.console.conftest import Open
from tests.till import Till, a_sale, a_store

pytestmark = pytest.mark.django_db

NOW = timezone.now()
CODE = re.compile(r"\b[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}\b")


class TestState:
    """Derived from what is unsettled; the most urgent wins."""

    @pytest.mark.parametrize(
        ("signs", "state"),
        [
            (Signs(), SyncState.IN_SYNC),
            (Signs(open=1), SyncState.WAITING),
            (Signs(closing=1), SyncState.WAITING),
            (Signs(waiting=1, open=1), SyncState.RECEIVING),
            (Signs(failed=1, waiting=1), SyncState.ATTENTION),
            (Signs(held=1, open=1), SyncState.ATTENTION),
            (Signs(discrepant=1), SyncState.ATTENTION),
            (Signs(conflicts=1), SyncState.ATTENTION),
            (Signs(cached=3), SyncState.WAITING),
            (Signs(silent_since=NOW, held=1, open=1), SyncState.SILENT),
        ],
    )
    def test_it_follows_from_the_signs(self, signs: Signs, state: SyncState) -> None:
        assert sync_state(Terminal(activated_at=timezone.now()), signs) is state

    def test_it_is_new_until_it_is_activated(self) -> None:
        assert sync_state(Terminal(), Signs()) is SyncState.NEW


def test_each_state_shows_on_the_list(page: Open) -> None:
    store = a_store()
    quiet, selling, sending, failing = (Till(store, name=f"Till {number}") for number in range(1, 5))
    issue_activation_code(store_code=store.code, terminal_name="Till 6", now=timezone.now())
    for till in (selling, sending, failing):
        till.open()
    sending.upload(a_sale(1001))
    failing.upload(a_sale(1001))
    Batch.objects.filter(terminal=failing.terminal).update(state="failed", attempts=5, last_error="ValueError: x")

    listed = page("fleet_terminal_changelist", store=store.pk)

    assert "In sync" in listed.row("Till 1").text
    assert "Waiting for upload" in listed.row("Till 2").text
    assert "Shift 311" in listed.row("Till 2").text
    assert "Receiving" in listed.row("Till 3").text
    assert "1 upload waiting" in listed.row("Till 3").text
    assert "Needs attention" in listed.row("Till 4").text
    assert "Not activated yet" in listed.row("Till 6").text
    assert quiet.terminal.name in listed.rows[-1].text, "What needs somebody comes first."


def test_held_orders_need_attention(page: Open) -> None:
    till = Till()
    till.open()
    till.sell(a_sale(1001, total=1))

    row = page("fleet_terminal_changelist", store=till.store.pk).row("Till 1")

    assert "Needs attention" in row.text
    assert f"/sales/helditem/?store={till.store.pk}" in row.html


def test_missing_numbers_are_named(page: Open) -> None:
    till = Till()
    till.open()
    orders = [a_sale(number) for number in range(1001, 1008)]
    till.sell(*orders[:2], orders[5])
    till.close(*orders)

    assert "1003–1005, 1007" in page("fleet_terminal_changelist", store=till.store.pk).row("Till 1").text
    assert "Missing orders 1003–1005, 1007" in page("fleet_terminal_change", till.terminal.pk).text


def test_it_can_be_narrowed_to_a_state(page: Open) -> None:
    store = a_store()
    Till(store, name="Quiet")
    Till(store, name="Selling").open()

    def names(state: str) -> list[str]:
        rows = page("fleet_terminal_changelist", store=store.pk, state=state).rows
        return [name for row in rows for name in ("Quiet", "Selling") if name in row.text]

    assert names("IN_SYNC") == ["Quiet"]
    assert names("WAITING") == ["Selling"]
    assert names("ATTENTION") == []
    assert names("NONSENSE") == ["Selling", "Quiet"]


def test_its_page_is_a_timeline_of_shifts_and_uploads(page: Open) -> None:
    till = Till()
    till.open(number=310)
    orders = [a_sale(1001), a_sale(1002)]
    till.sell(*orders)
    till.close(*orders)
    till.open(number=311, opened_at="2026-03-02T08:00:00+01:00", first_number=1003)

    text = page("fleet_terminal_change", till.terminal.pk).text

    assert text.index("Shift 311 Open") < text.index("Shift 310 Adds up")
    assert "✓ Shift 310, 1 Mar 2026: Adds up ▸ Shift 311, 2 Mar 2026: Open" in text, (
        "the strip, the newest on the right"
    )
    assert "2 orders" in text
    assert "Nothing has been uploaded for it." in text


class TestActivationCode:
    """Issued from the terminal's page, shown once."""

    def address(self, till: Till) -> str:
        return reverse("admin:fleet_terminal_code", args=[till.terminal.pk])

    def test_it_is_shown_once_and_works(self, head_office: Client, page: Open) -> None:
        till = Till()

        answer = head_office.post(self.address(till))

        (code,) = CODE.findall(answer.content.decode())
        assert "no-store" in answer.headers["Cache-Control"]
        till.token = None
        assert (
            till.send("POST", "activations", {"activation_code": code, "device": {"name": "Till 1"}}).status_code == 201
        )
        assert not CODE.findall(page("fleet_terminal_change", till.terminal.pk).html)

    def test_who_issued_it_is_noted_and_the_code_is_not(self, head_office: Client) -> None:
        till = Till()

        (code,) = CODE.findall(head_office.post(self.address(till)).content.decode())

        (entry,) = LogEntry.objects.filter(object_id=str(till.terminal.pk))
        assert (entry.user.username, entry.change_message) == ("claire", "Issued an activation code.")
        assert code not in f"{entry.object_repr} {entry.change_message}"

    def test_looking_issues_none(self, head_office: Client) -> None:
        till = Till()
        assert head_office.get(self.address(till)).status_code == 405
        assert till.terminal.activation_codes.count() == 1, "the one it was activated with"

    def test_a_stranger_gets_none(self) -> None:
        till = Till()
        assert Client().post(self.address(till)).status_code == 302
        assert till.terminal.activation_codes.count() == 1


def test_a_terminal_can_be_renamed(head_office: Client) -> None:
    till = Till()

    answer = head_office.post(reverse("admin:fleet_terminal_name", args=[till.terminal.pk]), {"name": "Window"})

    assert answer.status_code == 302
    till.terminal.refresh_from_db()
    assert till.terminal.name == "Window"


def test_the_page_names_what_was_saved_from_the_till(page: Open) -> None:
    till = Till()
    till.open()
    assert "Saved from the till" not in page("fleet_terminal_change", till.terminal.pk).text
    file = saved_cache(till, cached_shift(till.shift_id, cached_batch(a_sale(1001), a_sale(1002))))
    import_cache(file, person=a_person("Ruth"), reason="till-dead", now=timezone.now())
    Credential.objects.filter(terminal=till.terminal).update(revoked_at=timezone.now())
    shown = page("fleet_terminal_change", till.terminal.pk).text
    for words in ("Saved from the till", "Waits for a second person", "2 orders, 0 cash movements", "asked by Ruth-"):
        assert words in shown
    assert "not valid since" in shown
