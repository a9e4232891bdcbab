"""A whole day of a till, each answer judged by the document: what terminals get is what they were promised."""

from uuid import uuid4

import pytest

from backoffice.inbox.models import Batch
from backoffice.ingestion.sweep import process_waiting
from tests.integration.openapi.contract import JudgedTill, errors
from tests.till import a_movement, a_sale, a_store, codes, later, outcomes, zipped

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def till() -> JudgedTill:
    return JudgedTill()


def a_heartbeat(**changes: object) -> dict[str, object]:
    return {"sent_at": later().isoformat(), "offline_mode": False, "cached_orders": 0, "cached_total": 0} | changes


def test_every_answer_from_activation_to_rotation_is_as_documented(till: JudgedTill):
    till.send("PUT", "terminal/heartbeat", a_heartbeat())
    till.send("GET", "terminal")
    assert till.open().status_code == 201
    assert till.open(till.shift_id).status_code == 200
    till.send("GET", "terminal")

    first, customer, stands = a_sale(1001), a_sale(1002, customer={"name": "Leroy"}), a_sale(1003)
    wrong, taken, other = a_sale(1004, total=999), a_sale(1001), stands | {"note": "other"}
    movements = [a_movement(), a_movement(-1), a_movement(reason="?"), 7]
    batch_id = uuid4()
    sent = [first, customer, stands, first, wrong, taken, other, {"order_id": "no"}, None]
    receipt = till.sell(*sent, movements=movements, batch_id=batch_id)
    expected = ["posted", "posted", "conflict", "duplicate", "held", "conflict", "conflict", "held", "held"]
    assert outcomes(receipt) == expected
    assert codes(receipt, 1) == ["customer-on-offline-order"]
    assert [result["outcome"] for result in receipt["movements"]["results"]] == ["posted", "held", "posted", "held"]
    till.send("GET", f"batches/{batch_id}")
    till.upload(*sent, movements=movements, batch_id=batch_id)

    live = till.upload(a_sale(1005, mode="online"), Prefer="wait=5")
    assert (live.status_code, live.json()["outcomes"]["posted"]) == (200, 1)
    till.close(first, customer, batches=[uuid4()], last_number=1009)
    till.send("PUT", "terminal/heartbeat", a_heartbeat(offline_mode=True, shift_id=str(till.shift_id)))
    assert till.shift()["state"] == "closing"
    assert till.send("PUT", "terminal/heartbeat", a_heartbeat()).json()["missing_numbers"] == [[1006, 1009]]
    late = till.sell(a_sale(1006), raw=zipped({"orders": [a_sale(1006)]}), **{"Content-Encoding": "gzip"})
    assert codes(late) == ["late"]

    page = till.send("GET", "store/orders?limit=1").json()
    assert page["more"]
    assert len(till.send("GET", f"store/orders?after={page['next']}").json()["orders"]) == 3
    old = till.token
    till.token = till.send("POST", "terminal/token").json()["token"]
    till.send("GET", "terminal")
    assert till.send("GET", "terminal", Authorization=f"Bearer {old}").status_code == 401


def test_an_empty_shift_and_one_recorded_as_ended_are_as_documented(till: JudgedTill):
    till.open(closed_at="2026-03-01T20:00:00+01:00")
    assert till.close().status_code == 202
    assert till.close().status_code == 200
    assert till.shift()["state"] == "reconciled"


def test_a_failed_batch_is_as_documented(till: JudgedTill):
    till.open()
    batch_id = till.upload(a_sale(1001)).json()["batch_id"]
    Batch.objects.filter(batch_id=batch_id).update(state="failed", attempts=5)  # as after five crashes
    assert till.send("GET", f"batches/{batch_id}").json()["state"] == "failed"
    assert till.shift()["held"] == 1


def test_the_judge_finds_what_is_not_documented(till: JudgedTill):
    receipt = {"$ref": "#/components/schemas/Receipt"}
    till.open()
    body = till.upload(a_sale(1001)).json()
    process_waiting()
    assert errors(receipt, body) == []
    assert errors(receipt, body | {"surprise": 1})
    assert errors(receipt, body | {"received_at": "yesterday"})
    assert errors(receipt, body | {"batch_id": "x"})
    assert errors(receipt, body | {"state": "lost"})
    assert errors(receipt, {name: value for name, value in body.items() if name != "movements"})


def test_tills_of_one_store_see_each_other(till: JudgedTill):
    store = a_store()
    one, other = JudgedTill(store), JudgedTill(store, name="Till 2")
    one.open()
    order = a_sale(1001)
    one.sell(order)
    assert [seen["order_id"] for seen in other.send("GET", "store/orders").json()["orders"]] == [order["order_id"]]
    assert other.send("GET", f"shifts/{one.shift_id}").status_code == 404
