"""Whatever one order says, its neighbours fare as if it were not there, and the service never breaks."""

import copy
import json
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.inbox.models import Batch
from backoffice.ingestion.sweep import process_waiting
from tests.till import Till, a_movement, a_sale, entry_of

ANY_TEXT = st.text(max_size=12)
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT
    | st.sampled_from(["240", "0.055", "2026-03-01T10:00:00Z", "-0", "1e400", "\ud800", "\0", "🥖"])
    | st.uuids().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=5,
)
PATHS = (
    [[key] for key in a_sale(1)]
    + [["lines", 0, key] for key in a_sale(1)["lines"][0]]
    + [["lines", 0, "taxes", 0, key] for key in ("code", "rate", "amount")]
    + [["payments", 0, key] for key in ("method", "amount", "tendered", "change", "reference")]
    + [
        ["lines", 0],
        ["payments", 0],
        ["lines", 0, "taxes", 0],
        ["surprise"],
        ["lines", 0, "surprise"],
    ]
)

# A number or identifier of a neighbour would be a conflict by rule: those of neighbours are out of reach.
NEIGHBOURS_FROM = 7_000_000_000
examples = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def changed(order: dict[str, Any], path: list[Any], value: Any, *, drop: bool) -> dict[str, Any]:
    order = copy.deepcopy(order)
    place: Any = order
    for step in path[:-1]:
        place = place[step]
    if drop and isinstance(place, dict):
        place.pop(path[-1], None)
    else:
        place[path[-1]] = value
    return order


numbers = iter(range(NEIGHBOURS_FROM, 10**12, 10))


@examples
@given(path=st.sampled_from(PATHS), value=ANY_JSON, drop=st.booleans())
def test_a_change_of_one_order_changes_no_neighbours_outcome(till: Till, path: list[Any], value: Any, drop: bool):
    first = next(numbers)
    good = [a_sale(first), a_sale(first + 1), a_sale(first + 2)]
    odd = changed(a_sale(first + 3), path, value, drop=drop)
    raw = json.dumps({"orders": [good[0], odd, good[1], good[2]], "cash_movements": [a_movement()]}).encode()
    answer = till.upload(raw=raw)
    assert answer.status_code == 202, answer.content
    process_waiting()
    receipt = till.receipt(answer.json()["batch_id"])
    results = receipt["results"]
    for order, result in zip(good, [results[0], *results[2:]], strict=True):
        assert (result["outcome"], result["reasons"]) == ("posted", [])
        assert entry_of(order["order_id"]) == {("1000", 240, 0), ("4000", 0, 227), ("2100", 0, 13)}
    assert results[1]["outcome"] in {"posted", "held", "conflict"}
    assert "processing-failed" not in {reason["code"] for reason in results[1]["reasons"]}
    assert receipt["movements"]["outcomes"]["posted"] == 1
    assert Batch.objects.get(batch_id=receipt["batch_id"]).attempts == 1


@examples
@given(members=st.lists(ANY_JSON, max_size=4), movements=st.lists(ANY_JSON, max_size=3))
def test_a_batch_of_anything_is_taken_and_every_member_held(till: Till, members: list[Any], movements: list[Any]):
    raw = json.dumps({"orders": members, "cash_movements": movements}).encode()
    answer = till.upload(raw=raw)
    assert answer.status_code == 202
    process_waiting()
    receipt = till.receipt(answer.json()["batch_id"])
    assert receipt["state"] == "processed"
    assert {result["outcome"] for result in receipt["results"]} <= {"held", "duplicate"}
    assert len(receipt["results"]) == len(members)
    assert len(receipt["movements"]["results"]) == len(movements)


@examples
@given(data=st.data())
def test_a_body_with_any_bytes_changed_is_taken_or_refused_but_never_breaks(till: Till, data: st.DataObject):
    body = bytearray(json.dumps({"orders": [a_sale(next(numbers))]}).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    answer = till.upload(raw=bytes(body))
    assert answer.status_code in {202, 400, 422}, answer.content
    if answer.status_code == 202:
        process_waiting()
        assert till.receipt(answer.json()["batch_id"])["state"] == "processed"


@examples
@given(
    path=st.sampled_from(["shifts", "close"]),
    name=st.sampled_from(["opened_at", "number", "totals", "batches", "x"]),
    value=ANY_JSON,
)
def test_an_opening_or_close_with_anything_in_it_never_breaks(till: Till, path: str, name: str, value: Any):
    if path == "shifts":
        message = {
            "number": 1,
            "opened_at": "2026-03-01T08:00:00Z",
            "opening_float": 0,
            "first_number": 1,
            "closed_at": "2026-03-01T09:00:00Z",
        } | {name: value}
        answer = till.send("PUT", f"shifts/{uuid4()}", raw=json.dumps(message).encode())
    else:
        message = {
            "closed_at": "2026-03-01T18:00:00Z",
            "batches": [],
            "order_count": 0,
            "first_number": 1,
            "last_number": 0,
            "cash_counted": 0,
            "totals": {},
        } | {name: value}
        answer = till.send("PUT", f"shifts/{till.shift_id}/close", raw=json.dumps(message).encode())
    assert answer.status_code in {200, 201, 202, 422}, answer.content
    if answer.status_code == 422:
        assert answer.json()["type"].endswith(("/envelope-invalid", "/identifier-reused"))


@pytest.mark.parametrize("place", [0, 50, 99])
def test_where_in_the_batch_the_bad_one_stands_makes_no_difference(till: Till, place: int):
    orders: list[Any] = [a_sale(1001 + index) for index in range(100)]
    orders[place] = {"order_id": 1}
    assert till.sell(*orders)["outcomes"] == {"posted": 99, "duplicate": 0, "conflict": 0, "held": 1}
