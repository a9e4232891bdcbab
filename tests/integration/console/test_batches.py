"""Batches in the console: what arrived, and what became of it."""

import pytest

from backoffice.inbox.models import Batch
from tests.integration.console.conftest import Open
from tests.till import Till, a_movement, a_sale

pytestmark = pytest.mark.django_db


def a_till() -> Till:
    till = Till()
    till.open()
    return till


def test_the_list_says_what_became_of_the_orders(page: Open) -> None:
    till = a_till()
    sale = a_sale(1001)
    till.sell(sale, sale, a_sale(1002, total=1), movements=[a_movement()])

    row = page("inbox_batch_changelist", store=till.store.pk).rows[0]

    assert "Done" in row.text
    assert "3 orders, 1 cash movement" in row.text
    assert "1 in the books, 1 sent before, 1 held" in row.text
    assert "cash movements: 1 in the books" in row.text


def test_the_page_names_what_it_did_not_bring_into_the_books(page: Open) -> None:
    till = a_till()
    receipt = till.sell(a_sale(1001, mode="online"), a_sale(1002, total=1))

    read = page("inbox_batch_change", receipt["batch_id"])

    assert "2 1002 * Held The total is not the sum" in read.text
    assert "1001 Sale" in read.text
    assert "1 in the books, 1 held" in read.text


def test_a_waiting_upload_says_how_long(page: Open) -> None:
    till = a_till()
    batch_id = till.upload(a_sale(1001)).json()["batch_id"]

    assert "so far" in page("inbox_batch_changelist", store=till.store.pk, state="received").rows[0].text
    assert "Not processed yet" in page("inbox_batch_change", batch_id).text


def test_a_failed_upload_shows_its_last_error_and_that_nothing_is_lost(page: Open) -> None:
    till = a_till()
    batch_id = till.upload(a_sale(1001)).json()["batch_id"]
    Batch.objects.filter(pk=batch_id).update(state="failed", attempts=5, last_error="ValueError: <b>no</b>")

    row = page("inbox_batch_changelist", store=till.store.pk, state="failed").rows[0]
    read = page("inbox_batch_change", batch_id)

    assert "Failed" in row.text
    assert "ValueError: <b>no</b>" in row.text
    assert "Nothing is lost" in read.text
    assert "ValueError: <b>no</b>" in read.text
    assert "Tries 5" in read.text


def test_an_unreadable_order_is_listed_without_a_number(page: Open) -> None:
    till = a_till()
    receipt = till.sell(7)
    assert "1 – Held It cannot be read as an order." in page("inbox_batch_change", receipt["batch_id"]).text
