"""The test vectors of docs/vectors, sent to the service: it does with each what its file says."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from backoffice.fleet.models import Heartbeat
from backoffice.sales.models import Order, Shift
from tests.till import Till, a_store
from tests.vectors.files import FILES, FOLDER
from tests.vectors.reading import in_order, reasons

Json = dict[str, Any]
VECTORS = [vector for name in FILES for vector in json.loads((FOLDER / name).read_text())["vectors"]]
SELECT_ENTRY = """
SELECT l.account_id, l.debit, l.credit, l.tax_code FROM ledger_journalline l JOIN ledger_entrysource s USING (entry_id)
WHERE s.source_kind = %s AND s.source_id = %s AND s.source_number = %s
"""


def of_kind(kind: str) -> Any:
    found = [vector for vector in VECTORS if vector["kind"] == kind]
    return pytest.mark.parametrize("vector", found, ids=[vector["name"] for vector in found])


def entry(kind: str, source_id: UUID | str, number: int = 0) -> list[Json]:
    with connection.cursor() as cursor:
        cursor.execute(SELECT_ENTRY, [kind, str(source_id), number])
        names = ("account", "debit", "credit", "tax_code")
        return in_order(dict(zip(names, row, strict=True)) for row in cursor.fetchall())


def a_till_of(vector: Json, *, name: str = "Till 1", beside: Till | None = None) -> Till:
    """A terminal of the vector's store."""
    if beside is not None:
        return Till(beside.store, name=name)
    facts = dict(vector["store"])
    store = a_store(**{key: facts[key] for key in ("currency", "timezone", "prices_include_tax")})
    for setting, value in facts["settings"].items():
        setattr(store, setting, value)
    store.full_clean()
    store.save()
    return Till(store, name=name)


def open_shift(till: Till, vector: Json, *, number: int = 1, **changes: Any) -> None:
    shift = vector["shift"]
    opening = {"number": number, "opened_at": shift["opened_at"], "first_number": shift["first_number"]}
    assert till.open(**(opening | changes)).status_code == 201


def close_shift(till: Till, vector: Json, *batches: UUID) -> None:
    shift = vector["shift"]
    first = shift["first_number"]
    told = {"closed_at": shift["closed_at"] or shift["opened_at"], "first_number": first, "last_number": first - 1}
    assert till.close(batches=batches, **told).status_code == 202


def check_results(results: list[Json], expected: list[Json]) -> None:
    found = [(result["outcome"], reasons(result["reasons"])) for result in results]
    assert found == [(expect["outcome"], reasons(expect["reasons"])) for expect in expected]


@of_kind("order")
def test_an_order(vector: Json) -> None:
    till, batch_id, came = a_till_of(vector), uuid4(), vector["circumstances"]
    open_shift(till, vector)
    if came["clock_skew_ms"] is not None:
        sent_at = timezone.now() + timedelta(milliseconds=came["clock_skew_ms"])
        beat = {"sent_at": sent_at.isoformat(), "offline_mode": False, "cached_orders": 0, "cached_total": 0}
        assert till.send("PUT", "terminal/heartbeat", beat).status_code == 200
    if vector["shift"]["closed_at"] is not None:
        close_shift(till, vector, *([] if came["late"] else [batch_id]))
    check_results(till.sell(vector["order"], batch_id=batch_id)["results"], [vector["expect"]])
    if vector["expect"]["outcome"] == "posted":
        assert entry("order", vector["order"]["order_id"]) == in_order(vector["expect"]["postings"])


@of_kind("movement")
def test_a_cash_movement(vector: Json) -> None:
    till = a_till_of(vector)
    open_shift(till, vector)
    check_results(till.sell(movements=[vector["movement"]])["movements"]["results"], [vector["expect"]])
    assert entry("movement", vector["movement"]["movement_id"]) == in_order(vector["expect"]["postings"])


@of_kind("sequence")
def test_a_sequence(vector: Json) -> None:
    tills: dict[int, Till] = {}
    shifts: dict[int, int] = {}
    for step in vector["steps"]:
        which = step["terminal"]
        till = tills.get(which) or a_till_of(vector, name=f"Till {which}", beside=next(iter(tills.values()), None))
        tills[which] = till
        if shifts.get(which) != step["shift"]:
            if which in shifts:
                close_shift(till, vector)
            open_shift(till, vector, number=step["shift"])
            shifts[which] = step["shift"]
        check_results(till.sell(*step["orders"])["results"], step["expect"])
        for order, expect in zip(step["orders"], step["expect"], strict=True):
            if expect["outcome"] == "posted":
                assert entry("order", order["order_id"]) == in_order(expect["postings"])
    for expect in vector["afterwards"]:
        assert reasons(Order.objects.get(order_id=expect["order_id"]).flags or []) == reasons(expect["reasons"])


@of_kind("drawer")
def test_a_drawer(vector: Json) -> None:
    till = a_till_of(vector)
    first = vector["shift"]["first_number"]
    for number, shift in enumerate(vector["shifts"], start=1):
        expect, batches = shift["expect"], []
        open_shift(till, vector, number=number, opening_float=shift["opening_float"], first_number=first)
        if shift["orders"] or shift["movements"]:
            batches = [till.sell(*shift["orders"], movements=shift["movements"])["batch_id"]]
        orders = [{"tip": 0, "rounding": 0} | order for order in shift["orders"]]
        told = {"closed_at": vector["shift"]["opened_at"], "float_left": shift["float_left"]}
        told |= {"first_number": first, "last_number": first + len(orders) - 1}
        till.close(*orders, batches=batches, cash_counted=shift["cash_counted"], **told)
        found = till.shift()
        assert reasons(found["flags"]) == reasons(expect["flags"])
        assert {name: found[name] for name in ("state", "cash", "differences")} == {
            name: expect[name] for name in ("state", "cash", "differences")
        }
        for kind, posted_under in (("opening", 0), ("over_short", 1), ("closing", 1)):
            assert entry(kind, till.shift_id, posted_under) == in_order(expect[kind]), kind
        first += len(orders)


def later(times: Json, by: timedelta) -> Json:
    """The same message so much later."""
    moved = {name: times[name] for name in ("opened_at", "closed_at") if name in times}
    return times | {name: (datetime.fromisoformat(time) + by).isoformat() for name, time in moved.items()}


def hear(till: Till, shift: Json, by: timedelta) -> None:
    """The heartbeat before a shift, when it was."""
    now, skew_ms = timezone.now(), shift["heartbeat"]["clock_skew_ms"]
    beat = {"sent_at": now.isoformat(), "offline_mode": False, "cached_orders": 0, "cached_total": 0}
    assert till.send("PUT", "terminal/heartbeat", beat).status_code == 200
    received_at = datetime.fromisoformat(shift["heartbeat"]["received_at"]) + by
    Heartbeat.objects.filter(terminal=till.terminal).update(clock_skew_ms=skew_ms, received_at=received_at)


def send_shift(till: Till, shift: Json, by: timedelta) -> UUID:
    """Opens it, sells in it and closes it; all of that so much later than the vector says."""
    if shift["heartbeat"] is not None:
        hear(till, shift, by)
    assert till.open(**later(shift["opening"], by)).status_code == 201
    batches = []
    if shift["orders"]:
        sent = [*shift["orders"], *shift["unreadable"]]
        receipt = till.sell(*[later(order, by) for order in sent])
        readable = len(shift["orders"])
        check_results(receipt["results"][:readable], [{"outcome": "posted", "reasons": []}] * readable)
        assert all(result["outcome"] == "held" for result in receipt["results"][readable:])
        batches = [receipt["batch_id"]]
    if shift["close"] is not None:
        declared = later(shift["close"], by) | {"batches": batches}
        assert till.send("PUT", f"shifts/{till.shift_id}/close", declared).status_code == 202
    return till.shift_id


@of_kind("shifts")
def test_shifts_in_a_row(vector: Json) -> None:
    till, sent = a_till_of(vector), []
    for shift in vector["shifts"]:
        received_at = shift["received_at"]
        by = timezone.now() - datetime.fromisoformat(received_at) if received_at else timedelta(0)
        sent.append((shift, send_shift(till, shift, by), by))
    for shift, shift_id, by in sent:
        found, expect = till.send("GET", f"shifts/{shift_id}").json(), shift["expect"]
        assert reasons(found["flags"]) == reasons(expect["flags"])
        assert (found["state"], found["missing_numbers"]) == (expect["state"], expect["missing_numbers"])
        corrected = expect["opened_at_corrected"]
        opened = datetime.fromisoformat(corrected or shift["opening"]["opened_at"]) + by
        assert found["business_date"] == opened.astimezone(ZoneInfo(vector["store"]["timezone"])).date().isoformat()
        stored = Shift.objects.get(shift_id=shift_id).opened_at_corrected
        assert stored == (opened if corrected else None)
