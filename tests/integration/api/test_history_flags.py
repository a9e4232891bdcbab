"""Flags that other orders decide: refunds against their original, a card reference seen twice (protocol §5)."""

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from backoffice.ingestion.batch.refunds import look_again_at_arrived
from backoffice.sales.models import AwaitedOriginal, Order
from tests.till import Till, a_sale, a_store, codes


def a_refund(number: int, of: dict[str, Any] | str, total: int = -240, **changes: Any) -> dict[str, Any]:
    refund_of = of if isinstance(of, str) else of["order_id"]
    return a_sale(
        number,
        kind="refund",
        refund_of=refund_of,
        lines=[{"quantity": "-1", "unit_price": -total, "amount": total, "taxes": []}],
        total=total,
        payments=[{"method": "cash", "amount": total}],
        **changes,
    )


def by_card(number: int, reference: str = "A1B2C3", **changes: Any) -> dict[str, Any]:
    return a_sale(number, payments=[{"method": "card", "amount": 240, "reference": reference}], **changes)


def flags_of(order: dict[str, Any]) -> list[str]:
    stored = Order.objects.get(order_id=order["order_id"]).flags
    return [flag["code"] for flag in stored or []]


def test_a_refund_of_an_order_that_never_came_is_posted_and_flagged(till: Till) -> None:
    receipt = till.sell(a_refund(1001, str(uuid4())))
    assert receipt["outcomes"]["posted"] == 1
    assert codes(receipt) == ["refund-of-unknown-order"]


def test_a_refund_of_an_order_that_is_held_says_that_it_is_not_in_the_books(till: Till) -> None:
    held, changed = a_sale(1001, total=1), a_sale(1002)
    till.sell(held, changed, changed | {"note": "or so"})
    for number, order in ((1003, held), (1004, changed)):
        [result] = till.sell(a_refund(number, order))["results"]
        assert [(reason["code"], reason["detail"]) for reason in result["reasons"]] == [
            ("refund-of-unknown-order", "No such order is in the books")
        ]


@pytest.mark.parametrize("status", ["voided", "training"])
def test_a_refund_of_what_nobody_paid_exceeds_it(till: Till, status: str) -> None:
    before, beside = a_sale(1001, status=status), a_sale(1002, status=status)
    till.sell(before)
    receipt = till.sell(beside, a_refund(1003, before), a_refund(1004, beside))
    assert [codes(receipt, index) for index in range(3)] == [[], *[["refund-exceeds-original"]] * 2]
    assert not AwaitedOriginal.objects.exists()


@pytest.mark.parametrize("status", ["voided", "training"])
def test_a_refund_does_not_wait_for_ever_for_what_nobody_paid(till: Till, status: str) -> None:
    sale = a_sale(1001, status=status)
    refund = a_refund(1002, sale)
    assert codes(till.sell(refund)) == ["refund-of-unknown-order"]
    till.sell(sale)
    assert flags_of(refund) == ["refund-exceeds-original"]
    assert not AwaitedOriginal.objects.filter(arrived_at=None).exists()


def test_a_refund_of_a_known_order_is_not_flagged(till: Till) -> None:
    sale = a_sale(1001)
    till.sell(sale)
    assert codes(till.sell(a_refund(1002, sale))) == []


def test_a_refund_in_the_batch_of_its_original_is_not_flagged_whatever_their_order(till: Till) -> None:
    first, second = a_sale(1001), a_sale(1003)
    receipt = till.sell(first, a_refund(1002, first), a_refund(1004, second), second)
    assert [result["reasons"] for result in receipt["results"]] == [[], [], [], []]


def test_refunds_beyond_the_original_are_flagged_over_batches_and_terminals(till: Till) -> None:
    sale = a_sale(1001)
    till.sell(sale)
    other = Till(till.store, name="Till 2")
    other.open()
    assert codes(till.sell(a_refund(1002, sale, -140))) == []
    assert codes(other.sell(a_refund(1001, sale, -100))) == []
    assert codes(till.sell(a_refund(1003, sale, -3))) == ["refund-exceeds-original"]
    assert codes(other.sell(a_refund(1002, sale, -1))) == ["refund-exceeds-original"]


def far_away() -> Till:
    """A till of another store with another currency, which takes nothing back a day later."""
    store = a_store(currency="JPY", timezone="Asia/Tokyo", name="Tokyo")
    store.refund_days = 0
    store.save()
    till = Till(store)
    till.open()
    return till


def test_a_till_of_another_store_learns_nothing_of_an_order_and_spoils_no_flag_of_it(till: Till) -> None:
    sale, elsewhere = a_sale(1001), far_away()
    till.sell(sale)
    late = {"opened_at": "2027-03-01T10:00:00+01:00", "closed_at": "2027-03-01T10:01:00+01:00"}
    for number, total in ((1001, -1), (1002, -98765)):
        receipt = elsewhere.sell(a_refund(number, sale, total, **late))
        assert [reason for reason in codes(receipt) if reason.startswith("refund")] == []
        assert "240" not in str([reason["detail"] for reason in receipt["results"][0]["reasons"]])
    assert codes(till.sell(a_refund(1002, sale))) == []
    assert codes(till.sell(a_refund(1003, sale, -2))) == ["refund-exceeds-original"]


def test_a_refund_elsewhere_that_came_before_its_original_learns_nothing_of_it_either(till: Till) -> None:
    sale, elsewhere = a_sale(1001), far_away()
    refund, ours = a_refund(1001, sale, -98765), a_refund(1002, sale)
    assert codes(elsewhere.sell(refund)) == ["refund-of-unknown-order"]
    till.sell(ours)
    till.sell(sale)
    assert (flags_of(refund), flags_of(ours)) == ([], [])
    assert not AwaitedOriginal.objects.filter(arrived_at=None).exists()


def test_refunds_beyond_the_original_are_flagged_within_a_batch(till: Till) -> None:
    sale = a_sale(1001)
    receipt = till.sell(sale, a_refund(1002, sale), a_refund(1003, sale))
    assert codes(receipt, 1) == []
    assert codes(receipt, 2) == ["refund-exceeds-original"]


def test_a_refund_is_looked_at_again_when_its_original_arrives(till: Till) -> None:
    sale = a_sale(1001)
    right, excessive = a_refund(1002, sale), a_refund(1003, sale)
    receipt = till.sell(right, excessive)
    assert [codes(receipt, index) for index in (0, 1)] == [["refund-of-unknown-order"]] * 2
    assert till.sell(sale)["outcomes"]["posted"] == 1
    assert flags_of(right) == []
    assert flags_of(excessive) == ["refund-exceeds-original"]


def test_looking_again_keeps_the_other_flags(till: Till) -> None:
    sale = a_sale(1001)
    refund = a_refund(1002, sale, type="picnic")
    till.sell(refund)
    till.sell(sale)
    assert flags_of(refund) == ["unknown-type"]


def test_a_refund_too_late_by_the_stores_setting_is_flagged() -> None:
    store = a_store()
    store.refund_days = 14
    store.save()
    till = Till(store)
    till.open(opened_at="2026-02-01T08:00:00+01:00", number=1)
    sale = a_sale(1001, opened_at="2026-02-01T10:00:00+01:00", closed_at="2026-02-01T10:01:00+01:00")
    till.sell(sale)
    times = {"opened_at": "2026-02-15T10:01:00+01:00", "closed_at": "2026-02-15T10:01:00+01:00"}
    assert codes(till.sell(a_refund(1002, sale, **times))) == []
    times = {"opened_at": "2026-02-15T10:01:01+01:00", "closed_at": "2026-02-15T10:01:01+01:00"}
    assert codes(till.sell(a_refund(1003, sale, -2, **times))) == ["refund-too-late", "refund-exceeds-original"]


def test_a_card_reference_on_two_orders_of_a_store_is_flagged_on_the_second(till: Till) -> None:
    other = Till(till.store, name="Till 2")
    other.open()
    assert codes(till.sell(by_card(1001))) == []
    assert codes(other.sell(by_card(1001))) == ["same-card-payment"]


def test_a_card_reference_twice_in_one_batch_is_flagged(till: Till) -> None:
    receipt = till.sell(by_card(1001), by_card(1002), by_card(1003, "OTHER"))
    assert [codes(receipt, index) for index in range(3)] == [[], ["same-card-payment"], []]


def test_the_same_reference_in_another_store_is_not_flagged(till: Till) -> None:
    till.sell(by_card(1001))
    elsewhere = Till()
    elsewhere.open()
    assert codes(elsewhere.sell(by_card(1001))) == []


def test_the_same_reference_a_day_later_is_not_flagged(till: Till) -> None:
    till.sell(by_card(1001, closed_at="2026-03-01T10:01:00+01:00"))
    after = {"opened_at": "2026-03-02T10:00:00+01:00", "closed_at": "2026-03-02T10:01:01+01:00"}
    assert codes(till.sell(by_card(1002, **after))) == []


@pytest.mark.parametrize("long_one_first", [True, False])
def test_a_shift_that_is_open_for_five_days_is_compared_with_those_of_its_last(
    till: Till, *, long_one_first: bool
) -> None:
    other = Till(till.store, name="Till 2")
    other.open(opened_at="2026-03-06T08:00:00+01:00")
    on_the_fifth = by_card(1001, opened_at="2026-03-05T20:00:00+01:00", closed_at="2026-03-05T20:01:00+01:00")
    on_the_sixth = by_card(1001, opened_at="2026-03-06T09:00:00+01:00", closed_at="2026-03-06T09:01:00+01:00")
    sales = [(till, on_the_fifth), (other, on_the_sixth)]
    (first_till, first), (second_till, second) = sales if long_one_first else reversed(sales)
    assert codes(first_till.sell(first)) == []
    assert codes(second_till.sell(second)) == ["same-card-payment"]


def test_a_shift_that_is_open_for_a_month_is_compared_too(till: Till) -> None:
    other = Till(till.store, name="Till 2")
    other.open(opened_at="2026-03-31T08:00:00+02:00")
    assert codes(till.sell(by_card(1001, closed_at="2026-03-31T20:00:00+02:00"))) == []
    assert codes(other.sell(by_card(1001, opened_at=(at := "2026-03-31T21:00:00+02:00"), closed_at=at))) == [
        "same-card-payment"
    ]


def test_orders_of_a_device_whose_clock_is_years_behind_are_compared(till: Till) -> None:
    wrong = {"opened_at": "2020-01-01T00:00:00Z", "closed_at": "2020-01-01T00:01:00Z"}
    till.sell(by_card(1001, **wrong))
    assert "same-card-payment" in codes(till.sell(by_card(1002, **wrong)))


def test_a_refund_of_the_other_order_shares_its_reference_rightly(till: Till) -> None:
    sale = by_card(1001)
    till.sell(sale)
    refund = a_refund(1002, sale)
    refund["payments"] = [{"method": "card", "amount": -240, "reference": "A1B2C3"}]
    assert codes(till.sell(refund)) == []


def test_no_reference_is_no_reference_in_common(till: Till) -> None:
    receipt = till.sell(by_card(1001, ""), by_card(1002, ""))
    assert [codes(receipt, index) for index in (0, 1)] == [[], []]


@pytest.mark.parametrize(
    ("status", "found"),
    [("paid", []), ("voided", ["refund-exceeds-original"]), ("training", ["refund-exceeds-original"])],
)
def test_a_refund_and_its_original_that_did_not_see_each_other_are_caught_up_with(
    till: Till, status: str, found: list[str]
) -> None:
    sale = a_sale(1001, status=status)
    refund, excessive = a_refund(1002, sale), a_refund(1003, sale)
    till.sell(refund, excessive)
    till.sell(sale)
    # As two transactions at the same moment leave it: both posted, and nobody looked again.
    unknown = [{"code": "refund-of-unknown-order", "pointer": "/refund_of", "detail": ""}]
    Order.objects.filter(order_id__in=[refund["order_id"], excessive["order_id"]]).update(flags=unknown)
    AwaitedOriginal.objects.update(arrived_at=None)
    assert look_again_at_arrived(now=timezone.now()) == 1
    assert (flags_of(refund), flags_of(excessive)) == (found, ["refund-exceeds-original"])
    assert look_again_at_arrived(now=timezone.now()) == 0


def test_what_others_gave_back_before_counts_when_a_refund_is_caught_up_with(till: Till) -> None:
    sale = a_sale(1001)
    waited, unseen = a_refund(1002, sale), a_refund(1003, sale)
    till.sell(waited)
    till.sell(sale)
    till.sell(unseen)
    # As it is left where the second is processed at the same moment as the sale: the first alone was looked at again.
    row = Order.objects.get(order_id=unseen["order_id"])
    Order.objects.filter(id=row.id).update(flags=None)
    AwaitedOriginal.objects.create(refund_id=row.id, refund_of=sale["order_id"], business_date=row.business_date)
    assert look_again_at_arrived(now=timezone.now()) == 1
    assert (flags_of(waited), flags_of(unseen)) == ([], ["refund-exceeds-original"])
