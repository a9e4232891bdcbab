"""Numbers that a close carries over: a table that is not paid yet when its shift ends (protocol §6)."""

from typing import Any
from uuid import UUID, uuid4

from backoffice.ingestion.sweep import process_waiting
from backoffice.sales.models import Shift
from tests.integration.api.test_heartbeats import beat
from tests.till import Till, a_sale, codes, outcomes

TABLE = {"type": "on_table", "opened_at": "2026-03-01T16:30:00+01:00", "closed_at": "2026-03-01T18:20:00+01:00"}
NO_SALES: dict[str, Any] = {"order_count": 0, "counted": 20000}


def end_and_begin(till: Till, *orders: Any, carried: list[int], last: int = 1010, **next_shift: Any) -> UUID:
    """Closes the shift that began with 1001, carrying numbers over, and opens the next behind it. The closed one."""
    closed = till.shift_id
    answer = till.close(*orders, first_number=1001, last_number=last, carried_over=carried)
    assert answer.status_code == 202, answer.content
    opening = {"number": 312, "first_number": last + 1, "opened_at": "2026-03-01T18:05:00+01:00"}
    opening["opening_float"] = 20000 + 240 * len(orders)
    assert till.open(**opening | next_shift).status_code == 201
    return closed


def shift_of(till: Till, shift_id: UUID) -> dict[str, Any]:
    return till.send("GET", f"shifts/{shift_id}").json()


def test_a_table_opened_in_one_shift_and_paid_in_the_next_is_waited_for_by_neither(till: Till):
    """Opened at 16:30 in the first shift, paid at 18:20 in the second, under its old number."""
    orders = [a_sale(number) for number in range(1001, 1011) if number != 1005]
    till.sell(*orders)
    first = end_and_begin(till, *orders, carried=[1005])
    assert (shift_of(till, first)["state"], shift_of(till, first)["missing_numbers"]) == ("reconciled", [])
    assert beat(till).json()["missing_numbers"] == []
    table = a_sale(1005, **TABLE)
    receipt = till.sell(table)
    assert (outcomes(receipt), codes(receipt)) == (["posted"], [])
    shift = till.close(
        table, first_number=1011, last_number=1010, counted=22400, closed_at="2026-03-01T23:00:00+01:00"
    ).json()
    assert (shift["state"], shift["missing_numbers"], shift["computed"]["order_count"]) == ("reconciled", [], 1)
    assert shift_of(till, first)["state"] == "reconciled"


def test_the_next_close_waits_for_what_it_neither_brings_nor_carries_over(till: Till):
    first = end_and_begin(till, carried=[1003, 1005], last=1000)
    assert shift_of(till, first)["state"] == "reconciled"
    shift = till.close(first_number=1001, last_number=1000, carried_over=[1003]).json()
    assert (shift["state"], shift["missing_numbers"]) == ("closing", [[1005, 1005]])
    assert beat(till).json()["missing_numbers"] == [[1005, 1005]]
    till.sell(a_sale(1005, **TABLE))
    assert (till.shift()["missing_numbers"], till.shift()["state"]) == ([], "discrepant")


def test_what_is_carried_over_again_is_owed_by_the_close_after(till: Till):
    end_and_begin(till, carried=[1005], last=1000)
    assert till.close(first_number=1001, last_number=1000, carried_over=[1005]).json()["state"] == "reconciled"
    till.open(number=313, first_number=1011)
    assert till.close(first_number=1011, last_number=1010).json()["missing_numbers"] == [[1005, 1005]]


def test_it_is_owed_once(till: Till):
    end_and_begin(till, carried=[1005], last=1000)
    assert till.close(first_number=1001, last_number=1000).json()["missing_numbers"] == [[1005, 1005]]
    till.open(number=313, first_number=1011)
    assert till.close(first_number=1011, last_number=1010).json()["state"] == "reconciled"


def test_a_number_that_was_used_is_passed_over(till: Till):
    till.sell(a_sale(1005))
    end_and_begin(till, a_sale(1005), carried=[1005], last=1000)
    assert till.close(first_number=1001, last_number=1000, counted=20240).json()["state"] == "reconciled"


def test_a_number_that_comes_before_the_next_close_is_not_owed(till: Till):
    first = end_and_begin(till, carried=[1005], last=1000)
    till.sell(a_sale(1005), shift_id=first)
    assert till.close(first_number=1001, last_number=1000).json()["missing_numbers"] == []


def test_what_an_earlier_shift_waits_for_stays_that_shifts(till: Till):
    earlier = end_and_begin(till, carried=[], last=1003)
    assert shift_of(till, earlier)["missing_numbers"] == [[1001, 1003]]
    shift = till.close(first_number=1004, last_number=1003, carried_over=[1002]).json()
    assert shift["state"] == "reconciled"
    assert shift_of(till, earlier)["missing_numbers"] == [[1001, 1003]]
    assert beat(till).json()["missing_numbers"] == [[1001, 1003]]
    till.open(number=313, first_number=1004)
    assert till.close(first_number=1004, last_number=1003).json()["missing_numbers"] == []


def test_heartbeats_name_what_is_missing_and_not_what_is_carried_over(till: Till):
    till.sell(a_sale(1001), a_sale(1006))
    end_and_begin(till, a_sale(1001), a_sale(1006), carried=[1003, 1005], last=1006)
    assert beat(till).json()["missing_numbers"] == [[1002, 1002], [1004, 1004]]


def test_as_many_as_a_close_may_carry_over_hide_nothing(till: Till):
    """Every other number is open: what is missing behind them is found all the same."""
    till.sell(*[a_sale(number) for number in range(1002, 1502, 2)])
    carried = list(range(1001, 1501, 2))
    answer = till.close(order_count=250, first_number=1001, last_number=1503, carried_over=carried, counted=20000)
    assert answer.json()["missing_numbers"] == [[1501, 1503]]
    assert beat(till).json()["missing_numbers"] == [[1501, 1503]]


def test_a_carried_number_that_comes_as_an_order_nobody_can_read_is_there(till: Till):
    end_and_begin(till, carried=[1005], last=1000)
    till.sell(a_sale(1005, total="240"))
    shift = till.close(first_number=1001, last_number=1000).json()
    assert (shift["missing_numbers"], shift["held"], shift["state"]) == ([], 1, "discrepant")


def test_a_waiting_shift_settles_when_the_carried_number_comes_in_whatever_batch(till: Till):
    end_and_begin(till, carried=[1005], last=1000)
    closed = till.shift_id
    assert till.close(first_number=1001, last_number=1000).json()["state"] == "closing"
    till.open(number=313, first_number=1011)
    till.upload(a_sale(1005, **TABLE), batch_id=uuid4())
    process_waiting()
    assert shift_of(till, closed)["state"] == "reconciled"
    assert Shift.objects.get(shift_id=closed).carried_in == [1005]
