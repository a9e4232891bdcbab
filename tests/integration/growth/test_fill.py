"""What `make bench-growth` fills is what the product would have written, and what it looks up reads no table from end to end."""

from collections.abc import Iterator
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from pytest_django import DjangoDbBlocker

from backoffice.audit.run import audit
from backoffice.fleet.models import Terminal
from backoffice.ingestion.months import drain_default
from backoffice.sales.models import Order, Shift
from tests.bench.console import Ask, asks, measure, scans
from tests.bench.fill import MONTHS, Plan, fill, growing_tables
from tests.bench.fleet import token_of
from tests.signing_in import sign_in

ORDERS = 10_000
TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def filled(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Plan]:
    """Two years of sales, in a transaction that is rolled back when this module's tests are through."""
    with django_db_blocker.unblock(), transaction.atomic():
        drain_default(today=TODAY)
        yield fill(orders=ORDERS, today=TODAY, code="FILL", processes=1)
        transaction.set_rollback(True)


def test_the_books_are_those_that_the_bodies_make(filled: Plan) -> None:
    report = audit(progress=lambda *_: None)
    stores = [store for store in report.stores if store.code.startswith("FILL-")]
    # Other tests commit what has no source, such as an entry copied by a transaction that ends late.
    assert [found for found in report.differences if (found.store or "FILL-").startswith("FILL-")] == []
    assert sum(store.figures.orders + store.figures.unpaid for store in stores) == filled.orders == ORDERS
    assert sum(store.figures.unpaid for store in stores) > 0
    assert sum(store.figures.refunds for store in stores) < 0


def test_every_month_is_filled_and_the_default_partition_is_not(filled: Plan) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text, count(*) FROM sales_order WHERE store_id = ANY(%s) GROUP BY 1",
            [sorted({place.store_id for place in filled.places})],
        )
        counts = dict(cursor.fetchall())
    assert len(counts) == MONTHS
    assert "sales_order_default" not in counts
    assert min(counts.values()) > ORDERS / MONTHS / 3


def test_a_filled_shift_stands_as_if_its_terminal_had_closed_it(filled: Plan) -> None:
    shift = Shift.objects.filter(terminal_id=filled.places[0].terminal_id).order_by("opened_at").last()
    assert shift is not None
    answer = (
        Client()
        .get(f"/api/v1/shifts/{shift.pk}", headers={"Authorization": f"Bearer {_token(filled.places[0].terminal_id)}"})
        .json()
    )
    assert (answer["state"], answer["differences"], answer["missing_numbers"]) == ("reconciled", [], [])
    assert answer["computed"]["order_count"] == Order.objects.filter(shift_id=shift.pk).count()


def test_no_list_page_or_look_up_needs_a_table_read_from_end_to_end(filled: Plan) -> None:
    """With few rows a planner may like to; asked not to, it must always have another way."""
    client = Client()
    sign_in(client, User.objects.create_superuser("growth"))
    growing = dict.fromkeys(growing_tables(), float("inf"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    everything: list[Ask] = asks(times=1)
    assert len(everything) > 45
    found = {ask.kind: measure(ask, client, growing).scanned for ask in everything}
    assert {kind: tables for kind, tables in found.items() if tables} == {}


def test_a_table_that_is_read_from_end_to_end_is_noticed(filled: Plan) -> None:
    growing = dict.fromkeys(growing_tables(), float("inf"))
    assert "sales_order_202601" in set(scans("SELECT * FROM sales_order WHERE note = 'x'", growing))
    assert list(scans("SELECT * FROM sales_order WHERE id = 1 AND business_date = '2026-01-05'", growing)) == []


def _token(terminal_id: int) -> str:
    return token_of(Terminal.objects.get(pk=terminal_id).uuid)
