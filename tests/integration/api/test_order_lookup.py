"""`GET /store/orders/{order_id}` and by number: what a refund at another till of the store needs to know (protocol §8)."""

import re
import zlib
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from backoffice.fleet.models import Store
from backoffice.ingestion.store_order import SELECT_BY_IDENTIFIER, SELECT_BY_NUMBER, SELECT_GIVEN_BACK
from tests.till import Till, a_sale, a_store

CARD = "4111111111111111"
# As many orders as a plan needs to be read for: with few, reading everything is quickest indeed.
MANY = 20_000


def a_till(store: Store | None = None, name: str = "Till 1", **opening: Any) -> Till:
    till = Till(store, name=name)
    assert till.open(**opening).status_code == 201
    return till


def a_line(amount: int, **changes: Any) -> dict[str, Any]:
    quantity = "-1" if amount < 0 else "1"
    return {"quantity": quantity, "unit_price": abs(amount), "amount": amount, "taxes": []} | changes


def an_order(number: int, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Paid in cash, with these lines; prices include tax."""
    total = sum(line["amount"] for line in lines)
    kind = "refund" if total < 0 else "sale"
    payments = [{"method": "cash", "amount": total}] if total else []
    return a_sale(number, kind=kind, lines=list(lines), total=total, payments=payments) | changes


def look_up(till: Till, order: dict[str, Any] | str) -> dict[str, Any]:
    order_id = order if isinstance(order, str) else order["order_id"]
    answer = till.send("GET", f"store/orders/{order_id}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def by_number(till: Till, seller: Till, number: Any) -> Any:
    return till.send("GET", f"store/orders/by-number?terminal_id={seller.terminal.uuid}&number={number}")


def given_back(till: Till, order: dict[str, Any]) -> tuple[int, list[tuple[str, int]]]:
    found = look_up(till, order)["given_back"]
    return found["amount"], [(entry["order_id"], entry["amount"]) for entry in found["by"]]


def posted(till: Till, *orders: dict[str, Any]) -> None:
    receipt = till.sell(*orders)
    assert receipt["outcomes"]["posted"] == len(orders), receipt["results"]


def test_another_till_of_the_store_finds_an_order_by_its_identifier_and_by_its_number():
    seller = a_till()
    other = Till(seller.store, name="Till 2")
    order = a_sale(1001, customer={"name": "Léa", "points": 1.5}, note="A gift")
    receipt = seller.sell(a_sale(1002), order)
    found = look_up(other, order)
    assert by_number(other, seller, 1001).json() == found
    shown = found.pop("order")
    for line in shown["lines"]:
        line.pop("refund_of", None)
    assert {name: shown[name] for name in order} == order
    assert found == {
        "state": "posted",
        "terminal_id": str(seller.terminal.uuid),
        "terminal_name": "Till 1",
        "shift_id": str(seller.shift_id),
        "posted_at": receipt["processed_at"],
        "given_back": {"amount": 0, "by": []},
    }


def test_numbers_are_spelled_as_they_were_sent_and_what_was_left_out_has_its_default():
    till = a_till()
    line = {"quantity": "1.50", "unit_price": "130.7", "amount": 196, "taxes": []}
    order = an_order(1001, line)
    for name in ("cashier", "customer", "note", "tip"):
        order.pop(name)
    posted(till, order)
    shown = look_up(till, order)["order"]
    assert (shown["lines"][0]["quantity"], shown["lines"][0]["unit_price"]) == ("1.50", "130.7")
    assert (shown["cashier"], shown["customer"], shown["note"], shown["tip"]) == ("", None, "", 0)


def test_card_numbers_and_fields_that_nobody_knows_are_not_in_it():
    till = a_till()
    order = a_sale(1001, note=f"Paid with {CARD}", cvv="123", new_field=CARD)
    posted(till, order)
    answer = till.send("GET", f"store/orders/{order['order_id']}")
    assert CARD.encode() not in answer.content
    assert answer.json()["order"]["note"] == "Paid with ************1111"
    assert not {"cvv", "new_field"} & set(answer.json()["order"])


def look_up_stored_with(till: Till, order: dict[str, Any], text: str, instead: str) -> dict[str, Any]:
    """The order as it is shown where its batch was stored with something else in the place of a text."""
    decompress = zlib.decompress
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zlib, "decompress", lambda body: decompress(body).replace(text.encode(), instead.encode()))
        return look_up(till, order)["order"]


def test_a_card_number_that_an_earlier_version_did_not_mask_is_masked_when_it_is_shown():
    till = a_till()
    order = a_sale(1001, note="of before")
    posted(till, order)
    assert look_up_stored_with(till, order, "of before", CARD)["note"] == "************1111"


def test_an_order_of_before_is_shown_as_it_was_understood_then():
    till = a_till()
    order = a_sale(1001, note="of before")
    posted(till, order)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sales_identity SET hash_version = NULL WHERE item_id = %s", [order["order_id"]])
    shown = look_up_stored_with(till, order, "of before", 'of before", "adjusts": "table 7", "more": "')
    assert (shown["note"], shown["adjusts"], shown["total"]) == ("of before", None, 240)


@pytest.mark.parametrize("status", ["voided", "training"])
def test_an_order_that_was_not_paid_is_in_no_books(status: str):
    till = a_till()
    order = a_sale(1001, status=status)
    posted(till, order)
    assert till.send("GET", f"store/orders/{order['order_id']}").status_code == 404
    assert by_number(till, till, 1001).status_code == 404


def test_what_is_not_in_the_books_of_the_store_is_not_found():
    till, stranger = a_till(), a_till()
    held, elsewhere = a_sale(1001, total=999), a_sale(1001)
    till.sell(held)
    posted(stranger, elsewhere)
    answers = [
        till.send("GET", f"store/orders/{order_id}") for order_id in (held["order_id"], elsewhere["order_id"], uuid4())
    ]
    answers += [by_number(till, till, 1001), by_number(till, stranger, 1001), by_number(till, till, 1002)]
    told = {re.sub(r'"instance":"[^"]*"', "", answer.content.decode()) for answer in answers}
    assert {answer.status_code for answer in answers} == {404}
    assert len(told) == 1  # what is elsewhere is told apart by nothing from what is nowhere
    assert told.pop().count("not-found") == 1


@pytest.mark.parametrize("number", ["", "0", "-1", "1001x", "1e3", "9" * 16, "9" * 5000, "１００１"])
def test_a_number_that_cannot_be_one_is_not_found(number: str):
    till = a_till()
    posted(till, a_sale(1001))
    assert by_number(till, till, number).status_code == 404


def test_a_question_without_a_terminal_or_of_no_identifier_is_not_found():
    till = Till()
    for query in ("", "?number=1001", "?terminal_id=x&number=1001", f"?terminal_id={till.terminal.uuid}"):
        assert till.send("GET", f"store/orders/by-number{query}").status_code == 404
    assert till.send("GET", "store/orders/x").status_code == 404
    assert till.send("GET", f"store/orders/{uuid4()}", Authorization="Bearer x").status_code == 401


def test_what_was_given_back_is_added_up_over_terminals_and_kinds_of_orders():
    first = a_till()
    second = a_till(first.store, "Till 2", number=1)
    sold, other = an_order(1001, a_line(1000)), an_order(1002, a_line(800))
    posted(first, sold, other)
    refund = an_order(1001, a_line(-400), refund_of=sold["order_id"])
    exchange = an_order(1002, a_line(-300, refund_of=sold["order_id"]), a_line(900))
    of_two = an_order(1003, a_line(-100), a_line(-800, refund_of=other["order_id"]), refund_of=sold["order_id"])
    posted(second, refund, exchange, of_two)
    assert given_back(first, sold) == (
        800,
        [(refund["order_id"], 400), (exchange["order_id"], 300), (of_two["order_id"], 100)],
    )
    (entry,) = look_up(first, other)["given_back"]["by"]
    assert entry == {
        "order_id": of_two["order_id"],
        "terminal_id": str(second.terminal.uuid),
        "number": 1003,
        "closed_at": "2026-03-01T09:01:00Z",
        "amount": 800,
    }


def test_discounts_rounding_and_tips_and_what_was_not_paid_give_nothing_back():
    till = a_till()
    sold = an_order(1001, a_line(998), tip=200, payments=[{"method": "cash", "amount": 1198}])
    posted(till, sold)
    lines = [a_line(-998), a_line(98, kind="discount")]
    refund = an_order(1002, *lines, rounding=-2, total=-902, refund_of=sold["order_id"])
    refund |= {"payments": [{"method": "cash", "amount": -902}], "kind": "refund"}
    voided = an_order(1003, a_line(-998), refund_of=sold["order_id"], status="voided")
    posted(till, refund, voided)
    assert given_back(till, sold) == (998, [(refund["order_id"], 998)])


def test_where_prices_do_not_include_tax_it_counts_with_its_tax():
    till = a_till(a_store(prices_include_tax=False))
    taxes = [{"code": "A", "rate": "0.2", "amount": -200}, {"code": "B", "rate": "0.05", "amount": -50}]
    sold = an_order(1001, a_line(1000))
    refund = an_order(1002, a_line(-1000, taxes=taxes), refund_of=sold["order_id"], total=-1250)
    posted(till, sold, refund | {"payments": [{"method": "cash", "amount": -1250}]})
    assert given_back(till, sold)[0] == 1250


def test_nothing_of_another_store_is_given_back():
    till, stranger = a_till(), a_till()
    sold = an_order(1001, a_line(1000))
    posted(till, sold)
    posted(stranger, an_order(1001, a_line(-1000), refund_of=sold["order_id"]))
    assert given_back(till, sold) == (0, [])


def test_an_order_is_found_in_as_few_statements_however_much_gave_it_back():
    till = a_till()
    sold, returned = an_order(1001, a_line(5000)), an_order(1002, a_line(5000))
    posted(till, sold, returned)
    posted(till, *[an_order(1003 + n, a_line(-100), refund_of=returned["order_id"]) for n in range(30)])

    def statements(order: dict[str, Any]) -> int:
        with CaptureQueriesContext(connection) as captured:
            look_up(till, order)
        return len(captured)

    assert statements(sold) == statements(returned)
    assert given_back(till, returned)[0] == 3000


# One order of a store, as it was posted, and `MANY` like it in the same months, each with a line; one in five is a refund.
FILL_ORDERS = """
INSERT INTO sales_order SELECT (filled.o).* FROM (
    SELECT jsonb_populate_record(o, jsonb_build_object(
        'id', 10000000000 + n, 'order_id', gen_random_uuid(), 'number', 100000 + n,
        'refund_of', CASE WHEN n %% 5 = 0 THEN gen_random_uuid() END)) AS o
    FROM sales_order o, generate_series(1, %(many)s) n WHERE o.order_id = %(order_id)s
) filled
"""
FILL_LINES = """
INSERT INTO sales_orderline SELECT (filled.l).* FROM (
    SELECT jsonb_populate_record(l, jsonb_build_object('order_id', 10000000000 + n)) AS l
    FROM sales_orderline l JOIN sales_order o ON o.id = l.order_id AND o.business_date = l.business_date,
        generate_series(1, %(many)s) n WHERE o.order_id = %(order_id)s
) filled
"""


@pytest.fixture
def filled() -> Iterator[dict[str, Any]]:
    """The parameters of a look-up in a table that has many orders beside it. Rolled back before the promises are checked."""
    till = a_till()
    sold = an_order(1001, a_line(1000))
    posted(till, sold, an_order(1002, a_line(-400), refund_of=sold["order_id"]))
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (FILL_ORDERS, FILL_LINES):
            cursor.execute(statement, {"many": MANY, "order_id": sold["order_id"]})
        cursor.execute("ANALYZE sales_order, sales_orderline, sales_identity")
        yield {
            "store_id": till.store.pk,
            "order_id": sold["order_id"],
            "terminal_id": till.terminal.uuid,
            "number": 1001,
            "limit": 1000,
        }
        transaction.set_rollback(True)


def scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from scans(part)


@pytest.mark.parametrize("statement", [SELECT_BY_IDENTIFIER, SELECT_BY_NUMBER, SELECT_GIVEN_BACK])
@pytest.mark.parametrize("kept", ["force_custom_plan", "force_generic_plan"])
def test_a_look_up_reads_a_few_rows_of_a_full_table(filled: dict[str, Any], statement: str, kept: str):
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL plan_cache_mode = {kept}")
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement, filled)
        ((plan,),) = cursor.fetchall()
    for part in scans(plan[0]["Plan"]):
        read = (part["Actual Rows"] + part.get("Rows Removed by Filter", 0)) * part["Actual Loops"]
        assert read < 100, part
