"""Known orders, changed orders, numbers used twice: what is new posts, what is known never posts again (protocol §5)."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from backoffice.ingestion.sweep import process_waiting
from backoffice.sales.models import HeldItem, Order
from tests.till import Till, a_movement, a_sale, balance, codes, entry_of, outcomes


def another_till(till: Till) -> Till:
    other = Till(till.store, name="Till 2")
    other.open()
    return other


# --- Duplicates -------------------------------------------------------------------------------------------------------


def test_known_orders_in_a_new_batch_are_all_duplicates(till: Till):
    orders = [a_sale(1001 + index) for index in range(5)]
    till.sell(*orders)
    receipt = till.sell(*orders)
    assert receipt["outcomes"] == {"posted": 0, "duplicate": 5, "conflict": 0, "held": 0}
    assert (till.shift()["computed"]["order_count"], balance(till)) == (5, 20000 + 5 * 240)


def test_of_half_old_and_half_new_only_the_new_post(till: Till):
    orders = [a_sale(1001 + index) for index in range(6)]
    till.sell(*orders[:3])
    assert outcomes(till.sell(*reversed(orders))) == ["posted"] * 3 + ["duplicate"] * 3
    assert till.shift()["computed"]["order_count"] == 6


def test_one_order_twice_in_a_batch_is_one_and_a_duplicate(till: Till):
    order = a_sale(1001)
    assert outcomes(till.sell(order, a_sale(1002), order)) == ["posted", "posted", "duplicate"]
    assert till.shift()["computed"]["sales"] == 480


def test_an_order_split_over_two_batches_posts_where_it_came_first(till: Till):
    order = a_sale(1001)
    first, second = till.upload(order), till.upload(order)
    process_waiting()
    assert outcomes(till.receipt(first.json()["batch_id"])) == ["posted"]
    assert outcomes(till.receipt(second.json()["batch_id"])) == ["duplicate"]


SPELLINGS: dict[str, Any] = {
    "mode": lambda order: order | {"mode": "online"},
    "printed_to": lambda order: order | {"printed_to": "none"},
    "an unknown field": lambda order: order | {"colour": "red"},
    "key order": lambda order: dict(reversed(order.items())),
    "absent optional fields": lambda order: {
        key: value for key, value in order.items() if key not in {"customer", "refund_of", "note", "rounding", "tip"}
    },
    "another time zone": lambda order: (
        order | {"opened_at": "2026-03-01T09:00:00Z", "closed_at": "2026-03-01T04:01:00.000-05:00"}
    ),
    "a quantity's zeros": lambda order: order | {"lines": [order["lines"][0] | {"quantity": "2.0000"}]},
    "a price as text": lambda order: order | {"lines": [order["lines"][0] | {"unit_price": "120.00"}]},
    "a rate's zeros": lambda order: (
        order | {"lines": [order["lines"][0] | {"taxes": [order["lines"][0]["taxes"][0] | {"rate": "0.055000"}]}]}
    ),
    "a line's defaults": lambda order: (
        order | {"lines": [{key: value for key, value in order["lines"][0].items() if key not in {"kind", "discount"}}]}
    ),
    "upper case": lambda order: order | {"order_id": order["order_id"].upper()},
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_another_spelling_is_the_same_content(till: Till, name: str):
    order = a_sale(1001)
    till.sell(order)
    receipt = till.sell(SPELLINGS[name](order))
    assert (outcomes(receipt), codes(receipt)) == (["duplicate"], [])


def test_white_space_and_escapes_are_the_same_content(till: Till):
    order = a_sale(1001, note="Café")
    till.sell(order)
    spaced = json.dumps({"orders": [order]}, indent=3, ensure_ascii=True).encode()
    batch_id = till.upload(raw=spaced).json()["batch_id"]
    process_waiting()
    assert outcomes(till.receipt(batch_id)) == ["duplicate"]


def test_a_live_order_whose_answer_was_lost_comes_back_offline_as_a_duplicate(till: Till):
    order = a_sale(1001, mode="online", printed_to="network")
    assert till.upload(order, Prefer="wait=5").status_code == 200
    assert outcomes(till.sell(order | {"mode": "offline", "printed_to": "local"}, a_sale(1002))) == [
        "duplicate",
        "posted",
    ]
    assert Order.objects.get(order_id=order["order_id"]).mode == "online"


@pytest.mark.parametrize("days", [1, 8, 400, 10_000])
def test_a_retry_after_any_time_is_a_duplicate(till: Till, monkeypatch: pytest.MonkeyPatch, days: int):
    order = a_sale(1001)
    till.sell(order)
    long_after = timezone.now() + timedelta(days=days)
    monkeypatch.setattr(timezone, "now", lambda: long_after)
    assert outcomes(till.sell(order)) == ["duplicate"]
    assert Order.objects.filter(order_id=order["order_id"]).count() == 1


def test_under_another_shift_it_is_a_duplicate_that_stays_where_it_was(till: Till):
    order, first = a_sale(1001), till.shift_id
    till.sell(order)
    till.close(order)
    till.open(first_number=1002)
    receipt = till.sell(order)
    assert (outcomes(receipt), codes(receipt)) == (["duplicate"], ["other-shift"])
    assert Order.objects.get(order_id=order["order_id"]).shift_id == first
    assert till.shift()["computed"]["order_count"] == 0


def test_a_conflicting_version_under_another_shift_stays_where_it_was_too(till: Till):
    order = a_sale(1001)
    till.sell(order)
    till.close(order)
    till.open(first_number=1002)
    changed, mine = order | {"note": "changed"}, till.shift_id
    assert codes(till.sell(changed)) == ["content-differs"]
    receipt = till.sell(changed)
    assert (outcomes(receipt), codes(receipt)) == (["duplicate"], [])
    till.close(first_number=1002, last_number=1001)
    till.open(first_number=1002)
    receipt = till.sell(changed, order)
    assert outcomes(receipt) == ["duplicate", "duplicate"]
    assert [codes(receipt, index) for index in (0, 1)] == [["other-shift"]] * 2
    assert HeldItem.objects.get(terminal=till.terminal).shift_id == mine


def test_an_order_of_another_terminal_under_another_shift_stays_with_ours(till: Till):
    order, other = a_sale(1001), another_till(till)
    till.sell(order)
    other.sell(order)
    other.close()
    other.open(first_number=1001)
    assert codes(other.sell(order)) == ["other-shift"]


def test_a_held_order_sent_again_is_a_duplicate(till: Till):
    held = a_sale(1001, total=1)
    till.sell(held)
    assert outcomes(till.sell(held, held)) == ["duplicate", "duplicate"]
    assert HeldItem.objects.filter(terminal=till.terminal).count() == 1


def test_an_unreadable_order_sent_again_is_a_duplicate_however_it_is_spelled(till: Till):
    unreadable = a_sale(1001, total="240")
    till.sell(unreadable)
    assert outcomes(till.sell(dict(reversed(unreadable.items())))) == ["duplicate"]


def test_a_voided_order_sent_again_is_a_duplicate(till: Till):
    order = a_sale(1001, status="voided")
    till.sell(order)
    assert outcomes(till.sell(order)) == ["duplicate"]


# --- Conflicts --------------------------------------------------------------------------------------------------------

CHANGES: dict[str, dict[str, Any]] = {
    "total": {"total": 480, "payments": [{"method": "cash", "amount": 480}]},
    "number": {"number": 1002},
    "status": {"status": "voided"},
    "kind": {"kind": "refund"},
    "type": {"type": "delivery"},
    "type to null": {"type": None},
    "opened_at": {"opened_at": "2026-03-01T10:00:01+01:00"},
    "closed_at": {"closed_at": "2026-03-01T10:01:00.000001+01:00"},
    "cashier": {"cashier": "Bert"},
    "customer": {"customer": {}},
    "refund_of": {"refund_of": str(uuid4())},
    "note": {"note": "x"},
    "lines": {"lines": []},
    "tip": {"tip": 1},
    "rounding": {"rounding": 1},
    "method": {"payments": [{"method": "card", "amount": 240}]},
    "change": {"payments": [{"method": "cash", "amount": 240, "tendered": 500, "change": 261, "reference": ""}]},
    "unreadable": {"total": None},
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_known_order_with_other_content_is_a_conflict_and_the_first_stands(till: Till, name: str):
    order = a_sale(1001)
    till.sell(order)
    receipt = till.sell(order | CHANGES[name])
    assert (outcomes(receipt), codes(receipt)) == (["conflict"], ["content-differs"])
    assert entry_of(order["order_id"]) == {("1000", 240, 0), ("4000", 0, 227), ("2100", 0, 13)}
    assert (till.shift()["computed"]["sales"], till.shift()["held"]) == (240, 1)


def test_a_conflict_is_kept_beside_the_first(till: Till):
    order = a_sale(1001)
    till.sell(order)
    receipt = till.sell(order | {"note": "changed"})
    held = HeldItem.objects.get(terminal=till.terminal)
    assert (held.outcome, str(held.order_id), str(held.batch_id)) == (
        "conflict",
        order["order_id"],
        receipt["batch_id"],
    )


def test_a_conflicting_version_sent_again_is_a_duplicate(till: Till):
    order = a_sale(1001)
    changed, again = order | {"note": "changed"}, order | {"note": "changed again"}
    till.sell(order)
    assert outcomes(till.sell(changed)) == ["conflict"]
    assert outcomes(till.sell(changed, order, again)) == ["duplicate", "duplicate", "conflict"]
    assert HeldItem.objects.filter(terminal=till.terminal).count() == 2


def test_two_contents_of_one_new_order_in_a_batch_are_both_conflicts(till: Till):
    order = a_sale(1001)
    receipt = till.sell(order, order | {"note": "or so"})
    assert outcomes(receipt) == ["conflict", "conflict"]
    assert [codes(receipt, index) for index in (0, 1)] == [["content-differs"]] * 2
    assert entry_of(order["order_id"]) == set()
    assert outcomes(till.sell(order)) == ["duplicate"]


def test_three_sendings_of_two_contents_are_two_conflicts_and_a_duplicate(till: Till):
    order = a_sale(1001)
    assert outcomes(till.sell(order, order | {"note": "x"}, order)) == ["conflict", "conflict", "duplicate"]


def test_a_held_order_sent_again_with_other_content_is_a_conflict(till: Till):
    held = a_sale(1001, total=1)
    till.sell(held)
    receipt = till.sell(held | {"total": 240})
    assert (outcomes(receipt), codes(receipt)) == (["conflict"], ["content-differs"])


def test_an_unreadable_order_sent_again_readable_is_a_conflict(till: Till):
    unreadable = a_sale(1001, total="240")
    till.sell(unreadable)
    assert outcomes(till.sell(unreadable | {"total": 240})) == ["conflict"]


def test_under_another_shift_other_content_is_still_a_conflict(till: Till):
    order = a_sale(1001)
    till.sell(order)
    till.close(order)
    till.open(first_number=1002)
    assert outcomes(till.sell(order | {"note": "x"})) == ["conflict"]


# --- Numbers ----------------------------------------------------------------------------------------------------------


def test_a_number_that_another_order_used_is_a_conflict(till: Till):
    till.sell(a_sale(1001))
    late_comer = a_sale(1001)
    receipt = till.sell(late_comer)
    assert (outcomes(receipt), codes(receipt)) == (["conflict"], ["number-already-used"])
    assert receipt["results"][0]["reasons"][0]["pointer"] == "/number"
    assert outcomes(till.sell(late_comer)) == ["duplicate"]


def test_within_a_batch_the_first_readable_order_takes_the_number(till: Till):
    unreadable = a_sale(1001, total="240")
    assert outcomes(till.sell(unreadable, a_sale(1001), a_sale(1001))) == ["held", "posted", "conflict"]


@pytest.mark.parametrize("change", [{"total": 1}, {"status": "voided"}, {"status": "training"}])
def test_a_number_is_taken_whatever_the_outcome_of_its_order(till: Till, change: dict[str, Any]):
    till.sell(a_sale(1001, **change))
    assert codes(till.sell(a_sale(1001))) == ["number-already-used"]


def test_a_number_that_only_a_conflict_names_is_taken_by_it(till: Till):
    order = a_sale(1001)
    till.sell(order)
    till.sell(order | {"number": 1002})
    assert codes(till.sell(a_sale(1002))) == ["number-already-used"]


def test_a_number_is_not_free_again_in_the_next_shift(till: Till):
    order = a_sale(1001)
    till.sell(order)
    till.close(order)
    till.open(first_number=1001)
    assert codes(till.sell(a_sale(1001))) == ["number-already-used"]


def test_other_terminals_have_numbers_of_their_own(till: Till):
    till.sell(a_sale(1001))
    assert outcomes(another_till(till).sell(a_sale(1001))) == ["posted"]


def test_order_and_number_may_both_be_taken(till: Till):
    first, second = a_sale(1001), a_sale(1002)
    till.sell(first, second)
    receipt = till.sell(first | {"number": 1002})
    assert codes(receipt) == ["content-differs", "number-already-used"]


# --- Other terminals --------------------------------------------------------------------------------------------------


def test_an_order_of_another_terminal_is_a_conflict_and_stays_there(till: Till):
    order, other = a_sale(1001), another_till(till)
    till.sell(order)
    receipt = other.sell(order)
    assert (outcomes(receipt), codes(receipt)) == (["conflict"], ["order-of-another-terminal"])
    assert Order.objects.get(order_id=order["order_id"]).terminal == till.terminal
    assert balance(other) == 20000


def test_sent_again_to_us_it_is_a_duplicate_of_the_conflict(till: Till):
    order, other = a_sale(1001), another_till(till)
    till.sell(order)
    other.sell(order)
    assert outcomes(other.sell(order)) == ["duplicate"]
    assert outcomes(till.sell(order)) == ["duplicate"]


def test_so_it_is_in_another_store(till: Till):
    order, elsewhere = a_sale(1001), Till()
    elsewhere.open()
    till.sell(order)
    assert codes(elsewhere.sell(order)) == ["order-of-another-terminal"]


# --- Cash movements ---------------------------------------------------------------------------------------------------


def movement_outcomes(till: Till, *movements: Any) -> list[str]:
    return [result["outcome"] for result in till.sell(movements=movements)["movements"]["results"]]


def test_a_known_movement_is_a_duplicate(till: Till):
    movement = a_movement()
    assert movement_outcomes(till, movement, movement) == ["posted", "duplicate"]
    assert movement_outcomes(till, movement | {"occurred_at": "2026-03-01T10:00:00Z", "bag": 1}) == ["duplicate"]
    assert balance(till) == 25000


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 5001},
        {"kind": "cash_out"},
        {"reason": "tips"},
        {"cashier": "Bert"},
        {"occurred_at": "2026-03-01T11:00:01+01:00"},
    ],
)
def test_a_known_movement_with_other_content_is_a_conflict(till: Till, change: dict[str, Any]):
    movement = a_movement()
    assert movement_outcomes(till, movement) == ["posted"]
    assert movement_outcomes(till, movement | change) == ["conflict"]
    assert balance(till) == 25000


def test_two_contents_of_one_new_movement_are_both_conflicts(till: Till):
    movement = a_movement()
    assert movement_outcomes(till, movement, movement | {"amount": 1}) == ["conflict", "conflict"]


def test_a_movement_of_another_terminal_is_a_conflict(till: Till):
    movement = a_movement()
    till.sell(movements=[movement])
    assert movement_outcomes(another_till(till), movement) == ["conflict"]


def test_an_order_and_a_movement_of_one_identifier_do_not_both_post(till: Till):
    order = a_sale(1001)
    receipt = till.sell(order, movements=[a_movement(movement_id=order["order_id"])])
    assert outcomes(receipt) == ["conflict"]
    assert receipt["movements"]["outcomes"]["conflict"] == 1
