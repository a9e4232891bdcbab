"""Stores in the console: their settings, in amounts as people write them."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.integration.console.conftest import Open
from tests.till import a_store

pytestmark = pytest.mark.django_db


def test_limits_are_typed_in_the_currency_and_kept_in_minor_units(head_office: Client, page: Open) -> None:
    store = a_store()
    address = reverse("admin:fleet_store_change", args=[store.pk])

    answer = head_office.post(
        address, {"name": "Bastille", "max_order_total": "1250.50", "rounding_step": "0.05", "refund_days": "30"}
    )

    assert answer.status_code == 302
    store.refresh_from_db()
    assert (store.name, store.max_order_total, store.rounding_step, store.refund_days) == ("Bastille", 125050, 5, 30)
    assert store.min_refund_total is None
    form = page("fleet_store_change", store.pk)
    assert "Largest order (EUR)" in form.text
    assert 'value="1250.50"' in form.html


def test_what_a_drawer_may_differ_by_and_how_cash_is_rounded_are_settings(head_office: Client, page: Open) -> None:
    store = a_store()
    address = reverse("admin:fleet_store_change", args=[store.pk])

    typed = {"name": "Bastille", "rounding_step": "1", "rounding_mode": "down", "max_over_short": "5.00"}
    assert head_office.post(address, typed).status_code == 302
    store.refresh_from_db()
    assert (store.rounding_mode, store.max_over_short) == ("down", 500)
    form = page("fleet_store_change", store.pk)
    assert "Most over or short (EUR)" in form.text
    assert "How cash is rounded" in form.text
    assert 'value="5.00"' in form.html

    assert head_office.post(address, typed | {"rounding_mode": "sideways"}).status_code == 200
    assert head_office.post(address, typed | {"max_over_short": "-1"}).status_code == 200
    assert head_office.post(address, {"name": "Bastille"}).status_code == 302
    store.refresh_from_db()
    assert (store.rounding_mode, store.max_over_short) == (None, None)


def test_a_currency_without_decimals_takes_none(head_office: Client) -> None:
    store = a_store(currency="JPY", timezone="Asia/Tokyo")
    address = reverse("admin:fleet_store_change", args=[store.pk])

    assert head_office.post(address, {"name": "Tokyo", "max_order_total": "100.5"}).status_code == 200
    assert head_office.post(address, {"name": "Tokyo", "max_order_total": "100000"}).status_code == 302
    store.refresh_from_db()
    assert store.max_order_total == 100000


def test_types_of_order_are_typed_with_commas_and_none_are_the_protocols_own(head_office: Client, page: Open) -> None:
    store = a_store()
    address = reverse("admin:fleet_store_change", args=[store.pk])

    assert "Empty: delivery, on_table, takeaway." in page("fleet_store_change", store.pk).text
    typed = {"name": "Bastille", "order_types": " takeaway,drive_thru, ,takeaway,"}
    assert head_office.post(address, typed).status_code == 302
    store.refresh_from_db()
    assert store.order_types == ["drive_thru", "takeaway"]
    assert 'value="drive_thru, takeaway"' in page("fleet_store_change", store.pk).html

    assert head_office.post(address, {"name": "Bastille", "order_types": " , "}).status_code == 302
    store.refresh_from_db()
    assert store.order_types is None


def test_a_type_of_order_that_no_order_could_have_is_refused(head_office: Client) -> None:
    store = a_store()
    address = reverse("admin:fleet_store_change", args=[store.pk])
    assert head_office.post(address, {"name": "Bastille", "order_types": "x" * 65}).status_code == 200
    assert head_office.post(address, {"name": "Bastille", "order_types": "x" * 64}).status_code == 302


def test_what_the_books_refer_to_stays(head_office: Client) -> None:
    store = a_store()
    head_office.post(
        reverse("admin:fleet_store_change", args=[store.pk]),
        {"name": "Bastille", "code": "OTHER", "currency": "USD", "timezone": "Asia/Tokyo"},
    )
    kept = (store.code, store.currency, store.timezone)
    store.refresh_from_db()
    assert (store.code, store.currency, store.timezone) == kept
