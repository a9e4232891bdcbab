"""Notes on any object: who wrote what and when, kept for good, seen by whoever may see the object."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from backoffice.books.models import Decision, Note, NoteTakenBack
from backoffice.domain.decisions import Verb
from backoffice.inbox.models import Batch
from backoffice.sales.models import HeldItem, Order
from tests.integration.books.office import decided
from tests.integration.console.pages import Page
from tests.integration.console.two_stores import browser_of, every_right, somebody
from tests.till import Till, a_sale, a_store

pytestmark = pytest.mark.django_db


@pytest.fixture
def till(db: None) -> Till:
    till = Till(a_store(name="Zwirn"))
    till.open()
    till.sell(sale := a_sale(1001), a_sale(1002, total=1))
    decided(Verb.VOID, sale["order_id"])
    return till


def objects_of(till: Till) -> list[tuple[str, object]]:
    """Every kind of row that takes notes, each with its key."""
    of_store = {"store": till.store}
    return [
        ("sales_order", Order.objects.get(**of_store).pk),
        ("sales_shift", till.shift_id),
        ("fleet_terminal", till.terminal.pk),
        ("sales_helditem", HeldItem.objects.get(**of_store).pk),
        ("inbox_batch", Batch.objects.filter(terminal=till.terminal).earliest("received_at").pk),
        ("books_decision", Decision.objects.get(**of_store).pk),
    ]


def page_of(client: Client, kind: str, key: object) -> Page:
    answer = client.get(reverse(f"admin:{kind}_change", args=[key]))
    assert answer.status_code == 200, kind
    return Page(answer.content.decode())


def test_every_object_takes_notes_and_shows_its_own_alone(till: Till, head_office: Client) -> None:
    listed = objects_of(till)
    for kind, key in listed:
        answer = head_office.post(reverse(f"admin:{kind}_note", args=[key]), {"note": f"About <i>{kind}</i>"})
        assert answer.status_code == 302, kind
    for kind, key in listed:
        page = page_of(head_office, kind, key)
        assert f"About <i>{kind}</i> claire" in page.text, "it is text, with who wrote it"
        assert page.text.count("About <i>") == 1


def test_a_store_day_takes_notes(till: Till, head_office: Client) -> None:
    order = Order.objects.get(store=till.store)
    day = f"?store={till.store.pk}&day={order.business_date}"
    answer = head_office.post(reverse("admin:sales_store_days_note") + day, {"note": "Counted twice"}, follow=True)
    assert "Counted twice claire" in Page(answer.content.decode()).text
    assert "Counted twice" not in page_of(head_office, "sales_shift", till.shift_id).text
    assert head_office.post(reverse("admin:sales_store_days_note"), {"note": "x"}).status_code == 404


def test_its_author_takes_a_note_back_and_it_stays_struck_through(till: Till, head_office: Client) -> None:
    address = reverse("admin:sales_shift_note", args=[till.shift_id])
    head_office.post(address, {"note": "Wrong drawer"})
    key = Note.objects.get().pk
    other = browser_of(somebody("ann", rights=every_right()))
    other.post(address, {"take_back": key})
    assert not NoteTakenBack.objects.exists(), "nobody takes back another's"
    assert "Take back" not in page_of(other, "sales_shift", till.shift_id).text
    assert "Take back" in page_of(head_office, "sales_shift", till.shift_id).text
    for _ in range(2):
        head_office.post(address, {"take_back": key})
    page = page_of(head_office, "sales_shift", till.shift_id)
    assert "<s><bdi>Wrong drawer</bdi></s>" in page.html
    assert "taken back" in page.text
    assert "Take back" not in page.text


def test_a_note_has_no_card_number_and_says_something(till: Till, head_office: Client) -> None:
    address = reverse("admin:sales_shift_note", args=[till.shift_id])
    head_office.post(address, {"note": "Card 4111 1111 1111 1111 was refused"})
    assert "4111 1111 1111 1111" not in Note.objects.get().text
    assert "was refused" in Note.objects.get().text
    for empty in ("", "  ", "x" * 501):
        answer = head_office.post(address, {"note": empty}, follow=True)
        assert "The note was not kept" in answer.content.decode()
    assert Note.objects.count() == 1


def test_who_may_not_see_an_object_or_not_write_adds_nothing(till: Till) -> None:
    elsewhere = browser_of(somebody("zoe", a_store(name="Quarzal"), rights=every_right()))
    reading = somebody("ann")
    reading.user_permissions.set([right for right in every_right() if right.codename.startswith("view_")])
    reader = browser_of(reading)
    order = Order.objects.get(store=till.store)
    day = f"{reverse('admin:sales_store_days_note')}?store={till.store.pk}&day={order.business_date}"
    for address in [day, *(reverse(f"admin:{kind}_note", args=[key]) for kind, key in objects_of(till))]:
        assert elsewhere.post(address, {"note": "x"}).status_code == 404, address
        assert reader.post(address, {"note": "x"}).status_code == 403, address
    assert not Note.objects.exists()
    assert "Add the note" not in page_of(reader, "sales_shift", till.shift_id).text


@pytest.mark.parametrize("change", ["UPDATE books_note SET text = 'x'", "DELETE FROM books_notetakenback"])
def test_the_database_keeps_notes_as_they_were_written(till: Till, change: str) -> None:

    with pytest.raises(DatabaseError, match="books"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
