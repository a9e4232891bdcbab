"""A shift that went offline, from opening to reconciled books, over real HTTP with a real worker."""

import json
from uuid import uuid4

from tests.conftest import RunningStack
from tests.journeys.http_till import HttpTill, a_store_code
from tests.till import a_sale, outcomes


def books_of(stack: RunningStack, code: str) -> dict:
    report = json.loads(stack.manage("verify_books", "--json"))
    assert report["differences"] == []
    return next(store for store in report["stores"] if store["code"] == code)


def test_an_offline_shift_ends_in_books_that_equal_what_the_till_wrote_down(stack: RunningStack) -> None:
    code = a_store_code(stack)
    till = HttpTill(stack, code)
    assert till.open().status_code == 201
    live = till.upload(a_sale(1001, mode="online"), Prefer="wait=10")
    assert live.status_code == 200
    assert live.json()["outcomes"]["posted"] == 1

    cached = [a_sale(number) for number in range(1002, 1202)]
    batches = [str(uuid4()), str(uuid4())]
    till.upload(*cached[:120], batch_id=batches[0])
    till.upload(*cached[100:], batch_id=batches[1])  # overlapping: the answer to the first was lost
    receipts = [till.processed(batch) for batch in batches]
    assert sorted(outcomes(receipts[0]) + outcomes(receipts[1])) == ["duplicate"] * 20 + ["posted"] * 200

    live_order = live.json()["batch_id"]
    sold = [a_sale(1001), *cached]
    answer = till.close(*sold, batches=[live_order, *batches], counted=20000 + 201 * 240 - 350)
    assert answer.status_code == 202
    shift = till.settled()
    assert shift["state"] == "reconciled"
    assert shift["cash"] == {"expected": 68240, "counted": 67890, "over_short": -350}
    assert books_of(stack, code) == {
        "code": code,
        "currency": "EUR",
        "orders": 201,
        "sales": 201 * 240,
        "refunds": 0,
        "tax": 201 * 13,
        "tips": 0,
        "payments": {"cash": 201 * 240},
    }


def test_a_till_that_forgot_orders_is_told_which_and_its_shift_settles_when_they_come(stack: RunningStack) -> None:
    till = HttpTill(stack, a_store_code(stack))
    till.open()
    sold = [a_sale(number) for number in range(1001, 1011)]
    first, second = str(uuid4()), str(uuid4())
    till.upload(*sold[:4], *sold[7:], batch_id=first)
    till.close(*sold, batches=[first, second])
    till.processed(first)
    shift = till.shift()
    assert (shift["state"], shift["missing_numbers"], shift["missing_batches"]) == ("closing", [[1005, 1007]], [second])
    till.upload(*sold[4:7], batch_id=second)
    assert till.settled()["state"] == "reconciled"
