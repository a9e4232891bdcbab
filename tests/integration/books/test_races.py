"""Two at the same moment: one decision, one entry, and whoever comes second is told."""

from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from backoffice.books.deciding import DecisionReport, agree
from backoffice.books.refusals import NotDecided
from backoffice.domain.decisions import Verb
from backoffice.ingestion.sweep import process_waiting
from backoffice.sales.models import Order
from tests.integration.books.office import a_person, by_card, decided, map_again, unmap
from tests.till import Till, a_sale, at_once, balance, entry_of

pytestmark = pytest.mark.usefixtures("committed_db")
ROUNDS = 5


def attempt(*words: Any, **how: Any) -> DecisionReport | str:
    try:
        return decided(*words, **how)
    except NotDecided as refusal:
        return refusal.code


def a_held_order(till: Till, number: int) -> dict[str, Any]:
    """Held for a method that is mapped again by now."""
    unmap(till, "card")
    till.sell(order := a_sale(number, **by_card()))
    map_again(till, "card", "1100")
    return order


def entries_of(order: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_journalentry WHERE source_id = %s", [order["order_id"]])
        return int(cursor.fetchone()[0])


def test_two_people_decide_the_same_held_order(till: Till) -> None:
    people = [a_person("Ruth"), a_person("Otto"), a_person("Anna")]
    for number in range(1001, 1001 + ROUNDS):
        order = a_held_order(till, number)
        answers = at_once([partial(attempt, Verb.POST, order["order_id"], person=one) for one in people])
        assert sorted(isinstance(answer, DecisionReport) for answer in answers) == [False, False, True]
        assert answers.count("already-decided") == 2
        assert entries_of(order) == 1


def test_a_decision_while_the_terminal_sends_the_order_again(till: Till) -> None:
    for number in range(1001, 1001 + ROUNDS):
        order = a_held_order(till, number)
        till.upload(order)
        at_once([partial(attempt, Verb.POST, order["order_id"]), process_waiting])
        process_waiting()
        assert entries_of(order) == 1
        assert Order.objects.filter(order_id=order["order_id"]).count() == 1


def test_an_order_is_reversed_once(till: Till) -> None:
    people = [a_person("Ruth"), a_person("Otto")]
    for number in range(1001, 1001 + ROUNDS):
        till.sell(order := a_sale(number))
        answers = at_once([partial(attempt, Verb.VOID, order["order_id"], person=one) for one in people])
        assert answers.count("already-decided") == 1
        assert entries_of(order) == 2
    assert balance(till) == 20000


def test_two_people_agree_at_the_same_moment(till: Till) -> None:
    ruth, people = a_person("Ruth"), [a_person("Otto"), a_person("Anna")]
    asked = decided(Verb.ENTER, till.shift_id, person=ruth, order=(paper := a_sale(1001)))

    def agreed(person: Any) -> str:
        try:
            return agree(asked.decision_id, person=person, now=timezone.now()).state
        except NotDecided as refusal:
            return refusal.code

    answers = at_once([partial(agreed, one) for one in people])
    assert sorted(answers) == ["already-decided", "done"]
    assert len(entry_of(paper["order_id"], kind="order")) == 3


def test_orders_move_between_two_shifts_both_ways_at_once(till: Till) -> None:
    """Both terminals are locked in one order, whichever is left."""
    other = Till(till.store, name="Till 2")
    other.open()
    for number in range(1001, 1001 + ROUNDS):
        till.sell(a_sale(number))
        other.sell(a_sale(number))
        mine, theirs = (each.sell(a_sale(number))["batch_id"] for each in (till, other))
        answers = at_once(
            [
                partial(attempt, Verb.MOVE, f"{mine}:0", to=str(other.shift_id)),
                partial(attempt, Verb.MOVE, f"{theirs}:0", to=str(till.shift_id)),
            ]
        )
        assert all(isinstance(answer, DecisionReport) for answer in answers), answers
