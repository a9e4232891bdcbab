"""However many closed shifts of a till wait for something, nobody else notices: neither its batches nor its heartbeats do more."""

from collections.abc import Callable
from copy import copy
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.ingestion import heartbeats, reconcile
from backoffice.ingestion.reconcile import SELECT_TOUCHED, catch_up_on_shifts
from backoffice.ingestion.sweep import process_waiting
from backoffice.sales.models import Shift
from tests.integration.api.test_heartbeats import beat
from tests.till import Till, a_sale

CLOSED = {"opened_at": "2026-02-01T08:00:00+01:00", "closed_at": "2026-02-01T18:00:00+01:00"}


def leave_waiting(till: Till, count: int, *, first: int = 100_000, width: int = 10, batches: Any = ()) -> list[UUID]:
    """Shifts recorded as ended, each closed with numbers, and batches, of which nothing has come. As many as the till likes."""
    shifts = []
    for place in range(count):
        number = first + place * width
        assert till.open(number=place + 1, first_number=number, **CLOSED).status_code == 201
        answer = till.close(batches=batches, order_count=1, first_number=number, last_number=number + width - 1)
        assert answer.json()["state"] == "closing"
        shifts.append(till.shift_id)
    return shifts


def multiply(shift_id: UUID, count: int) -> None:
    """So many shifts more like this one, which wait for batches and half of them for numbers, and fresh statistics."""
    shifts = []
    for place in range(count):
        shift = Shift.objects.get(shift_id=shift_id) if place == 0 else copy(shifts[0])
        shift.shift_id, shift.first_number, shift.awaits_batch = uuid4(), 10**9 + place, uuid4()
        shift.awaits_number = shift.first_number if place % 2 else None
        shifts.append(shift)
    Shift.objects.bulk_create(shifts, batch_size=500)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE sales_shift")


def statements_of(work: Callable[[], Any]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        work()
    return [query["sql"] for query in captured.captured_queries]


def open_again(till: Till) -> None:
    assert till.open(number=9000).status_code == 201


def state_of(shift_id: UUID) -> str:
    return Shift.objects.get(shift_id=shift_id).state


def test_a_batch_costs_the_same_however_many_shifts_wait(till: Till) -> None:
    mine = till.shift_id
    counts = []
    for place, more in enumerate((1, 30)):
        leave_waiting(till, more, first=100_000 + place * 1000)
        till.shift_id = mine
        till.upload(a_sale(1001 + place))
        counts.append(len(statements_of(process_waiting)))
    assert counts[0] == counts[1]


def test_a_batch_that_concerns_very_many_shifts_settles_a_few_and_the_rest_is_caught_up_on(till: Till) -> None:
    """All of them declare the same number."""
    mine, count = till.shift_id, 3 * reconcile.MOST_TOUCHED
    waiting = []
    for _ in range(count):
        waiting += leave_waiting(till, 1, first=5000, width=1)
    till.shift_id = mine
    till.sell(a_sale(5000))
    states = [state_of(shift_id) for shift_id in waiting]
    assert states.count("discrepant") == reconcile.MOST_TOUCHED
    assert catch_up_on_shifts(now=timezone.now()) == count - reconcile.MOST_TOUCHED
    assert {state_of(shift_id) for shift_id in waiting} == {"discrepant"}
    assert catch_up_on_shifts(now=timezone.now()) == 0


def test_a_shift_that_waits_for_several_things_settles_with_the_last_of_them(till: Till) -> None:
    """Its numbers come under another shift, its batch too, in another order than it waits for them."""
    mine, batch_id = till.shift_id, uuid4()
    [waiting] = leave_waiting(till, 1, first=5001, width=3, batches=[batch_id])
    till.shift_id = mine
    for number in (5003, 5001):
        till.sell(a_sale(number))
        assert state_of(waiting) == "closing"
    till.sell(a_sale(1001), batch_id=batch_id)
    assert state_of(waiting) == "closing"
    till.sell(a_sale(5002))
    assert state_of(waiting) == "discrepant"
    settled = Shift.objects.get(shift_id=waiting)
    assert (settled.awaits_number, settled.awaits_batch) == (None, None)


def test_what_a_shift_of_the_version_before_waits_for_is_found_out(till: Till) -> None:
    mine = till.shift_id
    [waiting] = leave_waiting(till, 1, first=5001, width=1)
    till.shift_id = mine
    till.sell(a_sale(5001))
    Shift.objects.filter(shift_id=waiting).update(state="closing", awaits_number=None, awaits_batch=None)
    assert catch_up_on_shifts(now=timezone.now()) == 1
    assert state_of(waiting) == "discrepant"


def test_a_shift_that_cannot_be_caught_up_on_does_not_stop_the_others(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, whole = leave_waiting(till, 2, first=5000, width=1)
    till.shift_id = broken
    till.sell(a_sale(5000), a_sale(5001))
    Shift.objects.filter(shift_id__in=[broken, whole]).update(state="closing", awaits_number=None, awaits_batch=None)
    settle = reconcile.reconcile_shift

    def fail_once(cursor: Any, shift: Shift, **facts: Any) -> None:
        if shift.shift_id == broken:
            raise RuntimeError("the rules broke")
        settle(cursor, shift, **facts)

    monkeypatch.setattr(reconcile, "reconcile_shift", fail_once)
    assert catch_up_on_shifts(now=timezone.now()) == 2
    assert (state_of(broken), state_of(whole)) == ("closing", "discrepant")


def test_what_a_batch_concerns_is_looked_up_in_indexes(till: Till) -> None:
    [waiting] = leave_waiting(till, 1, batches=[uuid4()])
    multiply(waiting, 3000)
    asked = {
        "terminal_id": till.terminal.pk,
        "shift_id": till.shift_id,
        "batch_id": uuid4(),
        "numbers": "{1,2,3}",
        "most": 5,
    }
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS off) {SELECT_TOUCHED}", asked)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "sales_shift_by_awaited_number" in plan
    assert plan.count("sales_shift_by_awaited_batch") == 2
    assert "Seq Scan" not in plan
    assert "Removed by Filter" not in plan, plan


def test_a_heartbeat_costs_the_same_however_many_shifts_wait(till: Till) -> None:
    counts = []
    for place, more in enumerate((1, 30)):
        leave_waiting(till, more, first=100_000 + place * 1000)
        counts.append(len(statements_of(lambda: beat(till))))
    assert counts[0] == counts[1]
    assert beat(till).json()["missing_numbers"] == [[100_000, 100_009]] + [
        [first, first + 9] for first in range(101_000, 101_300, 10)
    ]


def test_a_heartbeat_costs_the_same_however_many_ended_shifts_are_never_closed(till: Till) -> None:
    counts = []
    for place, more in enumerate((1, 30)):
        for number in range(more):
            till.open(number=number + 1, first_number=100_000 + 1000 * place + number, **CLOSED)
        counts.append(len(statements_of(lambda: beat(till))))
    assert counts[0] == counts[1]


def test_a_heartbeat_reads_so_many_numbers_and_says_nothing_of_those_behind(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeats, "MOST_NUMBERS_READ", 10)
    mine = till.shift_id
    till.sell(*[a_sale(number) for number in (1001, 1003, *range(1005, 1020), 1021)])
    assert beat(till).json()["missing_numbers"] == [[1002, 1002], [1004, 1004]]
    till.shift_id = mine
    till.close(order_count=1, first_number=1001, last_number=1030)
    assert beat(till).json()["missing_numbers"] == [[1002, 1002], [1004, 1004]]


def test_shifts_that_declare_everything_are_read_once(till: Till) -> None:
    """Whatever they declare: ranges that overlap are one."""
    mine = till.shift_id
    for _ in range(5):
        till.open(number=1, first_number=1, **CLOSED)
        till.close(order_count=1, first_number=1, last_number=2**53 - 1)
    till.shift_id = mine
    till.sell(a_sale(1001))
    assert beat(till).json()["missing_numbers"] == [[1, 1000], [1002, 2**53 - 1]]
