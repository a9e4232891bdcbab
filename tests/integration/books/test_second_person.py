"""Where one person is not enough: asked, then agreed, declined or withdrawn; and never by oneself."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from backoffice.books.deciding import DecisionReport, agree, decline, withdraw
from backoffice.books.models import Decision, DecisionAnswer, ReasonCode
from backoffice.books.refusals import AlreadyDecided, NotDecided
from backoffice.domain.decisions import DecisionState, Verb
from backoffice.sales.models import HeldItem
from tests.integration.books.office import a_person, by_card, decided, map_again, unmap
from tests.till import Till, a_movement, a_sale, entry_of


@pytest.fixture
def ruth() -> User:
    return a_person("Ruth")


@pytest.fixture
def otto() -> User:
    return a_person("Otto")


@pytest.fixture
def order(till: Till) -> dict[str, Any]:
    """An order of 2.40 that is held, and can be posted; its store asks two people above 2.00."""
    unmap(till, "card")
    order = a_sale(1001, **by_card())
    till.sell(order)
    map_again(till, "card", "1100")
    till.store.second_person_above = 200
    till.store.save()
    return order


def refused(call: Callable[[], DecisionReport]) -> str:
    with pytest.raises(NotDecided) as raised, transaction.atomic():
        call()
    return raised.value.code


def answered(call: Callable[..., DecisionReport], decision_id: UUID, person: User, **how: Any) -> DecisionReport:
    return call(decision_id, person=person, now=timezone.now(), **how)


def test_above_the_stores_amount_it_waits_for_another(order: dict[str, Any], ruth: User, otto: User) -> None:
    asked = decided(Verb.POST, order["order_id"], person=ruth)
    assert (asked.state, asked.after) == (DecisionState.WAITING, {})
    assert entry_of(order["order_id"]) == set()

    done = answered(agree, asked.decision_id, otto)

    assert (done.state, done.after["order_id"]) == (DecisionState.DONE, order["order_id"])
    assert len(entry_of(order["order_id"], kind="order")) == 3
    kept = Decision.objects.select_related("answer").get(pk=asked.decision_id)
    assert (kept.person, kept.answer.person, kept.answer.answer) == (ruth, otto, "agreed")


def test_up_to_the_stores_amount_one_person_is_enough(till: Till, order: dict[str, Any]) -> None:
    till.store.second_person_above = 240
    till.store.save()
    assert decided(Verb.POST, order["order_id"]).state == DecisionState.DONE


def test_a_refund_counts_by_its_amount(till: Till) -> None:
    till.store.second_person_above = 200
    till.store.save()
    till.sell(refund := a_sale(1001, kind="refund", total=-241))
    assert decided(Verb.DISCARD, refund["order_id"]).state == DecisionState.WAITING


def test_a_correction_counts_by_what_it_posts_and_not_by_what_was_held_alone(till: Till) -> None:
    till.store.second_person_above = 300
    till.store.save()
    till.sell(order := a_sale(1001, total=1))
    lines = [{**order["lines"][0], "unit_price": 5000, "amount": 10000, "taxes": []}]
    right = {**order, "lines": lines, "total": 10000, "payments": [{"method": "cash", "amount": 10000}]}
    asked = decided(Verb.CORRECT, order["order_id"], order=right)
    assert (asked.state, Decision.objects.get(pk=asked.decision_id).amount) == (DecisionState.WAITING, 10000)


def test_a_cash_movement_counts_by_its_amount(till: Till) -> None:
    till.store.second_person_above = 4999
    till.store.save()
    place = f"{till.sell(movements=[movement := a_movement(-5000)])['batch_id']}:movements:0"
    assert decided(Verb.CORRECT, place, movement={**movement, "amount": 5000}).state == DecisionState.WAITING
    assert decided(Verb.DISCARD, place).state == DecisionState.WAITING


def test_a_tip_is_at_stake_as_well(till: Till) -> None:
    till.store.second_person_above = 300
    till.store.save()
    till.sell(order := a_sale(1001, tip=10000, payments=[{"method": "card", "amount": 10240}]))
    assert decided(Verb.VOID, order["order_id"]).state == DecisionState.WAITING


def test_a_reason_may_ask_for_two(till: Till) -> None:
    till.sell(order := a_sale(1001, total=999))
    asked = decided(Verb.CORRECT, order["order_id"], reason="other", note="So they say.", order={**order, "total": 240})
    assert asked.state == DecisionState.WAITING


def test_a_second_person_who_is_there_agrees_at_once(order: dict[str, Any], ruth: User, otto: User) -> None:
    report = decided(Verb.POST, order["order_id"], person=ruth, agreed_by=otto)
    assert report.state == DecisionState.DONE
    assert Decision.objects.get(pk=report.decision_id).answer.person == otto


def test_nobody_agrees_to_their_own(order: dict[str, Any], ruth: User) -> None:
    asked = decided(Verb.POST, order["order_id"], person=ruth)
    assert refused(lambda: answered(agree, asked.decision_id, ruth)) == "own-request"
    assert refused(lambda: decided(Verb.DISCARD, order["order_id"], person=ruth, agreed_by=ruth)) == "own-request"
    with pytest.raises(IntegrityError, match="asked for by"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO books_decisionanswer (decision_id, answer, person_id, answered_at, note, after)"
            " VALUES (%s, 'agreed', %s, now(), '', '{}')",
            [asked.decision_id, ruth.pk],
        )


def test_nobody_agrees_without_the_right(order: dict[str, Any], ruth: User) -> None:
    asked = decided(Verb.POST, order["order_id"], person=ruth)
    auditor = a_person("Anna", rights=())
    assert refused(lambda: answered(agree, asked.decision_id, auditor)) == "not-allowed"
    assert refused(lambda: decided(Verb.DISCARD, order["order_id"], person=auditor)) == "not-allowed"


def test_nobody_agrees_to_what_has_changed_since(order: dict[str, Any], ruth: User, otto: User) -> None:
    asked = decided(Verb.POST, order["order_id"], person=ruth)
    HeldItem.objects.filter(order_id=order["order_id"]).update(reasons=[{"code": "limit-exceeded"}])
    assert refused(lambda: answered(agree, asked.decision_id, otto)) == "changed-since"
    again = decided(Verb.POST, order["order_id"], person=ruth)
    assert answered(agree, again.decision_id, otto).state == DecisionState.DONE


def test_the_same_is_asked_once_at_a_time(order: dict[str, Any], ruth: User, otto: User) -> None:
    asked = decided(Verb.POST, order["order_id"], person=ruth)
    assert refused(lambda: decided(Verb.POST, order["order_id"], person=otto)) == "already-asked"
    answered(withdraw, asked.decision_id, ruth)
    assert decided(Verb.POST, order["order_id"], person=otto).state == DecisionState.WAITING


def test_it_is_declined_with_a_note(order: dict[str, Any], ruth: User, otto: User) -> None:
    asked = decided(Verb.POST, order["order_id"], person=ruth)
    assert refused(lambda: answered(decline, asked.decision_id, otto, note=" ")) == "note-missing"
    assert refused(lambda: answered(decline, asked.decision_id, ruth, note="I changed my mind")) == "own-request"
    assert answered(decline, asked.decision_id, otto, note="Ask the store.").state == DecisionState.DECLINED
    with pytest.raises(AlreadyDecided, match=f"Already declined by {otto} on .* CES?T"):
        answered(agree, asked.decision_id, otto)
    assert entry_of(order["order_id"]) == set()


def test_answers_keep_no_card_numbers_either(order: dict[str, Any], ruth: User, otto: User) -> None:
    for answer, person in ((decline, otto), (withdraw, ruth)):
        asked = decided(Verb.POST, order["order_id"], person=ruth)
        answered(answer, asked.decision_id, person, note="Paid with 4111111111111111.")
        assert "4111111111111111" not in DecisionAnswer.objects.get(pk=asked.decision_id).note


def test_an_answer_that_cannot_be_kept_is_refused_in_words(order: dict[str, Any], ruth: User, otto: User) -> None:
    asked = decided(Verb.POST, order["order_id"], person=ruth)
    assert refused(lambda: answered(decline, asked.decision_id, otto, note="\ud800")) == "cannot-be-kept"


def test_only_who_asked_withdraws(order: dict[str, Any], ruth: User, otto: User) -> None:
    asked = decided(Verb.POST, order["order_id"], person=ruth)
    assert refused(lambda: answered(withdraw, asked.decision_id, otto)) == "not-allowed"
    assert answered(withdraw, asked.decision_id, ruth).state == DecisionState.WITHDRAWN
    assert refused(lambda: answered(agree, asked.decision_id, otto)) == "already-decided"


def test_what_cannot_be_done_cannot_be_asked_for(order: dict[str, Any], ruth: User) -> None:
    with pytest.raises(NotDecided) as raised, transaction.atomic():
        decided(Verb.CORRECT, order["order_id"], person=ruth, order={**order, "total": 241})
    assert raised.value.code == "cannot-be-posted"
    assert not Decision.objects.filter(person=ruth).exists()


def test_what_needed_nobody_else_is_not_agreed_to(till: Till, otto: User) -> None:
    till.sell(order := a_sale(1001, total=999))
    done = decided(Verb.DISCARD, order["order_id"])
    assert refused(lambda: answered(agree, done.decision_id, otto)) == "already-decided"
    assert refused(lambda: answered(agree, uuid4(), otto)) == "unknown-decision"


def test_a_reason_is_one_of_its_verb_and_has_the_note_that_it_needs(till: Till) -> None:
    till.sell(order := a_sale(1001, total=999))
    assert refused(lambda: decided(Verb.DISCARD, order["order_id"], reason="till-lost")) == "unknown-reason"
    assert refused(lambda: decided(Verb.DISCARD, order["order_id"], reason="never-a-sale")) == "note-missing"
    assert refused(lambda: decided(Verb.DISCARD, order["order_id"], note="x" * 501)) == "note-too-long"


def test_a_reason_may_be_for_one_group_alone(till: Till, ruth: User) -> None:
    till.sell(order := a_sale(1001, total=999))
    group = Group.objects.create(name=f"Managers {uuid4()}")
    ReasonCode.objects.filter(verb="discard", code="test").update(group=group)
    assert refused(lambda: decided(Verb.DISCARD, order["order_id"], reason="test", person=ruth)) == "not-allowed"
    ruth.groups.add(group)
    assert decided(Verb.DISCARD, order["order_id"], reason="test", person=ruth).state == DecisionState.DONE


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE books_decision SET note = 'x' WHERE id = %s",
        "DELETE FROM books_decision WHERE id = %s",
        "UPDATE books_decisionanswer SET answer = 'declined' WHERE decision_id = %s",
        "DELETE FROM books_decisionanswer WHERE decision_id = %s",
        "WITH one AS (SELECT %s::uuid) DELETE FROM books_decision",
    ],
)
def test_what_was_decided_stays_whoever_writes(order: dict[str, Any], ruth: User, otto: User, statement: str) -> None:
    report = decided(Verb.POST, order["order_id"], person=ruth, agreed_by=otto)
    refusal = pytest.raises(IntegrityError, match="what was decided stays")
    with refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [report.decision_id])


@pytest.mark.parametrize("lost", ["right", "login"])
def test_nobody_agrees_to_what_its_asker_may_not_decide_any_more(
    order: dict[str, Any], ruth: User, otto: User, lost: str
) -> None:
    asked = decided(Verb.POST, order["order_id"], person=ruth)
    if lost == "right":
        ruth.user_permissions.clear()
    else:
        User.objects.filter(pk=ruth.pk).update(is_active=False)
    assert refused(lambda: answered(agree, asked.decision_id, otto)) == "not-allowed"
    assert answered(decline, asked.decision_id, otto, note="She has left.").state == DecisionState.DECLINED
