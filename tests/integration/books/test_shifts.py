"""Shifts are counted again, ended, and approved; what changes later supersedes the approval."""

from typing import Any

import pytest
from django.db import transaction

from backoffice.books.refusals import AlreadyDecided, NotDecided
from backoffice.domain.decisions import DecisionState, Verb
from backoffice.sales.models import Shift
from tests.integration.books.office import a_person, by_card, decided
from tests.till import Till, a_sale, balance, entry_of


def refusal(verb: Verb, subject: Any, **how: Any) -> NotDecided:
    with pytest.raises(NotDecided) as raised, transaction.atomic():
        decided(verb, subject, **how)
    return raised.value


def test_a_recount_posts_the_further_difference_as_often_as_needed(till: Till) -> None:
    till.close(counted=19000)
    assert entry_of(till.shift_id, kind="over_short", number=1) == {("6900", 1000, 0), ("1000", 0, 1000)}
    report = decided(Verb.RECOUNT, till.shift_id, counts={"cash": 19500})
    assert entry_of(till.shift_id, kind="over_short", number=2) == {("1000", 500, 0), ("6900", 0, 500)}
    assert report.after["over_short"] == -500
    decided(Verb.RECOUNT, till.shift_id, counts={"cash": 20000})
    assert till.shift()["cash"] == {"expected": 20000, "counted": 20000, "over_short": 0}


def test_amounts_of_other_methods_stand_before_the_closes(till: Till) -> None:
    till.sell(order := a_sale(1001, **by_card()))
    till.close(
        order, totals={"sales": 240, "refunds": 0, "tax": 13, "tips": 0, "rounding": 0, "payments": {"card": 200}}
    )
    assert [each["what"] for each in till.shift()["differences"]] == ["payments.card"]
    decided(Verb.RECOUNT, till.shift_id, counts={"card": 240})
    assert (till.shift()["state"], till.shift()["differences"]) == ("reconciled", [])
    assert till.shift()["declared"]["totals"]["payments"] == {"card": 200}, "what was declared stays visible"


@pytest.mark.parametrize("counts", [{}, {"gold": 1}, {"cash": -1}, {"cash": 1.5}, "20000", None])
def test_a_count_that_is_none_is_refused(till: Till, counts: Any) -> None:
    till.close()
    assert refusal(Verb.RECOUNT, till.shift_id, counts=counts).code == "cannot-be-posted"


def test_an_open_drawer_is_not_counted(till: Till) -> None:
    assert refusal(Verb.RECOUNT, till.shift_id, counts={"cash": 0}).code == "shift-open"


def test_an_abandoned_shift_is_ended_and_another_may_open(till: Till) -> None:
    till.sell(a_sale(1001))
    report = decided(Verb.END, till.shift_id)
    assert report.after == {"state": "discrepant", "z_number": 1}
    shift = till.shift()
    assert (shift["declared"], [each["what"] for each in shift["differences"]]) == (None, ["cash.count"])
    assert till.open(number=312, first_number=1002).status_code == 201
    assert balance(till) == 20000


def test_an_ended_shift_is_counted_and_still_takes_what_comes(till: Till) -> None:
    till.sell(a_sale(1001))
    decided(Verb.END, till.shift_id)
    decided(Verb.RECOUNT, till.shift_id, counts={"cash": 20240})
    assert till.shift()["state"] == "reconciled"
    till.sell(a_sale(1002))
    shift = till.shift()
    assert (shift["computed"]["order_count"], shift["cash"]["over_short"], shift["late"]) == (2, -240, 0)


def test_a_close_that_comes_after_the_end_is_told_what_stands(till: Till) -> None:
    decided(Verb.END, till.shift_id)
    answer = till.close()
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "identifier-reused")


def test_the_drawer_of_an_ended_shift_is_not_taken_for_what_the_close_before_left(till: Till) -> None:
    till.close(counted=20000, float_left=15000)
    till.open(number=312, opening_float=15000)
    till.sell(a_sale(1001))
    decided(Verb.END, till.shift_id)
    till.open(number=313, opening_float=20000, first_number=1002)
    assert till.shift()["flags"] == []
    assert balance(till) == 20000
    assert balance(till, "6900") == 0


def test_numbers_carried_over_an_ended_shift_are_the_next_ones(till: Till) -> None:
    till.close(carried_over=[1001], first_number=1001, last_number=1001, order_count=0)
    till.open(number=312, first_number=1002)
    decided(Verb.END, till.shift_id)
    till.open(number=313, first_number=1002)
    till.close(first_number=1002, last_number=1001, order_count=0)
    assert (till.shift()["state"], till.shift()["missing_numbers"]) == ("closing", [[1001, 1001]])


def test_only_an_open_shift_is_ended_once(till: Till) -> None:
    decided(Verb.END, till.shift_id)
    with pytest.raises(AlreadyDecided):
        decided(Verb.END, till.shift_id)
    till.open(number=312)
    till.close()
    assert refusal(Verb.END, till.shift_id).code == "shift-closed"


def test_a_shift_that_agrees_is_approved(till: Till) -> None:
    till.sell(order := a_sale(1001))
    till.close(order)
    decided(Verb.APPROVE, till.shift_id)
    assert till.shift()["state"] == "approved"
    with pytest.raises(AlreadyDecided):
        decided(Verb.APPROVE, till.shift_id)


def test_a_shift_with_differences_is_approved_with_a_note(till: Till) -> None:
    till.sell(order := a_sale(1001))
    till.close(order, order_count=2)
    assert refusal(Verb.APPROVE, till.shift_id).code == "note-missing"
    report = decided(Verb.APPROVE, till.shift_id, reason="difference-accepted", note="Miscounted at the till.")
    assert (report.state, till.shift()["state"]) == (DecisionState.DONE, "approved")


def test_beyond_what_the_store_tolerates_two_approve(till: Till) -> None:
    till.store.max_over_short = 100
    till.store.save()
    till = Till(till.store, name="Till 2")
    till.open()
    till.close(counted=19000)
    how = {"reason": "difference-accepted", "note": "The drawer was short."}
    assert decided(Verb.APPROVE, till.shift_id, **how).state == DecisionState.WAITING
    assert decided(Verb.APPROVE, till.shift_id, agreed_by=a_person(), **how).state == DecisionState.DONE


def test_what_is_open_held_missing_or_uncounted_is_not_approved(till: Till) -> None:
    assert refusal(Verb.APPROVE, till.shift_id).code == "not-settled"
    till.close(cash_counted=None)
    assert refusal(Verb.APPROVE, till.shift_id).code == "not-counted"
    till.open(number=312)
    till.sell(a_sale(1001, total=999))
    till.close(first_number=1001, last_number=1001)
    assert refusal(Verb.APPROVE, till.shift_id).code == "held"


def test_what_comes_later_supersedes_an_approval_and_a_repeat_does_not(till: Till) -> None:
    till.sell(order := a_sale(1001))
    till.close(order)
    report = decided(Verb.APPROVE, till.shift_id)
    till.sell(order)
    assert till.shift()["state"] == "approved", "it was known"
    till.sell(a_sale(1002))
    assert till.shift()["state"] == "discrepant"
    assert Shift.objects.get(pk=till.shift_id).approval_id is None
    again = decided(Verb.APPROVE, till.shift_id, reason="difference-accepted", note="It came late.")
    assert again.decision_id != report.decision_id


def test_another_count_supersedes_an_approval(till: Till) -> None:
    till.close()
    decided(Verb.APPROVE, till.shift_id)
    decided(Verb.RECOUNT, till.shift_id, counts={"cash": 20000})
    assert till.shift()["state"] == "approved"
    decided(Verb.RECOUNT, till.shift_id, counts={"cash": 19999})
    assert till.shift()["state"] == "reconciled"


def test_an_explained_number_that_arrives_in_another_shift_supersedes_the_approval(till: Till) -> None:
    till.sell(first := a_sale(1001), third := a_sale(1003))
    till.close(first, third)
    decided(Verb.EXPLAIN, till.shift_id, numbers="1002")
    approval = {"reason": "difference-accepted", "note": "The drawer is right."}
    decided(Verb.APPROVE, till.shift_id, **approval)
    approved = till.shift_id
    till.open(number=312, first_number=1004)
    till.sell(other := a_sale(1004), third)
    assert Shift.objects.get(pk=approved).state == "approved", "none of these was explained"

    till.sell(late := a_sale(1002))

    shift = Shift.objects.get(pk=approved)
    assert (shift.state, shift.approval_id) == ("reconciled", None)
    till.close(other, late, first_number=1004, last_number=1004)
    decided(Verb.APPROVE, approved, **approval)
    till.sell(late)
    assert Shift.objects.get(pk=approved).state == "approved", "it was known"


def test_an_explained_number_that_is_entered_by_hand_elsewhere_supersedes_it_too(till: Till) -> None:
    till.sell(first := a_sale(1001), third := a_sale(1003))
    till.close(first, third)
    decided(Verb.EXPLAIN, till.shift_id, numbers="1002")
    decided(Verb.APPROVE, till.shift_id)
    approved = till.shift_id
    till.open(number=312, first_number=1004)
    decided(Verb.ENTER, till.shift_id, order=a_sale(1002), agreed_by=a_person("Otto"))
    assert Shift.objects.get(pk=approved).state == "reconciled"
