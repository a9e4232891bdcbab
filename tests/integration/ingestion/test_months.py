"""Partitions of the months to come are made ahead, and orders fall into them."""

from datetime import date

from django.db import connection

from backoffice.ingestion.months import make_months
from tests.till import Till, a_sale, outcomes


def partition_of(order_id: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM sales_order WHERE order_id = %s", [order_id])
        return str(cursor.fetchone()[0])


def sell_in(month: str) -> str:
    till = Till()
    till.open(opened_at=f"{month}-15T08:00:00Z")
    order = a_sale(1001, opened_at=f"{month}-15T09:00:00Z", closed_at=f"{month}-15T09:01:00Z")
    assert outcomes(till.sell(order)) == ["posted"]
    with connection.cursor() as cursor:  # as committed: what is checked at the end of a transaction is checked
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return str(order["order_id"])


def test_four_months_are_made_and_only_once():
    assert make_months(today=date(2031, 11, 30)) == 4
    assert make_months(today=date(2031, 11, 30)) == 0
    assert make_months(today=date(2031, 12, 1)) == 1


def test_an_order_falls_into_its_month():
    make_months(today=date(2031, 12, 31))
    assert [partition_of(sell_in(month)) for month in ("2031-12", "2032-02", "2032-04")] == [
        "sales_order_203112",
        "sales_order_203202",
        "sales_order_default",
    ]


def test_an_order_from_a_clock_that_ran_ahead_joins_its_month_and_stops_none():
    early = sell_in("2031-12")
    assert make_months(today=date(2031, 11, 1)) == 4
    assert partition_of(early) == "sales_order_203112"
    assert partition_of(sell_in("2032-01")) == "sales_order_203201"
