"""Orders that give back or adjust others, and what those others decide of their flags (protocol §5, "How refunds are counted")."""

import json
from typing import Any
from uuid import uuid4

import pytest

from backoffice.sales.models import AwaitedOriginal
from tests.integration.api.test_history_flags import by_card, far_away, flags_of
from tests.till import Till, a_sale, codes, outcomes


def a_line(amount: int, of: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    line = {"quantity": "1" if amount >= 0 else "-1", "unit_price": abs(amount), "amount": amount, "taxes": []}
    return line | ({} if of is None else {"refund_of": of["order_id"]}) | changes


def an_order(number: int, *lines: dict[str, Any], by: str = "cash", **changes: Any) -> dict[str, Any]:
    """An order of these lines, paid or paid back by one method."""
    total = sum(line["amount"] for line in lines) + changes.get("rounding", 0)
    order = {"lines": list(lines), "total": total, "payments": [{"method": by, "amount": total}]}
    return a_sale(number, **(order | changes))


def test_one_refund_may_return_goods_of_two_receipts(till: Till) -> None:
    first, second = an_order(1001, a_line(800)), an_order(1002, a_line(500))
    till.sell(first)
    both = an_order(1003, a_line(-800, first), a_line(-500, second), kind="refund")
    assert codes(till.sell(second, both), 1) == []
    again = an_order(1004, a_line(-1, first), a_line(-501, second), kind="refund")
    [result] = till.sell(again)["results"]
    assert [(reason["code"], reason["pointer"]) for reason in result["reasons"]] == [
        ("refund-exceeds-original", "/lines/1/refund_of")
    ]
    more = an_order(1005, a_line(-9, first), kind="refund")
    assert codes(till.sell(more)) == ["refund-exceeds-original"]


@pytest.mark.parametrize("together", [True, False])
def test_what_was_exchanged_cannot_be_refunded_once_more(till: Till, *, together: bool) -> None:
    sale = an_order(1001, a_line(800))
    exchange = an_order(1002, a_line(-800, sale), a_line(900))
    refund = an_order(1003, a_line(-800), kind="refund", refund_of=sale["order_id"])
    if together:
        receipt = till.sell(sale, exchange, refund)
        assert [codes(receipt, index) for index in range(3)] == [[], [], ["refund-exceeds-original"]]
    else:
        assert [codes(till.sell(order)) for order in (sale, exchange, refund)] == [[], [], ["refund-exceeds-original"]]


def test_what_a_written_order_gave_back_counts_as_it_does_within_a_batch(till: Till) -> None:
    """The sums in SQL and the rules agree: on kinds of lines, taxes on top, rounding and who is refunded alone."""
    till.open(shift_id=uuid4(), closed_at="2026-03-01T18:00:00+01:00", number=312, prices_include_tax=False)
    tax = [{"code": "A", "rate": "0.2", "amount": -20}]
    sale = an_order(1001, a_line(1000))
    partly = [
        an_order(1010, a_line(-100, taxes=tax), kind="refund", refund_of=sale["order_id"], total=-120,
                 payments=[{"method": "cash", "amount": -120}]),
        an_order(1011, a_line(-100, sale), a_line(-100), kind="refund"),
        an_order(1012, a_line(-100, sale), a_line(200), a_line(-50, sale, kind="discount")),
        an_order(1013, a_line(-100), kind="refund", refund_of=sale["order_id"], rounding=-2),
    ]  # fmt: skip
    details = []
    for number, parts in ((1020, [[sale, *partly]]), (1120, [[order] for order in (sale, *partly)])):
        ids = {order["order_id"]: str(uuid4()) for order in (sale, *partly)}
        copies = json.loads(json.dumps(parts))
        for place, order in enumerate(order for batch in copies for order in batch):
            order |= {"order_id": ids[order["order_id"]], "number": number + place}
            order["refund_of"] = ids.get(order["refund_of"])
            for line in order["lines"]:
                line["refund_of"] = ids.get(line.get("refund_of"))
        last = an_order(number + 9, a_line(-900), kind="refund", refund_of=ids[sale["order_id"]])
        for batch in copies:
            assert set(outcomes(till.sell(*batch))) == {"posted"}
        details.append(till.sell(last)["results"][0]["reasons"])
        within = an_order(number + 10, a_line(-900), kind="refund", refund_of=ids[sale["order_id"]])
        details.append(till.sell(within)["results"][0]["reasons"])
    assert details[0] == details[2]
    assert details[1] == details[3]
    assert "1320 given back in all, 1000 were sold" in details[0][0]["detail"]


@pytest.mark.parametrize("together", [True, False])
def test_a_discount_that_names_a_sale_gives_nothing_of_it_back(till: Till, *, together: bool) -> None:
    sale = an_order(1001, a_line(1000))
    discount = an_order(1002, a_line(-300, sale, kind="discount"), kind="refund")
    refund = an_order(1003, a_line(-1000), kind="refund", refund_of=sale["order_id"])
    if together:
        receipt = till.sell(sale, discount, refund)
        assert [codes(receipt, index) for index in range(3)] == [[], [], []]
    else:
        assert [codes(till.sell(order)) for order in (sale, discount, refund)] == [[], [], []]


def test_cash_for_a_card_payment_may_be_rounded_to_a_step_and_not_further(till: Till) -> None:
    till.store.rounding_step = 5
    till.store.save()
    exceeds, differs = "refund-exceeds-original", "refund-method-differs"
    rounded, further = an_order(1001, a_line(998), by="card"), an_order(1002, a_line(998), by="card")
    till.sell(rounded, further)
    back = {"kind": "refund", "refund_of": rounded["order_id"]}
    assert codes(till.sell(an_order(1003, a_line(-998), rounding=-2, **back))) == [differs]
    back["refund_of"] = further["order_id"]
    assert codes(till.sell(an_order(1004, a_line(-998), rounding=-52, **back))) == [
        "rounding-excessive",
        exceeds,
        differs,
    ]


def test_money_back_in_another_method_is_flagged(till: Till) -> None:
    sale = an_order(1001, a_line(10000), by="on_account")
    till.sell(sale)
    back = {"kind": "refund", "refund_of": sale["order_id"]}
    assert codes(till.sell(an_order(1002, a_line(-4000), **back))) == ["refund-method-differs"]
    assert codes(till.sell(an_order(1003, a_line(-4000), by="on_account", **back))) == []
    exchange = an_order(1004, a_line(-2000, sale), a_line(500))
    assert codes(till.sell(exchange)) == ["refund-method-differs"]


@pytest.mark.parametrize("together", [True, False])
def test_an_adjustment_decides_what_an_order_was_paid_with(till: Till, *, together: bool) -> None:
    sale = an_order(1001, a_line(1500))
    payments = [{"method": "cash", "amount": -1500}, {"method": "card", "amount": 1500}]
    keyed = a_sale(1002, adjusts=sale["order_id"], lines=[], total=0, payments=payments)
    refund = an_order(1003, a_line(-1500), kind="refund", refund_of=sale["order_id"], by="card")
    if together:
        receipt = till.sell(sale, keyed, refund)
        assert [codes(receipt, index) for index in range(3)] == [[], [], []]
    else:
        assert [codes(till.sell(order)) for order in (sale, keyed, refund)] == [[], [], []]
    cash = an_order(1004, a_line(-1), kind="refund", refund_of=sale["order_id"])
    assert "refund-method-differs" in codes(till.sell(cash))


def test_a_refund_of_a_refund_says_so_and_nothing_else(till: Till) -> None:
    sale = an_order(1001, a_line(800))
    refund = an_order(1002, a_line(-800), kind="refund", refund_of=sale["order_id"])
    till.sell(sale, refund)
    again = an_order(1003, a_line(-999), kind="refund", refund_of=refund["order_id"], by="card")
    assert codes(till.sell(again)) == ["refund-of-refund"]


def test_an_exchange_of_what_is_unknown_waits_for_each_of_its_originals(till: Till) -> None:
    first, second = an_order(1001, a_line(800), by="card"), an_order(1002, a_line(500), by="card")
    both = an_order(1003, a_line(-800, first), a_line(-501, second), kind="refund")
    assert codes(till.sell(both)) == ["refund-of-unknown-order"] * 2
    till.sell(first)
    assert flags_of(both) == ["refund-of-unknown-order"]
    till.sell(second)
    assert flags_of(both) == ["refund-exceeds-original", "refund-method-differs"]
    assert not AwaitedOriginal.objects.filter(arrived_at=None).exists()


def test_a_tip_for_an_order_that_is_not_here_yet_is_looked_at_again(till: Till) -> None:
    sale = by_card(1001)
    tip = a_sale(
        1002, adjusts=sale["order_id"], lines=[], total=0, tip=200,
        payments=[{"method": "card", "amount": 200, "reference": "A1B2C3"}],
    )  # fmt: skip
    assert codes(till.sell(tip)) == ["adjusts-unknown-order"]
    till.sell(sale)
    assert flags_of(tip) == []
    assert flags_of(sale) == []


def test_an_adjustment_of_a_known_order_is_not_flagged_wherever_that_is(till: Till) -> None:
    sale = a_sale(1001)
    till.sell(sale)
    for each in (till, far_away()):
        adjustment = a_sale(1005, adjusts=sale["order_id"], lines=[], total=0, payments=[])
        assert "adjusts-unknown-order" not in codes(each.sell(adjustment))


@pytest.mark.parametrize("together", [True, False])
def test_an_order_and_its_family_share_a_reference(till: Till, *, together: bool) -> None:
    card = {"method": "card", "reference": "A1B2C3"}
    sale = by_card(1001)
    exchange = an_order(1002, a_line(-240, sale), a_line(300), payments=[card | {"amount": 60}])
    tip = a_sale(1003, adjusts=sale["order_id"], lines=[], total=0, tip=20, payments=[card | {"amount": 20}])
    refund = an_order(1004, a_line(-100, sale), kind="refund", payments=[card | {"amount": -100}])
    stranger = by_card(1005)
    orders = [sale, exchange, tip, refund, stranger]
    if together:
        receipt = till.sell(*orders)
        found = [codes(receipt, index) for index in range(5)]
    else:
        found = [codes(till.sell(order)) for order in orders]
    assert found == [[], [], [], ["refund-exceeds-original"], ["same-card-payment"]]
