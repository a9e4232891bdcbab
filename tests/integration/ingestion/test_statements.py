"""A batch costs a handful of statements, whatever its size (architecture, "How it works" 6)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.ingestion.batch.claims import process_next
from tests.till import Till, a_movement, a_sale

BOUND = 20


def statements_to_process(till: Till, orders: list[Any], movements: Any = ()) -> list[str]:
    """The SQL of processing one batch."""
    batch_id = till.upload(*orders, movements=movements).json()["batch_id"]
    with CaptureQueriesContext(connection) as captured:
        assert process_next(now=timezone.now())
    statements = [query["sql"] for query in captured.captured_queries]  # the next request clears Django's log of them
    assert till.send("GET", f"batches/{batch_id}").json()["state"] == "processed"
    assert any("inbox_batch" in statement for statement in statements)
    return statements


def statements_of(request: Callable[[], Any]) -> int:
    """How much SQL one request of a terminal costs."""
    counted = 0

    def count(execute: Any, *args: Any) -> Any:
        nonlocal counted
        counted += 1
        return execute(*args)

    with connection.execute_wrapper(count):
        request()
    return counted


def round_trips_of(request: Callable[[], Any]) -> int:
    """How often one request of a terminal waits for PostgreSQL: what is sent in one pipeline waits once."""
    trips: list[object] = []

    def note(execute: Any, *args: Any) -> Any:
        trips.append(connection.connection._pipeline or object())
        return execute(*args)

    with connection.execute_wrapper(note):
        request()
    return len({id(trip) for trip in trips})


def sales(count: int, first: int) -> list[dict[str, Any]]:
    return [a_sale(first + index) for index in range(count)]


def test_new_orders_cost_a_bounded_number_of_statements(till: Till):
    fifty = statements_to_process(till, sales(50, 1001))
    five_hundred = statements_to_process(till, sales(500, 2001))
    assert len(five_hundred) == len(fifty) <= BOUND, five_hundred


def test_known_orders_cost_a_bounded_number_of_statements(till: Till):
    few, many = sales(50, 1001), sales(500, 2001)
    till.sell(*few)
    till.sell(*many)
    fifty, five_hundred = statements_to_process(till, few), statements_to_process(till, many)
    assert len(five_hundred) == len(fifty) <= BOUND, five_hundred


def test_so_do_held_and_conflicting_orders(till: Till):
    def bad(count: int, first: int) -> list[Any]:
        orders = sales(count, first)
        return [order | {"total": 1} for order in orders] + [order | {"number": 900} for order in orders] + [None]

    fifty = statements_to_process(till, bad(50, 1001))
    five_hundred = statements_to_process(till, bad(500, 2001))
    assert len(five_hundred) == len(fifty) <= BOUND, five_hundred


def test_so_do_cash_movements(till: Till):
    fifty = statements_to_process(till, [], [a_movement() for _ in range(50)])
    five_hundred = statements_to_process(till, [], [a_movement() for _ in range(500)])
    assert len(five_hundred) == len(fifty) <= BOUND, five_hundred


def test_card_references_cost_three_statements_whatever_their_number(till: Till):
    def by_card(count: int, first: int) -> list[Any]:
        return [
            a_sale(number, payments=[{"method": "card", "amount": 240, "reference": f"R{number}"}])
            for number in range(first, first + count)
        ]

    without = statements_to_process(till, sales(50, 1001))
    fifty = statements_to_process(till, by_card(50, 2001))
    five_hundred = statements_to_process(till, by_card(500, 3001))
    assert len(five_hundred) == len(fifty) == len(without) + 3, five_hundred
    again = statements_to_process(till, [order | {"number": order["number"] + 4000} for order in by_card(500, 3001)])
    assert len(again) == len(fifty), again


def test_so_does_what_comes_after_the_close(till: Till):
    till.close()
    fifty = statements_to_process(till, sales(50, 1001))
    five_hundred = statements_to_process(till, sales(500, 2001))
    assert len(five_hundred) == len(fifty) <= 2 * BOUND, five_hundred


@pytest.mark.parametrize("count", [1, 500])
def test_an_upload_costs_as_much_whatever_it_holds(till: Till, count: int):
    assert statements_of(lambda: till.upload(*sales(count, 1001))) in range(1, 9)


def test_a_receipt_and_a_shift_are_a_few_statements(till: Till):
    receipt = till.sell(*sales(200, 1001), *[a_sale(5000 + index, total=1) for index in range(50)])
    question = f"batches/{receipt['batch_id']}?results=all"
    assert statements_of(lambda: till.send("GET", question)) in range(1, 5)
    assert statements_of(till.shift) in range(1, 11)


@pytest.mark.parametrize("count", [2, 200])
def test_a_close_waits_for_the_database_a_few_times_whatever_was_sold(till: Till, count: int):
    """Where many are at work each wait is a turn that is lost: half of them were questions that could be asked together."""
    batch_id = till.sell(*sales(count, 1001))["batch_id"]
    trips = round_trips_of(lambda: till.close(*sales(count, 1001), batches=[batch_id], counted=1, float_left=0))
    assert till.shift()["cash"]["over_short"] < 0
    assert trips in range(10, 25)
