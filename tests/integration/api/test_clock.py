"""Clocks that are wrong: times are kept as sent, and never refuse anything (what the service must survive, "Clock")."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from backoffice.inbox.models import Batch
from backoffice.ingestion.sweep import process_waiting
from backoffice.sales.models import Order
from tests.till import Till, a_sale, codes, outcomes


@pytest.mark.parametrize("year", [2006, 2046])
def test_a_device_twenty_years_off_posts_and_both_times_are_kept(year: int):
    till = Till()
    till.open(opened_at=f"{year}-03-01T08:00:00+01:00")
    order = a_sale(1001, opened_at=f"{year}-03-01T10:00:00+01:00", closed_at=f"{year}-03-01T10:01:00+01:00")
    assert outcomes(till.sell(order)) == ["posted"]
    row = Order.objects.get(order_id=order["order_id"])
    assert row.closed_at == datetime(year, 3, 1, 9, 1, tzinfo=UTC)
    assert abs(row.received_at - timezone.now()) < timedelta(minutes=5)


def test_a_clock_that_jumps_within_the_shift_posts_and_is_flagged(till: Till):
    order = a_sale(1001, opened_at="2006-03-01T10:00:00Z", closed_at="2006-03-01T10:01:00Z")
    receipt = till.sell(order)
    assert outcomes(receipt) == ["posted"]
    assert codes(receipt) == ["outside-shift-hours"]
    assert till.shift()["business_date"] == "2026-03-01"


def test_a_server_two_hours_ahead_of_another_makes_no_doubles(till: Till, monkeypatch: pytest.MonkeyPatch):
    order, right = a_sale(1001), timezone.now
    with monkeypatch.context() as ahead:
        ahead.setattr(timezone, "now", lambda: right() + timedelta(hours=2))
        first = till.upload(order).json()["batch_id"]
    second = till.upload(order).json()["batch_id"]
    process_waiting()
    with monkeypatch.context() as ahead:
        ahead.setattr(timezone, "now", lambda: right() + timedelta(hours=2))
        process_waiting()
    receipts = [till.receipt(batch_id) for batch_id in (first, second)]
    assert sorted(outcomes(receipts[0]) + outcomes(receipts[1])) == ["duplicate", "posted"]
    assert Order.objects.filter(order_id=order["order_id"]).count() == 1


def test_a_server_two_hours_behind_makes_no_doubles(till: Till, monkeypatch: pytest.MonkeyPatch):
    order, right = a_sale(1001), timezone.now
    till.sell(order)
    with monkeypatch.context() as behind:
        behind.setattr(timezone, "now", lambda: right() - timedelta(hours=2))
        assert outcomes(till.sell(order, a_sale(1002))) == ["duplicate", "posted"]


def test_what_a_server_ahead_received_is_processed_by_one_that_is_not(till: Till, monkeypatch: pytest.MonkeyPatch):
    right = timezone.now
    with monkeypatch.context() as ahead:
        ahead.setattr(timezone, "now", lambda: right() + timedelta(seconds=2))
        batch_id = till.upload(a_sale(1001)).json()["batch_id"]
    assert Batch.objects.get(batch_id=batch_id).state == "received"
    monkeypatch.setattr(timezone, "now", lambda: right() + timedelta(seconds=3))
    process_waiting()
    assert till.receipt(batch_id)["state"] == "processed"
