"""Missing numbers: explained, or entered from the paper receipt."""

from datetime import date
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from backoffice.books.deciding import agree
from backoffice.books.refusals import NotDecided
from backoffice.domain.decisions import DecisionState, Verb
from backoffice.sales.models import DetachedMonth
from tests.integration.books.office import a_person, decided
from tests.till import Till, a_heartbeat, a_sale, codes, entry_of, outcomes


def refusal(verb: Verb, subject: Any, **how: Any) -> NotDecided:
    with pytest.raises(NotDecided) as raised, transaction.atomic():
        decided(verb, subject, **how)
    return raised.value


def beat(till: Till) -> list[list[int]]:
    """The numbers that a heartbeat says are missing."""
    answer = till.send("PUT", "terminal/heartbeat", a_heartbeat(last_number=1009))
    assert answer.status_code == 200, answer.content
    return answer.json()["missing_numbers"]


@pytest.fixture
def gap(till: Till) -> list[dict[str, Any]]:
    """A shift that declares 1001 … 1009, of which 1003 … 1005 and 1008 are missing."""
    orders = [a_sale(number) for number in (1001, 1002, 1006, 1007, 1009)]
    till.sell(*orders)
    till.close(*orders)
    assert (till.shift()["state"], till.shift()["missing_numbers"]) == ("closing", [[1003, 1005], [1008, 1008]])
    return orders


def test_explained_numbers_are_missing_no_more(till: Till, gap: list[dict[str, Any]]) -> None:
    decided(Verb.EXPLAIN, till.shift_id, numbers="1003-1004")
    assert till.shift()["missing_numbers"] == [[1005, 1005], [1008, 1008]]
    assert till.shift()["explained_numbers"] == [[1003, 1004]]
    assert beat(till) == [[1005, 1005], [1008, 1008]]
    decided(Verb.EXPLAIN, till.shift_id, numbers="1005")
    report = decided(Verb.EXPLAIN, till.shift_id, numbers="1008-1008")
    assert report.after["state"] == "reconciled"
    shift = till.shift()
    assert (shift["state"], shift["missing_numbers"], shift["z_number"]) == ("reconciled", [], 1)
    assert beat(till) == []


def test_what_arrives_all_the_same_supersedes_its_explanation(till: Till, gap: list[dict[str, Any]]) -> None:
    decided(Verb.EXPLAIN, till.shift_id, numbers="1003-1005")
    assert outcomes(till.sell(a_sale(1004))) == ["posted"]
    assert till.shift()["explained_numbers"] == [[1003, 1003], [1005, 1005]]
    assert till.shift()["missing_numbers"] == [[1008, 1008]]


def test_only_what_is_missing_is_explained(till: Till, gap: list[dict[str, Any]]) -> None:
    assert refusal(Verb.EXPLAIN, till.shift_id, numbers="1003-1006").code == "not-missing"
    assert refusal(Verb.EXPLAIN, till.shift_id, numbers="1001").code == "not-missing"
    for text in ("", "x", "1005-1003", "0", "1-", "99999999999999999"):
        assert refusal(Verb.EXPLAIN, till.shift_id, numbers=text).code == "not-numbers"
    decided(Verb.EXPLAIN, till.shift_id, numbers="1003")
    assert refusal(Verb.EXPLAIN, till.shift_id, numbers="1003").code == "not-missing"


def test_of_an_open_shift_nothing_is_missing_yet(till: Till) -> None:
    till.sell(a_sale(1003))
    assert refusal(Verb.EXPLAIN, till.shift_id, numbers="1001").code == "not-missing"


def test_gaps_beyond_a_hundred_explained_ones_are_still_missing(till: Till) -> None:
    """An explained range in which every other number arrived is many ranges, and what is behind them is missing still."""
    first, last = a_sale(1001), a_sale(1500)
    till.sell(first, last)
    till.close(first, last)
    decided(Verb.EXPLAIN, till.shift_id, numbers="1002-1400")
    decided(Verb.EXPLAIN, till.shift_id, numbers="1402-1499")
    till.sell(*[a_sale(number) for number in range(1002, 1400, 2)])
    assert till.shift()["missing_numbers"] == [[1401, 1401]]
    assert beat(till) == [[1401, 1401]]


def test_an_order_from_its_paper_receipt_always_takes_two(till: Till, gap: list[dict[str, Any]]) -> None:
    paper = a_sale(1008)
    asked = decided(Verb.ENTER, till.shift_id, order=paper)
    assert asked.state == DecisionState.WAITING

    done = agree(asked.decision_id, person=a_person("Otto"), now=timezone.now())

    assert done.after == {"order_id": paper["order_id"], "number": 1008}
    assert len(entry_of(paper["order_id"], kind="order")) == 3
    receipt = till.receipt(str(asked.decision_id))
    assert codes(receipt) == ["entered-by-hand"]
    assert till.shift()["missing_numbers"] == [[1003, 1005]]
    assert codes(till.sell(a_sale(1008))) == ["number-already-used"]


def test_paper_without_an_identifier_gets_one(till: Till, gap: list[dict[str, Any]]) -> None:
    paper = a_sale(1008)
    del paper["order_id"]
    report = decided(Verb.ENTER, till.shift_id, order=paper, agreed_by=a_person("Otto"))
    assert len(entry_of(report.after["order_id"], kind="order")) == 3


def test_a_number_that_is_used_is_not_entered_again(till: Till, gap: list[dict[str, Any]]) -> None:
    refused = refusal(Verb.ENTER, till.shift_id, order=a_sale(1001))
    assert [error["code"] for error in refused.errors] == ["number-already-used"]
    assert refusal(Verb.ENTER, till.shift_id, order=gap[0]).code == "cannot-be-posted"
    assert refusal(Verb.ENTER, till.shift_id, order=a_sale(1008, total=1)).code == "cannot-be-posted"


def test_nobody_agrees_once_the_till_sent_it_after_all(till: Till, gap: list[dict[str, Any]]) -> None:
    asked = decided(Verb.ENTER, till.shift_id, order=a_sale(1008))
    till.sell(a_sale(1008))
    with pytest.raises(NotDecided) as raised:
        agree(asked.decision_id, person=a_person("Otto"), now=timezone.now())
    assert raised.value.code == "changed-since"


def test_in_a_month_that_was_detached_nothing_is_explained(till: Till, gap: list[dict[str, Any]]) -> None:
    """Its sales are not there to be summed."""
    before = till.shift()["computed"]
    DetachedMonth.objects.create(first_day=date(2026, 3, 1), last_day=date(2026, 3, 31), detached_at=timezone.now())
    assert refusal(Verb.EXPLAIN, till.shift_id, numbers="1003").code == "month-detached"
    assert till.shift()["computed"] == before
