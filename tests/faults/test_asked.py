"""The checker sees what is wrong with decisions: each thing that it proves is made false once."""

import base64
import json
from typing import Any

import msgspec
import pytest

from tests.faults.check.asked import Asked, Decided, apply_decisions, compare
from tests.faults.check.expected import Account, Expected, Opening, Order, Shift, Unforeseen

STORE, SHIFT, ORDER = "PARIS", "5b0e5f0e-0000-4000-8000-000000000001", "5b0e5f0e-0000-4000-8000-000000000002"


def a_decision(verb: str, subject: str = ORDER, **how: Any) -> Decided:
    of_store = dict.fromkeys(("bank", "bank-received", "bank-change", "count-safe"), "store")
    about = {"void": "order", "retender": "order", "recount": "shift", **of_store}.get(verb, "held")
    facts = {"arguments": {}, "before": {}, "after": {}, "person": "ruth", "id": f"{verb} {subject}"} | how
    return Decided(verb=verb, about=about, subject=subject, store=STORE, currency="EUR", **facts)


def asked(*decisions: Decided, said: str = "done") -> Asked:
    """What people tell who asked for just these decisions."""
    told = Asked()
    for number, each in enumerate(decisions, start=1):
        key = each.person, number
        told.questions[key] = {"n": number, "verb": each.verb, "subject": each.subject, "arguments": each.arguments}
        told.answers[key] = {"n": number, "said": said, "decision_id": each.id}
    return told


def wrong(told: Asked, decided: list[Decided]) -> set[str]:
    return {name for name, found in compare(told, decided, known={each.id for each in decided}).items() if found}


def test_what_was_asked_answered_and_done_once_is_right() -> None:
    decided = [
        a_decision("void"),
        a_decision("post", "batch:1"),
        a_decision("bank", STORE, arguments={"slip": "1", "date": "d"}),
    ]
    assert wrong(asked(*decided), decided) == set()
    assert wrong(asked(*decided, said="already-decided"), decided) == set()


def test_a_question_without_an_answer_is_found() -> None:
    told = asked(a_decision("void"))
    told.answers.clear()
    assert wrong(told, [a_decision("void")]) == {"questions without an answer"}


def test_a_decision_that_is_gone_is_found() -> None:
    assert wrong(asked(a_decision("void")), []) == {"decisions that were answered, and are not there"}
    assert wrong(asked(a_decision("void"), said="waiting"), []) == {"decisions that were answered, and are not there"}


def test_a_decision_that_nobody_asked_for_is_found() -> None:
    told = asked(a_decision("void"))
    by_another = a_decision("void", person="otto")
    with_others = a_decision("void", arguments={"payments": {}})
    assert wrong(told, [by_another]) == wrong(told, [with_others]) == {"decisions that nobody asked for"}


@pytest.mark.parametrize(
    ("first", "second"), [("void", "void"), ("post", "post"), ("post", "discard"), ("correct", "move")]
)
def test_what_was_decided_twice_is_found(first: str, second: str) -> None:
    decided = [a_decision(first, id="1"), a_decision(second, id="2")]
    assert wrong(asked(*decided), decided) == {"decided twice"}


@pytest.mark.parametrize("verb", ["bank", "bank-received", "bank-change"])
def test_a_slip_that_was_decided_twice_is_found(verb: str) -> None:
    slip = {"amount": 500, "slip": "4711", "date": "2026-03-02"}
    decided = [a_decision(verb, STORE, id=name, arguments=slip) for name in "12"]
    assert wrong(asked(*decided), decided) == {"decided twice"}


def test_one_slip_is_brought_and_received_without_a_word() -> None:
    slip = {"amount": 500, "slip": "4711", "date": "2026-03-02"}
    decided = [a_decision(verb, STORE, arguments=slip) for verb in ("bank", "bank-received", "bank-change")]
    assert wrong(asked(*decided), decided) == set()


def test_to_be_told_already_of_what_never_was_is_found() -> None:
    assert wrong(asked(a_decision("void"), said="already-decided"), []) == {"said to be decided already, and never was"}


def expected_with(shift: Shift) -> Expected:
    return Expected(shifts={SHIFT: shift})


def a_shift(**how: Any) -> Shift:
    opening = Opening(number=1, opening_float=0, currency="EUR", prices_include_tax=True)
    return Shift("terminal", STORE, opening, opened=True, **how)


def test_a_recount_stands_and_the_safe_moves_by_what_was_decided(tmp_path: Any) -> None:
    expected = expected_with(a_shift(counted=100, left=0))
    decided = [
        a_decision("recount", SHIFT, arguments={"counts": {"cash": 130}}),
        a_decision("count-safe", STORE, arguments={"amount": 50}, before={"balance": 80}),
        a_decision("bank", STORE, arguments={"amount": 20, "slip": "1", "date": "d"}),
        a_decision("bank-received", STORE, arguments={"amount": 15, "slip": "1", "date": "e"}),
        a_decision("bank-change", STORE, arguments={"amount": 4, "slip": "2", "date": "e"}),
    ]
    apply_decisions(expected, decided, tmp_path)
    assert expected.balances() == {
        Account(STORE, "EUR", "1010"): 130 - 30 - 20 + 4,
        Account(STORE, "EUR", "1020"): 5,
        Account(STORE, "EUR", "1030"): 11,
        Account(STORE, "EUR", "6900"): -130 + 30,
    }


def test_a_recount_that_the_checker_cannot_follow_is_no_proof(tmp_path: Any) -> None:
    with pytest.raises(Unforeseen):
        apply_decisions(expected_with(a_shift(counted=100)), [a_decision("recount", SHIFT)], tmp_path)


def test_an_order_counts_as_it_was_decided_last(tmp_path: Any) -> None:
    order = {
        "order_id": ORDER,
        "number": 1,
        "status": "paid",
        "lines": [{"quantity": "1", "amount": 500}],
        "payments": [{"method": "cheque", "amount": 500}],
    }
    sent = {"terminal": "t", "store": STORE, "path": f"shifts/{SHIFT}/batches/batch", "sha256": "", "encoding": ""}
    body = base64.b64encode(json.dumps({"orders": [order]}).encode()).decode()
    (tmp_path / "till.sent").write_text(json.dumps({**sent, "body": body}) + "\n")
    corrected = {**order, "payments": [{"method": "card", "amount": 500}]}
    correct = a_decision("correct", "batch:0", arguments={"order": corrected}, after={"shift_id": SHIFT})
    retender = a_decision("retender", arguments={"payments": {"cash": 500}})
    for decided, paid_on in (
        ([a_decision("post", "batch:0", after={"shift_id": SHIFT})], "1110"),
        ([correct], "1100"),
        ([correct, retender], "1000"),
        ([correct, retender, a_decision("void")], None),
        ([a_decision("discard", "batch:0")], "1110"),  # until whoever calls takes back what is in no book
    ):
        expected = expected_with(a_shift())
        expected.add(SHIFT, msgspec.convert(order, Order))
        apply_decisions(expected, decided, tmp_path)
        balances = {key.account: amount for key, amount in expected.balances().items()}
        assert balances == ({} if paid_on is None else {paid_on: 500, "4000": -500}), decided
