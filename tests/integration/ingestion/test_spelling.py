"""What an order says is stored as it says it, whichever of the two ways its rows are written (backoffice/postgres/copy.py)."""

from typing import Any

import pytest
from django.db import connection

from backoffice.postgres import copy
from tests.till import Till, a_sale

FEW, MANY = 3, copy.FEW + 1
BOTH_WAYS = pytest.mark.parametrize("count", [FEW, MANY])
# Equal numbers, spelled in as many ways.
SPELLED = ("2", "2.0", "2.00", "2.0000")


def stored(column: str, till: Till, table: str = "sales_order") -> list[Any]:
    """The values of a column, as texts, of the till's orders in the order of their numbers."""
    with connection.cursor() as cursor:
        joined = "sales_order o" if table == "sales_order" else f"{table} o JOIN sales_order p ON p.id = o.order_id"
        of = "o" if table == "sales_order" else "p"
        cursor.execute(
            f"SELECT (o.{column})::text FROM {joined} WHERE {of}.terminal_id = %s ORDER BY {of}.number",
            [till.terminal.pk],
        )
        return [row[0] for row in cursor.fetchall()]


def line(**changes: Any) -> dict[str, Any]:
    return a_sale(1)["lines"][0] | changes


@BOTH_WAYS
def test_numbers_keep_the_decimals_they_were_spelled_with(till: Till, count: int):
    quantities = [SPELLED[place % len(SPELLED)] for place in range(count)]
    till.sell(*(a_sale(1001 + place, lines=[line(quantity=text)]) for place, text in enumerate(quantities)))
    assert stored("quantity", till, "sales_orderline") == quantities


@BOTH_WAYS
def test_rates_keep_the_decimals_they_were_spelled_with(till: Till, count: int):
    rates = ["0.20" if place % 2 else "0.2" for place in range(count)]
    sales = [
        a_sale(1001 + place, lines=[line(taxes=[{"code": "A", "rate": rate, "amount": 40}])])
        for place, rate in enumerate(rates)
    ]
    till.sell(*sales)
    assert stored("taxes #>> '{0,rate}'", till, "sales_orderline") == rates


@BOTH_WAYS
def test_a_price_may_be_a_fraction_of_the_minor_unit(till: Till, count: int):
    prices = ["149.9999" if place % 2 else 120 for place in range(count)]
    sales = [
        a_sale(1001 + place, lines=[line(quantity="1.6", unit_price=price, amount=240)])
        for place, price in enumerate(prices)
    ]
    till.sell(*sales)
    assert stored("unit_price", till, "sales_orderline") == [str(price) for price in prices]


@BOTH_WAYS
def test_what_is_json_is_stored_as_json(till: Till, count: int):
    customer = {"name": "Zoë", "tags": ["a", 1, None]}
    sales = [a_sale(1001 + place, mode="online", customer=customer if place else None) for place in range(count)]
    sales[-1] |= {"mode": "offline"}
    till.sell(*sales)
    assert stored("customer ->> 'name'", till) == [None, *["Zoë"] * (count - 1)]
    assert stored("flags #>> '{0,code}'", till) == [*[None] * (count - 1), "customer-on-offline-order"]
    assert stored("taxes #>> '{0,rate}'", till, "sales_orderline") == ["0.055"] * count


@BOTH_WAYS
def test_numbers_of_any_size_and_sign_are_kept(till: Till, count: int):
    some = [
        "0",
        "0.00",
        "0.0001",
        "-0.5",
        "1",
        "-3.25",
        "9999.9999",
        "10000",
        "10000.0100",
        "-123456789.1",
        "1000000000000",
    ]
    quantities = [some[place % len(some)] for place in range(max(count, len(some)))]
    lines = [line(quantity=text, unit_price=0, discount=-240) for text in quantities]
    till.sell(*(a_sale(1001 + place, lines=[one]) for place, one in enumerate(lines)))
    assert stored("quantity", till, "sales_orderline") == quantities
