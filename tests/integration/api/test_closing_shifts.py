"""`PUT /shifts/{shift_id}/close` and `GET /shifts/{shift_id}`: declared beside computed (protocol §6)."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from backoffice.ingestion.sweep import process_waiting
from backoffice.sales.models import Shift
from tests.till import Till, a_movement, a_sale, at_once, codes, entry_of, outcomes

TOTALS = {"sales": 0, "refunds": 0, "tax": 0, "tips": 0, "rounding": 0, "payments": {}}
CLOSING: dict[str, Any] = {
    "closed_at": "2026-03-01T18:00:00+01:00",
    "batches": [],
    "order_count": 0,
    "first_number": 1001,
    "last_number": 1000,
    "cash_counted": 20000,
    "totals": TOTALS,
}


def put(till: Till, message: Any) -> Any:
    return till.send("PUT", f"shifts/{till.shift_id}/close", message)


def code(answer: Any) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


def a_refund(number: int, **changes: Any) -> dict[str, Any]:
    """One of the two baguettes comes back."""
    line = {
        "kind": "item",
        "sku": "BAG-TRAD",
        "name": "Baguette",
        "quantity": "-1",
        "unit_price": 120,
        "discount": 0,
        "amount": -120,
        "taxes": [{"code": "FR-5.5", "rate": "0.055", "amount": -6}],
    }
    return a_sale(number, kind="refund", lines=[line], total=-120, payments=[{"method": "cash", "amount": -120}]) | (
        changes
    )


# --- The declaration --------------------------------------------------------------------------------------------------


def test_a_close_that_agrees_is_202_and_reconciled(till: Till):
    orders = [a_sale(1001), a_sale(1002), a_refund(1003)]
    till.sell(*orders)
    answer = till.close(*orders)
    assert answer.status_code == 202
    assert answer.json() == till.shift()
    shift = answer.json()
    assert shift["state"] == "reconciled"
    assert shift["declared"]["order_count"] == 3
    assert shift["computed"] == {
        "order_count": 3,
        "sales": 480,
        "refunds": -120,
        "tax": 20,
        "tips": 0,
        "rounding": 0,
        "payments": {"cash": 360},
    }
    assert (shift["differences"], shift["missing_batches"], shift["missing_numbers"]) == ([], [], [])
    assert shift["cash"] == {"expected": 20360, "counted": 20360, "over_short": 0}
    assert (shift["held"], shift["late"]) == (0, 0)


def test_repeated_it_is_200_with_the_shift_as_it_stands(till: Till):
    order = a_sale(1001)
    first = till.close(order)
    till.sell(order)
    again = till.close(order)
    assert (first.status_code, first.json()["state"]) == (202, "closing")
    assert (again.status_code, again.json()["state"]) == (200, "reconciled")


def test_another_spelling_of_the_same_close_is_a_repeat(till: Till):
    batch_id = uuid4()
    put(till, CLOSING | {"batches": [str(batch_id)]})
    spelled = dict(reversed(CLOSING.items())) | {"closed_at": "2026-03-01T17:00:00.0Z", "mood": "tired"}
    spelled["batches"] = [str(batch_id).upper()]
    raw = json.dumps(spelled, indent=1).encode()
    assert till.send("PUT", f"shifts/{till.shift_id}/close", raw=raw).status_code == 200


def test_the_order_of_the_payment_methods_makes_no_other_close(till: Till):
    there, back = {"cash": 0, "card": 0}, {"card": 0, "cash": 0}
    put(till, CLOSING | {"totals": TOTALS | {"payments": there}})
    assert put(till, CLOSING | {"totals": TOTALS | {"payments": back}}).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"cash_counted": 20001},
        {"closed_at": "2026-03-01T18:00:01+01:00"},
        {"order_count": 1},
        {"last_number": 1001},
        {"batches": ["0195b1a0-0000-7000-8000-000000000001"]},
        {"totals": TOTALS | {"tax": 1}},
        {"totals": TOTALS | {"payments": {"cash": 1}}},
    ],
)
def test_other_content_is_422_with_the_declaration_that_stands(till: Till, change: dict[str, Any]):
    before = put(till, CLOSING).json()
    answer = put(till, CLOSING | change)
    assert (answer.status_code, code(answer)) == (422, "identifier-reused")
    stands = dict(before["declared"])
    assert answer.json()["declared"] == stands | {"batch_count": len(stands.pop("batches"))}
    assert answer.json()["declared"]["cash_counted"] == 20000
    assert till.shift() == before


def test_the_added_fields_are_part_of_the_close(till: Till):
    put(till, CLOSING | {"float_left": 15000, "carried_over": [1005]})
    assert put(till, CLOSING | {"float_left": 15000, "carried_over": [1005]}).status_code == 200
    for other in ({}, {"float_left": 15000}, {"float_left": 0, "carried_over": [1005]}):
        answer = put(till, CLOSING | other)
        assert (answer.status_code, code(answer)) == (422, "identifier-reused")
    assert (answer.json()["declared"]["float_left"], answer.json()["declared"]["carried_over"]) == (15000, [1005])


def test_a_close_that_says_nothing_in_the_added_fields_is_as_one_without_them(till: Till):
    put(till, CLOSING)
    assert put(till, CLOSING | {"float_left": None, "carried_over": []}).status_code == 200


@pytest.mark.parametrize("added", [{"float_left": 15000, "carried_over": [1005]}, {"float_left": "15000"}])
def test_a_close_from_before_the_added_fields_comes_again_with_what_it_said_there(till: Till, added: dict[str, Any]):
    """They were unknown then, passed over, and in no hash."""
    put(till, CLOSING)
    stored = Shift.objects.get(shift_id=till.shift_id)
    del stored.declared["carried_over"], stored.declared["float_left"]
    stored.save()
    assert put(till, CLOSING | added).status_code == 200
    assert put(till, CLOSING | added | {"cash_counted": 1}).status_code == 422
    assert till.shift()["declared"]["float_left"] is None


def test_the_conflict_counts_the_batches_and_lists_none(till: Till):
    batches = [str(uuid4()) for _ in range(10_000)]
    till.close(batches=batches)
    answer = till.close()
    assert (answer.json()["declared"]["batch_count"], "batches" in answer.json()["declared"]) == (10_000, False)
    assert len(answer.content) < 1000


def test_the_declaration_comes_back_as_it_was_made(till: Till):
    batch_id = str(uuid4())
    totals = TOTALS | {"sales": 240, "payments": {"cash": 200, "card": 40}}
    declared = put(till, CLOSING | {"batches": [batch_id], "totals": totals}).json()["declared"]
    assert (declared["batches"], declared["totals"]) == ([batch_id], totals)
    assert till.shift()["declared"] == declared


def test_an_empty_shift_is_reconciled_at_once(till: Till):
    answer = till.close()
    assert (answer.status_code, answer.json()["state"]) == (202, "reconciled")
    assert (answer.json()["missing_numbers"], answer.json()["computed"]["order_count"]) == ([], 0)


def test_a_shift_that_was_never_opened_is_404(till: Till):
    till.shift_id = uuid4()
    answer = till.close()
    assert (answer.status_code, code(answer)) == (404, "shift-unknown")
    assert till.send("GET", f"shifts/{till.shift_id}").status_code == 404


def test_another_terminals_shift_cannot_be_closed(till: Till):
    other = Till(till.store, name="Till 2")
    other.shift_id = till.shift_id
    answer = other.close()
    assert (answer.status_code, code(answer)) == (422, "identifier-reused")
    assert "declared" not in answer.json()
    assert till.shift()["state"] == "open"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"closed_at": None}, "/closed_at"),
        ({"closed_at": "2026-03-01T18:00:00"}, "/closed_at"),
        ({"batches": {}}, "/batches"),
        ({"batches": [str(uuid4()), "batch"]}, "/batches/1"),
        ({"batches": [uuid4().hex]}, "/batches/0"),
        ({"order_count": -1}, "/order_count"),
        ({"first_number": 0}, "/first_number"),
        ({"last_number": "1048"}, "/last_number"),
        ({"cash_counted": -1}, "/cash_counted"),
        ({"cash_counted": 1.5}, "/cash_counted"),
        ({"totals": None}, "/totals"),
        ({"totals": TOTALS | {"tips": 10**12 + 1}}, "/totals/tips"),
        ({"totals": TOTALS | {"payments": []}}, "/totals/payments"),
        ({"totals": TOTALS | {"payments": {"cash": "1"}}}, "/totals/payments/cash"),
        ({"carried_over": [0]}, "/carried_over/0"),
        ({"carried_over": None}, "/carried_over"),
        ({"float_left": -1}, "/float_left"),
        ({"float_left": "200"}, "/float_left"),
    ],
)
def test_a_close_that_is_not_one_is_told_where_and_closes_nothing(till: Till, change: dict[str, Any], pointer: str):
    answer = put(till, CLOSING | change)
    assert (answer.status_code, code(answer)) == (422, "envelope-invalid")
    assert [place["pointer"] for place in answer.json()["errors"]] == [pointer]
    assert till.shift()["state"] == "open"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"batches": [str(UUID(int=0))] * 10_001}, "/batches"),
        ({"totals": TOTALS | {"payments": {f"method {number}": 0 for number in range(65)}}}, "/totals/payments"),
        ({"totals": TOTALS | {"payments": {"m" * 65: 0}}}, "/totals/payments"),
        ({"carried_over": list(range(1, 1002))}, "/carried_over"),
    ],
)
def test_a_close_has_bounds(till: Till, change: dict[str, Any], pointer: str):
    answer = put(till, CLOSING | change)
    assert (answer.status_code, code(answer)) == (422, "envelope-invalid")
    assert [place["pointer"] for place in answer.json()["errors"]] == [pointer]
    assert till.shift()["state"] == "open"


def test_every_fault_of_a_close_is_named_up_to_twenty(till: Till):
    answer = put(till, {"batches": ["x"], "cash_counted": -1, "totals": {"sales": "1", "payments": {"cash": 1.5}}})
    assert [place["pointer"] for place in answer.json()["errors"]] == [
        "/closed_at",
        "/batches/0",
        "/order_count",
        "/first_number",
        "/last_number",
        "/cash_counted",
        *(f"/totals/{name}" for name in ("sales", "refunds", "tax", "tips", "rounding", "payments/cash")),
    ]
    assert len(put(till, CLOSING | {"batches": ["x"] * 50}).json()["errors"]) == 20
    assert till.shift()["state"] == "open"


def test_a_close_may_name_as_many_methods_as_there_is_room_for(till: Till):
    payments = {f"{number:02}".ljust(64, "m"): 0 for number in range(64)}
    assert put(till, CLOSING | {"totals": TOTALS | {"payments": payments}}).json()["declared"]["totals"][
        "payments"
    ] == (payments)


def test_answers_about_a_close_from_before_there_were_bounds_are_bounded(till: Till):
    till.close()
    stored = Shift.objects.get(shift_id=till.shift_id)
    stored.declared["batches"] = [str(UUID(int=number)) for number in range(30_000)]
    stored.declared["totals"]["payments"] = {f"{number} {'m' * 100}": 1 for number in range(5000)}
    stored.save()
    shift = till.shift()
    assert [len(shift["declared"]["batches"]), len(shift["missing_batches"])] == [10_000, 10_000]
    assert [len(shift["declared"]["totals"]["payments"]), len(shift["differences"])] == [64, 200]
    assert till.close(counted=1).json()["declared"]["batch_count"] == 30_000


def test_a_close_may_list_thousands_of_batches(till: Till):
    batches = [str(uuid4()) for _ in range(5000)]
    answer = till.close(batches=batches)
    assert answer.status_code == 202
    assert answer.json()["missing_batches"] == batches


# --- Missing batches and numbers --------------------------------------------------------------------------------------


def test_it_is_closing_while_a_declared_batch_has_not_arrived(till: Till):
    batch_id = uuid4()
    shift = till.close(batches=[batch_id]).json()
    assert (shift["state"], shift["missing_batches"]) == ("closing", [str(batch_id)])
    till.sell(batch_id=batch_id)
    assert (till.shift()["state"], till.shift()["missing_batches"]) == ("reconciled", [])


def test_a_declared_batch_that_is_not_processed_is_still_missing(till: Till):
    order, batch_id = a_sale(1001), uuid4()
    till.upload(order, batch_id=batch_id)
    assert till.close(order, batches=[batch_id]).json()["missing_batches"] == [str(batch_id)]
    process_waiting()
    assert till.shift()["state"] == "reconciled"


def test_a_batch_of_another_terminal_does_not_count_as_arrived(till: Till):
    other, batch_id = Till(till.store, name="Till 2"), uuid4()
    other.open()
    other.sell(batch_id=batch_id)
    assert till.close(batches=[batch_id]).json()["missing_batches"] == [str(batch_id)]


def test_missing_numbers_are_named_until_they_are_filled(till: Till):
    orders = [a_sale(number) for number in range(1001, 1011)]
    till.sell(*orders[1:3], orders[6])
    assert till.close(*orders).json()["missing_numbers"] == [[1001, 1001], [1004, 1006], [1008, 1010]]
    till.sell(orders[0], *orders[3:6])
    assert till.shift()["missing_numbers"] == [[1008, 1010]]
    assert till.shift()["state"] == "closing"
    till.sell(*orders[7:])
    assert (till.shift()["missing_numbers"], till.shift()["state"]) == ([], "reconciled")


def test_numbers_are_missing_only_once_a_shift_is_declared(till: Till):
    till.sell(a_sale(1001), a_sale(1005))
    assert till.shift()["missing_numbers"] == []


def test_a_number_is_filled_by_an_order_sent_under_another_shift(till: Till):
    first, second = a_sale(1001), a_sale(1002)
    till.sell(first)
    waiting = till.shift_id
    assert till.close(first, second).json()["missing_numbers"] == [[1002, 1002]]
    till.open(first_number=1003)
    till.sell(second)
    till.shift_id = waiting
    shift = till.shift()
    assert (shift["missing_numbers"], shift["state"]) == ([], "discrepant")
    assert {"what": "order_count", "declared": 2, "computed": 1, "difference": 1} in shift["differences"]


@pytest.mark.parametrize("change", [{"status": "voided"}, {"status": "training"}, {"total": 1}])
def test_a_number_is_used_whatever_became_of_its_order(till: Till, change: dict[str, Any]):
    orders = [a_sale(1001), a_sale(1002, **change)]
    till.sell(*orders)
    assert till.close(*orders).json()["missing_numbers"] == []


def test_a_number_is_used_by_an_order_in_conflict(till: Till):
    order = a_sale(1001)
    till.sell(order, order | {"note": "other"})
    assert till.close(order).json()["missing_numbers"] == []


def with_a_scanned_isbn(number: int) -> dict[str, Any]:
    """A barcode where the quantity should be: more than any quantity, so that it cannot be read as an order."""
    order = a_sale(number)
    order["lines"][0]["quantity"] = "9780201379624"
    return order


def test_an_order_that_cannot_be_read_is_held_and_not_missing(till: Till):
    orders = [a_sale(1003), with_a_scanned_isbn(1004)]
    receipt = till.sell(*orders)
    assert (outcomes(receipt), codes(receipt, 1)) == (["posted", "held"], ["unreadable-order"])
    shift = till.close(*orders).json()
    assert (shift["missing_numbers"], shift["held"], shift["state"]) == ([], 1, "discrepant")


def test_it_takes_no_number_so_the_first_readable_order_does(till: Till):
    till.sell(with_a_scanned_isbn(1004))
    assert outcomes(till.sell(a_sale(1004))) == ["posted"]
    assert outcomes(till.sell(a_sale(1004))) == ["conflict"]


def test_a_shift_that_waits_settles_when_the_number_comes_unreadable(till: Till):
    assert till.close(a_sale(1003), a_sale(1004)).json()["missing_numbers"] == [[1003, 1004]]
    till.sell(with_a_scanned_isbn(1004))
    assert till.shift()["missing_numbers"] == [[1003, 1003]]
    till.sell(with_a_scanned_isbn(1003))
    assert (till.shift()["missing_numbers"], till.shift()["state"]) == ([], "discrepant")


def test_unreadable_orders_of_another_terminal_name_no_number_of_this_one(till: Till):
    other = Till(till.store, name="Till 2")
    other.open()
    other.sell(with_a_scanned_isbn(1001))
    assert till.close(a_sale(1001)).json()["missing_numbers"] == [[1001, 1001]]


def test_however_many_cannot_be_read_what_is_missing_is_found_behind_them(till: Till):
    till.sell(*[a_sale(number) for number in range(1002, 1302, 2)])
    till.sell(*[with_a_scanned_isbn(number) for number in range(1001, 1301, 2)])
    shift = put(till, CLOSING | {"first_number": 1001, "last_number": 1302, "order_count": 300}).json()
    assert shift["missing_numbers"] == [[1301, 1302]]


def test_another_terminals_numbers_fill_nothing(till: Till):
    other = Till(till.store, name="Till 2")
    other.open()
    other.sell(a_sale(1001))
    assert till.close(a_sale(1001)).json()["missing_numbers"] == [[1001, 1001]]


def test_at_most_a_hundred_ranges_are_named(till: Till):
    every_other = [a_sale(number) for number in range(1002, 1402, 2)]
    till.sell(*every_other)
    shift = put(till, CLOSING | {"last_number": 1401}).json()
    assert len(shift["missing_numbers"]) == 100
    assert shift["missing_numbers"][0] == [1001, 1001]


def test_a_range_as_wide_as_numbers_go_costs_nothing(till: Till):
    till.sell(a_sale(1005))
    shift = put(till, CLOSING | {"first_number": 1, "last_number": 2**53 - 1}).json()
    assert shift["missing_numbers"] == [[1, 1004], [1006, 2**53 - 1]]


# --- Differences and cash ---------------------------------------------------------------------------------------------


def test_differences_are_named_with_what_was_declared_and_computed(till: Till):
    order = a_sale(1001)
    till.sell(order)
    totals = {"sales": 250, "refunds": -1, "tax": 12, "tips": 5, "rounding": 1, "payments": {"cash": 200, "card": 40}}
    shift = put(till, CLOSING | {"order_count": 2, "last_number": 1001, "totals": totals}).json()
    assert shift["state"] == "discrepant"
    assert shift["differences"] == [
        {"what": "order_count", "declared": 2, "computed": 1, "difference": 1},
        {"what": "sales", "declared": 250, "computed": 240, "difference": 10},
        {"what": "refunds", "declared": -1, "computed": 0, "difference": -1},
        {"what": "tax", "declared": 12, "computed": 13, "difference": -1},
        {"what": "tips", "declared": 5, "computed": 0, "difference": 5},
        {"what": "rounding", "declared": 1, "computed": 0, "difference": 1},
        {"what": "payments.card", "declared": 40, "computed": 0, "difference": 40},
        {"what": "payments.cash", "declared": 200, "computed": 240, "difference": -40},
    ]


def test_an_absent_method_is_zero(till: Till):
    order = a_sale(1001)
    till.sell(order)
    totals = TOTALS | {"sales": 240, "tax": 13, "payments": {"cash": 240, "points": 0}}
    message = CLOSING | {"order_count": 1, "last_number": 1001, "cash_counted": 20240, "totals": totals}
    assert put(till, message).json()["state"] == "reconciled"


def test_voided_and_training_orders_count_but_move_no_totals(till: Till):
    orders = [a_sale(1001), a_sale(1002, status="voided"), a_sale(1003, status="training")]
    till.sell(*orders)
    shift = till.close(*orders).json()
    assert shift["state"] == "reconciled"
    assert (shift["computed"]["order_count"], shift["computed"]["sales"]) == (3, 240)


def test_tips_are_no_sales(till: Till):
    order = a_sale(1001, tip=60, payments=[{"method": "card", "amount": 300}])
    till.sell(order)
    computed = till.close(order).json()["computed"]
    assert (computed["sales"], computed["tips"], computed["payments"]) == (240, 60, {"card": 300})


def test_a_held_order_is_not_computed_and_makes_the_shift_discrepant(till: Till):
    good, bad = a_sale(1001), a_sale(1002, total=1)
    till.sell(good, bad)
    assert (till.shift()["held"], till.shift()["computed"]["order_count"]) == (1, 1)
    message = CLOSING | {
        "order_count": 1,
        "last_number": 1002,
        "totals": TOTALS | {"sales": 240, "tax": 13, "payments": {"cash": 240}},
    }
    shift = put(till, message).json()
    assert (shift["state"], shift["differences"], shift["held"]) == ("discrepant", [], 1)


@pytest.mark.parametrize(("counted", "over_short"), [(20240, 0), (20241, 1), (19890, -350), (0, -20240)])
def test_over_and_short_alone_is_no_difference(till: Till, counted: int, over_short: int):
    order = a_sale(1001)
    till.sell(order)
    shift = till.close(order, counted=counted).json()
    assert shift["cash"] == {"expected": 20240, "counted": counted, "over_short": over_short}
    assert (shift["state"], shift["differences"]) == ("reconciled", [])


def test_cash_movements_are_expected_in_the_drawer(till: Till):
    order = a_sale(1001)
    till.sell(order, movements=[a_movement(5000), a_movement(800, kind="cash_out", reason="tips")])
    assert till.shift()["cash"] == {"expected": 24440, "counted": None, "over_short": None}
    assert till.close(order, counted=24440).json()["cash"]["over_short"] == 0


def test_a_held_movement_makes_the_shift_discrepant(till: Till):
    till.sell(movements=[a_movement(0)])
    shift = till.close().json()
    assert (shift["held"], shift["state"], shift["cash"]["expected"]) == (1, "discrepant", 20000)


# --- What arrives later -----------------------------------------------------------------------------------------------


def test_a_late_order_is_flagged_counted_and_reconciled_again(till: Till):
    first, second = a_sale(1001), a_sale(1002)
    till.sell(first)
    assert till.close(first).json()["state"] == "reconciled"
    receipt = till.sell(second)
    assert (outcomes(receipt), codes(receipt)) == (["posted"], ["late"])
    shift = till.shift()
    assert (shift["state"], shift["late"], shift["computed"]["order_count"]) == ("discrepant", 1, 2)
    assert {"what": "sales", "declared": 240, "computed": 480, "difference": -240} in shift["differences"]
    assert shift["cash"] == {"expected": 20480, "counted": 20240, "over_short": -240}


def test_what_the_close_lists_is_not_late_whenever_it_comes(till: Till):
    order, batch_id = a_sale(1001), uuid4()
    till.close(order, batches=[batch_id])
    receipt = till.sell(order, batch_id=batch_id)
    assert codes(receipt) == []
    assert (till.shift()["state"], till.shift()["late"]) == ("reconciled", 0)


def test_what_was_received_before_the_close_is_not_late_though_unlisted(till: Till):
    order = a_sale(1001)
    batch_id = till.upload(order).json()["batch_id"]
    till.close(order)
    process_waiting()
    assert codes(till.receipt(batch_id)) == []


def test_a_late_movement_is_flagged(till: Till):
    till.close()
    receipt = till.sell(movements=[a_movement()])
    assert codes(receipt["movements"]) == ["late"]
    assert till.shift()["cash"]["over_short"] == -5000


def test_a_late_order_that_was_missing_reconciles_the_shift(till: Till):
    orders = [a_sale(1001), a_sale(1002)]
    till.sell(orders[0])
    assert till.close(*orders).json()["state"] == "closing"
    assert codes(till.sell(orders[1])) == ["late"]
    shift = till.shift()
    assert (shift["state"], shift["late"], shift["differences"]) == ("reconciled", 1, [])


def test_a_late_order_that_is_held_makes_a_reconciled_shift_discrepant(till: Till):
    till.close()
    till.sell(a_sale(1001, total=1))
    assert (till.shift()["state"], till.shift()["held"]) == ("discrepant", 1)


def test_a_late_duplicate_changes_nothing(till: Till):
    order = a_sale(1001)
    till.sell(order)
    before = till.close(order).json()
    assert outcomes(till.sell(order)) == ["duplicate"]
    assert till.shift() == before


def test_late_orders_are_booked_on_the_date_of_their_own_shift(till: Till):
    closed = till.shift_id
    till.close()
    till.open(opened_at="2026-03-02T08:00:00+01:00")
    till.sell(a_sale(1001), shift_id=closed)
    till.shift_id = closed
    assert (till.shift()["business_date"], till.shift()["computed"]["order_count"]) == ("2026-03-01", 1)


# --- At the same moment -----------------------------------------------------------------------------------------------


def test_of_ten_equal_closes_at_once_one_is_202(committed_db: None):
    till = Till()
    till.open()
    order = a_sale(1001)
    till.sell(order)
    answers = at_once([lambda: till.close(order, counted=20000)] * 10)
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [202]
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert entry_of(till.shift_id, number=1) == {("6900", 240, 0), ("1000", 0, 240)}
    assert entry_of(till.shift_id, number=2) == set()


def test_batches_and_the_close_at_once_end_reconciled(committed_db: None):
    till = Till()
    till.open()
    orders = [a_sale(1001 + index) for index in range(12)]
    batches: list[UUID] = [uuid4() for _ in orders]
    calls = [
        lambda order=order, batch=batch: till.upload(order, batch_id=batch, Prefer="wait=5")
        for order, batch in zip(orders, batches, strict=True)
    ]
    answers = at_once([*calls, lambda: till.close(*orders, batches=batches)])
    assert all(answer.status_code in {200, 202} for answer in answers)
    process_waiting()
    shift = till.shift()
    assert (shift["state"], shift["late"], shift["computed"]["order_count"]) == ("reconciled", 0, 12)
