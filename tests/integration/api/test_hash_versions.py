"""Fields that an earlier version passed over: what it stored and comes again is the same order still (ADR 27)."""

from typing import Any
from uuid import uuid4

import pytest

from backoffice.sales.models import HeldItem, Identity
from tests.till import Till, a_sale, codes, outcomes

IGNORED_ONCE: dict[str, dict[str, Any]] = {
    "an adjusted order": {"adjusts": str(uuid4())},
    "something else under adjusts": {"adjusts": 5},
    "what a line gives back": {"lines": [a_sale(1)["lines"][0] | {"refund_of": "R-17"}]},
    "a kind of tax": {
        "lines": [a_sale(1)["lines"][0] | {"taxes": [{"code": "FR-5.5", "rate": "0.055", "amount": 13, "kind": "VAT"}]}]
    },
    "no kind of tax": {
        "lines": [a_sale(1)["lines"][0] | {"taxes": [{"code": "FR-5.5", "rate": "0.055", "amount": 13, "kind": None}]}]
    },
}


def posted_before(till: Till, order: dict[str, Any]) -> None:
    """Has it posted as the version before did, which passed over the newer fields and noted no version of hashes."""
    plain = {key: value for key, value in order.items() if key != "adjusts"}
    lines = [{key: value for key, value in line.items() if key != "refund_of"} for line in plain["lines"]]
    for line in lines:
        line["taxes"] = [{key: value for key, value in tax.items() if key != "kind"} for tax in line["taxes"]]
    assert outcomes(till.sell(plain | {"lines": lines})) == ["posted"]
    Identity.objects.filter(item_id=order["order_id"]).update(hash_version=None)


@pytest.mark.parametrize("name", IGNORED_ONCE)
def test_what_came_before_a_field_was_known_is_a_duplicate_with_whatever_it_had_there(till: Till, name: str):
    order = a_sale(1001, **IGNORED_ONCE[name])
    posted_before(till, order)
    receipt = till.sell(order, a_sale(1002))
    assert (outcomes(receipt), codes(receipt)) == (["duplicate", "posted"], [])
    assert outcomes(till.sell(order)) == ["duplicate"]
    assert not HeldItem.objects.filter(item_id=order["order_id"]).exists()


@pytest.mark.parametrize("name", IGNORED_ONCE)
def test_what_came_since_and_has_such_a_field_added_is_a_conflict(till: Till, name: str):
    order = a_sale(1001)
    till.sell(order)
    changed = a_sale(1001, **IGNORED_ONCE[name]) | {"order_id": order["order_id"]}
    assert outcomes(till.sell(changed)) == ["conflict"]
    assert outcomes(till.sell(changed, order)) == ["duplicate", "duplicate"]


def test_an_order_with_newer_fields_sent_again_is_a_duplicate(till: Till):
    sale = a_sale(1001)
    tip = a_sale(
        1002, adjusts=sale["order_id"], lines=[], total=0, tip=200, payments=[{"method": "card", "amount": 200}]
    )
    assert outcomes(till.sell(sale, tip)) == ["posted", "posted"]
    assert outcomes(till.sell(tip)) == ["duplicate"]
    assert outcomes(till.sell(tip | {"adjusts": None})) == ["conflict"]
