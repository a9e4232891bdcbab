"""`GET /batches/{batch_id}`: what was received, and what became of each order (protocol §5)."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from backoffice.ingestion.sweep import process_waiting
from tests.till import Till, a_movement, a_sale, codes

NONE_YET = {"posted": 0, "duplicate": 0, "conflict": 0, "held": 0}
FIELDS = {
    "batch_id",
    "shift_id",
    "state",
    "received_at",
    "processed_at",
    "orders",
    "outcomes",
    "results",
    "movements",
}


def flagged(number: int) -> dict[str, Any]:
    return a_sale(number, customer={"name": "Léa"})


def short_receipt(till: Till, *orders: Any, movements: Any = ()) -> dict[str, Any]:
    batch_id = till.upload(*orders, movements=movements).json()["batch_id"]
    process_waiting()
    answer = till.send("GET", f"batches/{batch_id}")
    assert answer.status_code == 200
    return answer.json()


def test_before_processing_the_counts_are_zero_and_the_lists_empty(till: Till):
    batch_id = till.upload(a_sale(1001), None, movements=[a_movement()]).json()["batch_id"]
    for question in ("", "?results=all"):
        receipt = till.send("GET", f"batches/{batch_id}{question}").json()
        assert datetime.fromisoformat(receipt.pop("received_at")).tzinfo is not None
        assert receipt == {
            "batch_id": batch_id,
            "shift_id": str(till.shift_id),
            "state": "received",
            "processed_at": None,
            "orders": 2,
            "outcomes": NONE_YET,
            "results": [],
            "movements": {"outcomes": NONE_YET, "results": []},
        }


def test_it_always_has_every_field(till: Till):
    assert set(short_receipt(till)) == FIELDS
    assert set(short_receipt(till, None, a_sale(1001), movements=[None])) == FIELDS


def test_results_list_what_is_not_posted_or_has_reasons(till: Till):
    held, conflict, number_taken = a_sale(1003, total=1), a_sale(1004), a_sale(1001)
    receipt = short_receipt(till, a_sale(1001), flagged(1002), held, conflict, conflict | {"note": "x"}, number_taken)
    assert [(result["index"], result["outcome"]) for result in receipt["results"]] == [
        (1, "posted"),
        (2, "held"),
        (3, "conflict"),
        (4, "conflict"),
        (5, "conflict"),
    ]
    assert receipt["outcomes"] == {"posted": 2, "duplicate": 0, "conflict": 3, "held": 1}


def test_all_results_list_every_order_in_the_order_sent(till: Till):
    orders = [a_sale(1001), flagged(1002), a_sale(1003, total=1), a_sale(1004)]
    receipt = till.sell(*orders)
    assert [
        (result["index"], result["order_id"], result["number"], result["outcome"]) for result in receipt["results"]
    ] == [
        (0, orders[0]["order_id"], 1001, "posted"),
        (1, orders[1]["order_id"], 1002, "posted"),
        (2, orders[2]["order_id"], 1003, "held"),
        (3, orders[3]["order_id"], 1004, "posted"),
    ]
    assert [codes(receipt, index) for index in (0, 1, 3)] == [[], ["customer-on-offline-order"], []]
    for result in receipt["results"]:
        assert set(result) == {"index", "order_id", "number", "outcome", "reasons", "decision"}


def test_a_result_says_why_and_where(till: Till):
    result = short_receipt(till, a_sale(1001), flagged(1002))["results"][0]
    assert result["decision"] is None
    (reason,) = result["reasons"]
    assert set(reason) == {"code", "pointer", "detail"}
    assert (reason["code"], reason["pointer"]) == ("customer-on-offline-order", "/customer")
    assert reason["detail"]


def test_identifier_and_number_are_null_where_they_could_not_be_read(till: Till):
    nothing, no_id, no_number = None, a_sale(1001, order_id=7), a_sale(1002, number="1002")
    results = short_receipt(till, nothing, no_id, no_number)["results"]
    assert [(result["order_id"], result["number"]) for result in results] == [
        (None, None),
        (None, 1001),
        (no_number["order_id"], None),
    ]


def test_a_voided_order_is_posted(till: Till):
    receipt = short_receipt(till, a_sale(1001, status="voided"), a_sale(1002, status="training"))
    assert (receipt["outcomes"]["posted"], receipt["results"]) == (2, [])


def test_movements_have_outcomes_and_results_of_their_own(till: Till):
    good, odd, bad = a_movement(), a_movement(reason="parking"), a_movement(amount=0)
    receipt = short_receipt(till, movements=[good, odd, bad, good, "x"])
    assert receipt["orders"] == 0
    assert receipt["movements"]["outcomes"] == {"posted": 2, "duplicate": 1, "conflict": 0, "held": 2}
    results = receipt["movements"]["results"]
    assert [(result["index"], result["movement_id"], result["outcome"]) for result in results] == [
        (1, odd["movement_id"], "posted"),
        (2, bad["movement_id"], "held"),
        (3, good["movement_id"], "duplicate"),
        (4, None, "held"),
    ]
    assert codes({"results": results}, 0) == ["unknown-cash-reason"]
    everything = till.receipt(receipt["batch_id"])["movements"]["results"]
    assert [result["index"] for result in everything] == [0, 1, 2, 3, 4]


def test_the_outcome_stays_what_it_was_at_processing(till: Till):
    order = a_sale(1001)
    first = till.sell(order)
    till.sell(order)
    till.sell(order | {"note": "changed"})
    assert till.receipt(first["batch_id"]) == first


def test_processed_it_says_when(till: Till):
    receipt = short_receipt(till, a_sale(1001))
    assert receipt["state"] == "processed"
    assert datetime.fromisoformat(receipt["processed_at"]) >= datetime.fromisoformat(receipt["received_at"])


def test_a_batch_that_was_never_sent_is_404(till: Till):
    answer = till.send("GET", f"batches/{uuid4()}")
    assert answer.status_code == 404
    assert answer.json()["type"].endswith("/not-found")


def test_it_cannot_be_read_by_another_terminal(till: Till):
    batch_id = till.upload(a_sale(1001)).json()["batch_id"]
    other = Till(till.store, name="Till 2")
    assert other.send("GET", f"batches/{batch_id}").status_code == 404
    assert other.send("GET", f"batches/{batch_id}?results=all").status_code == 404


def test_an_unknown_question_is_ignored(till: Till):
    batch_id = till.sell(a_sale(1001))["batch_id"]
    assert till.send("GET", f"batches/{batch_id}?results=some&x=1").json()["results"] == []


def put_asking_for_all(till: Till, batch_id: Any, message: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = till.send("PUT", f"shifts/{till.shift_id}/batches/{batch_id}?results=all", message, **headers)
    assert answer.status_code in {200, 202}, answer.content
    return answer.json()


def test_a_live_order_may_ask_for_its_own_result_though_it_is_plainly_posted(till: Till):
    order = a_sale(1001, mode="online")
    message = {"orders": [order], "cash_movements": [movement := a_movement()]}
    receipt = put_asking_for_all(till, uuid4(), message, Prefer="wait=5")
    assert receipt["state"] == "processed"
    plain = {"index": 0, "outcome": "posted", "reasons": [], "decision": None}
    assert receipt["results"] == [plain | {"order_id": order["order_id"], "number": 1001}]
    assert receipt["movements"]["results"] == [plain | {"movement_id": movement["movement_id"]}]


def test_a_repeat_may_ask_for_all_results_as_well_once_there_are_any(till: Till):
    batch_id, message = uuid4(), {"orders": [a_sale(1001), flagged(1002), a_sale(1003, total=1), None]}
    assert put_asking_for_all(till, batch_id, message)["results"] == []
    process_waiting()
    receipt = put_asking_for_all(till, batch_id, message)
    assert receipt == till.receipt(str(batch_id))
    assert [result["outcome"] for result in receipt["results"]] == ["posted", "posted", "held", "held"]
