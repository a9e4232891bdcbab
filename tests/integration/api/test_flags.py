"""Flags: a rule of business was broken, and the order is in the books all the same (protocol §5)."""

import zlib
from typing import Any
from uuid import uuid4

import pytest

from backoffice.inbox.models import Batch
from backoffice.ingestion.sweep import process_waiting
from backoffice.sales.models import CashMovement, Order
from tests.till import Till, a_movement, a_sale, codes, outcomes


def a_line(**changes: Any) -> dict[str, Any]:
    return {"quantity": "2", "unit_price": 120, "amount": 240, "taxes": []} | changes


def a_tax(amount: int, rate: str = "0.055") -> dict[str, Any]:
    return {"code": "FR-5.5", "rate": rate, "amount": amount}


def cash(**changes: Any) -> list[dict[str, Any]]:
    return [{"method": "cash", "amount": 240} | changes]


FLAGGED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a customer on an offline order": ({"customer": {"name": "Léa"}}, ["customer-on-offline-order"]),
    "a customer on an online order": ({"customer": {"name": "Léa"}, "mode": "online"}, []),
    "an offline order printed over the network": ({"printed_to": "network"}, ["network-print-on-offline-order"]),
    "an online order printed over the network": ({"printed_to": "network", "mode": "online"}, []),
    "opened before the shift": ({"opened_at": "2026-03-01T07:59:59+01:00"}, []),
    "closed before the shift": ({"closed_at": "2026-03-01T07:59:59+01:00"}, ["outside-shift-hours"]),
    "an amount with the other sign": (
        {"lines": [a_line(quantity="-2")]},
        ["line-amount-mismatch", "sign-mismatch"],
    ),
    "an amount that is not quantity times price": (
        {"lines": [a_line(unit_price=121)]},
        ["line-amount-mismatch"],
    ),
    "a discount that explains the amount": ({"lines": [a_line(unit_price=150, discount=60)]}, []),
    "half a cent rounded away from zero": ({"lines": [a_line(quantity="1.5", unit_price="159.6667")]}, []),
    "a tax 1.6 above its rate on 226": (
        {"lines": [a_line(quantity="1", unit_price=240, taxes=[a_tax(14)])]},
        ["tax-mismatch"],
    ),
    "a tax 0.5 above its rate on 227": ({"lines": [a_line(quantity="1", unit_price=240, taxes=[a_tax(13)])]}, []),
    "a tax 0.5 below its rate on 228": ({"lines": [a_line(quantity="1", unit_price=240, taxes=[a_tax(12)])]}, []),
    "a tax 1.6 below its rate on 229": (
        {"lines": [a_line(quantity="1", unit_price=240, taxes=[a_tax(11)])]},
        ["tax-mismatch"],
    ),
    "a tax that is an amount per unit": ({"lines": [a_line(taxes=[a_tax(40, "0") | {"kind": "fixed"}])]}, []),
    "long texts": (
        {"note": "x" * 501, "cashier": "x" * 65, "lines": [a_line(name="x" * 201, sku="x" * 65)]},
        ["text-shortened"] * 4,
    ),
    "a tax of two pieces 1.6 above its rate on 226": ({"lines": [a_line(taxes=[a_tax(14)])]}, []),
    "change that is not what was due": ({"payments": cash(tendered=500, change=250)}, ["change-mismatch"]),
    "cash without a word on change": ({"payments": cash()}, []),
    "tendered without change": ({"payments": cash(tendered=240)}, []),
    "an unknown type": ({"type": "drone"}, ["unknown-type"]),
    "no type": ({"type": None}, []),
    "several at once": (
        {"customer": {}, "type": "drone", "payments": cash(tendered=1, change=0)},
        ["customer-on-offline-order", "unknown-type", "change-mismatch"],
    ),
}


@pytest.mark.parametrize("name", FLAGGED)
def test_it_is_posted_with_exactly_these_flags(till: Till, name: str):
    change, flags = FLAGGED[name]
    receipt = till.sell(a_sale(1001, **change))
    assert (outcomes(receipt), codes(receipt)) == (["posted"], flags)


def test_a_number_below_the_first_of_the_shift_is_flagged(till: Till):
    receipt = till.sell(a_sale(1000), a_sale(1001))
    assert [codes(receipt, index) for index in (0, 1)] == [["number-out-of-range"], []]


def test_a_table_of_the_shift_before_keeps_its_number_without_a_flag(till: Till):
    opened = {"opened_at": "2026-03-01T07:30:00+01:00"}
    assert codes(till.sell(a_sale(1000, **opened))) == []


def test_a_long_text_is_shortened_in_the_tables_and_whole_in_the_body(till: Till):
    name, reference = "é" * 201, "x" * 65
    payments = [{"method": "card", "amount": 240, "reference": reference}]
    order = a_sale(1001, lines=[a_line(name=name)], payments=payments, note="y" * 501)
    batch_id = till.upload(order).json()["batch_id"]
    process_waiting()
    receipt = till.receipt(batch_id)
    assert [reason["pointer"] for reason in receipt["results"][0]["reasons"]] == [
        "/note", "/lines/0/name", "/payments/0/reference",
    ]  # fmt: skip
    stored = Order.objects.get(order_id=order["order_id"])
    assert (stored.note, stored.lines.get().name) == ("y" * 500, "é" * 200)
    assert stored.payments.get().reference == "x" * 64
    assert name in zlib.decompress(Batch.objects.get(batch_id=batch_id).body).decode("unicode_escape")
    assert outcomes(till.sell(order)) == ["duplicate"]
    assert outcomes(till.sell(order | {"note": "y" * 502})) == ["conflict"]


def test_a_movement_of_a_cashier_with_a_long_name_is_posted_and_flagged(till: Till):
    receipt = till.sell(movements=[a_movement(cashier="x" * 65)])["movements"]
    assert (receipt["outcomes"]["posted"], codes(receipt)) == (1, ["text-shortened"])
    assert CashMovement.objects.get(terminal=till.terminal).cashier == "x" * 64


HELD: dict[str, tuple[dict[str, Any], str]] = {
    "a refund whose signs were forgotten": (
        {"kind": "refund", "payments": [{"method": "cash", "amount": 240}]},
        "refund-not-negative",
    ),
    "an adjustment that sells": ({"adjusts": str(uuid4())}, "adjustment-with-lines"),
    "an unknown kind of tax": ({"lines": [a_line(taxes=[a_tax(13) | {"kind": "levy"}])]}, "unknown-tax-kind"),
}


@pytest.mark.parametrize("name", HELD)
def test_it_is_held_for_exactly_this(till: Till, name: str):
    change, reason = HELD[name]
    receipt = till.sell(a_sale(1001, **change))
    assert (outcomes(receipt), codes(receipt)) == (["held"], [reason])
    assert till.shift()["cash"]["expected"] == 20000


@pytest.mark.parametrize("status", ["voided", "training"])
def test_what_was_not_sold_may_be_empty(till: Till, status: str):
    assert outcomes(till.sell(a_sale(1001, status=status, lines=[], payments=[]))) == ["posted"]


def test_an_order_after_the_close_is_flagged(till: Till):
    till.close()
    receipt = till.sell(a_sale(1001, closed_at="2026-03-01T18:00:01+01:00"))
    assert codes(receipt) == ["outside-shift-hours", "late"]


def test_what_is_unset_flags_nothing(till: Till):
    line = a_line(quantity="1", unit_price=10**12 - 10**6, amount=10**12 - 10**6)
    order = a_sale(1001, lines=[line], rounding=10**6, total=10**12, payments=[{"method": "card", "amount": 10**12}])
    refund = a_sale(
        1002,
        kind="refund",
        lines=[a_line(quantity="-1", unit_price=1, amount=-1)],
        total=-1,
        payments=[{"method": "card", "amount": -1}],
    )
    receipt = till.sell(order, refund)
    assert [codes(receipt, index) for index in (0, 1)] == [[], []]


@pytest.mark.parametrize(
    ("highest", "flags"), [(239, ["over-max-order-total"]), (240, []), (0, ["over-max-order-total"])]
)
def test_a_total_above_the_stores_maximum_is_flagged(till: Till, highest: int, flags: list[str]):
    till.store.max_order_total = highest
    till.store.save()
    assert codes(till.sell(a_sale(1001))) == flags


@pytest.mark.parametrize(("lowest", "flags"), [(121, ["refund-below-minimum"]), (120, [])])
def test_a_refund_below_the_stores_minimum_is_flagged(till: Till, lowest: int, flags: list[str]):
    till.store.min_refund_total = lowest
    till.store.save()
    line = a_line(quantity="-1", amount=-120)
    refund = a_sale(1001, kind="refund", lines=[line], total=-120, payments=[{"method": "cash", "amount": -120}])
    assert codes(till.sell(refund)) == flags


@pytest.mark.parametrize(
    ("rounding", "flags"), [(2, []), (-2, []), (3, ["rounding-excessive"]), (-3, ["rounding-excessive"])]
)
def test_rounding_beyond_half_the_stores_step_is_flagged(till: Till, rounding: int, flags: list[str]):
    till.store.rounding_step = 5
    till.store.save()
    total = 240 + rounding
    order = a_sale(1001, rounding=rounding, total=total, payments=[{"method": "cash", "amount": total}])
    assert codes(till.sell(order)) == flags


def test_a_store_that_rounds_down_rounds_by_less_than_its_step(till: Till):
    """799 less 99 is 700, where the step is 100."""
    till.store.rounding_step = 100
    till.store.rounding_mode = "down"
    till.store.save()
    line = a_line(quantity="1", unit_price=799, amount=799)
    paid = [{"method": "cash", "amount": 700}]
    assert codes(till.sell(a_sale(1001, lines=[line], rounding=-99, total=700, payments=paid))) == []
    paid = [{"method": "cash", "amount": 699}]
    assert codes(till.sell(a_sale(1002, lines=[line], rounding=-100, total=699, payments=paid))) == [
        "rounding-excessive"
    ]


@pytest.mark.parametrize(
    ("own", "flagged"),
    [(["drone", "on_table"], ["takeaway"]), (["takeaway"], ["drone", "on_table"]), ([], ["drone"]), (None, ["drone"])],
)
def test_a_type_that_is_none_of_the_stores_own_is_flagged(till: Till, own: list[str] | None, flagged: list[str]):
    till.store.order_types = own
    till.store.save()
    types = ["drone", "on_table", "takeaway"]
    receipt = till.sell(*[a_sale(1001 + place, type=name) for place, name in enumerate(types)])
    assert outcomes(receipt) == ["posted"] * 3
    found = {name: codes(receipt, place) for place, name in enumerate(types)}
    assert found == {name: ["unknown-type"] if name in flagged else [] for name in types}


@pytest.mark.parametrize("status", ["voided", "training"])
def test_what_was_not_sold_is_not_checked_for_money(till: Till, status: str):
    till.store.max_order_total = 1
    till.store.save()
    order = a_sale(1001, status=status, lines=[a_line(unit_price=7)], payments=cash(tendered=1, change=2))
    assert codes(till.sell(order)) == []


@pytest.mark.parametrize("reason", ["parking", "", "Change"])
def test_a_movement_of_an_unknown_reason_is_posted_and_flagged(till: Till, reason: str):
    receipt = till.sell(movements=[a_movement(reason=reason)])["movements"]
    assert receipt["outcomes"]["posted"] == 1
    assert codes(receipt) == ["unknown-cash-reason"]


@pytest.mark.parametrize("amount", [0, -1, 5.0, "5", 10**12 + 1])
def test_a_movement_of_no_positive_amount_is_held(till: Till, amount: Any):
    receipt = till.sell(a_sale(1001), movements=[a_movement(amount), a_movement()])
    assert [result["outcome"] for result in receipt["movements"]["results"]] == ["held", "posted"]
    assert outcomes(receipt) == ["posted"]


def test_flags_move_no_money(till: Till):
    orders = [a_sale(1001), a_sale(1002, customer={"name": "Léa"}, type="drone")]
    till.sell(*orders)
    assert till.close(*orders).json()["state"] == "reconciled"
