"""Whoever decides is killed between any two statements: all of the decision, or nothing."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from backoffice.books.deciding import agree
from backoffice.domain.decisions import Verb
from tests.integration.books.office import a_person, by_card, decided, map_again, unmap
from tests.till import Till, a_sale, entry_of

# More than any decision takes.
MOST_STATEMENTS = 200
SNAPSHOT = """
SELECT (SELECT count(*) FROM books_decision), (SELECT count(*) FROM books_decisionanswer), (SELECT count(*) FROM inbox_batch), (SELECT count(*) FROM books_cachefile),
    (SELECT count(*) FROM sales_order), (SELECT count(*) FROM sales_payment), (SELECT count(*) FROM ledger_journalline),
    (SELECT count(*) FROM sales_decidedmember), (SELECT count(*) FROM sales_explainednumbers),
    (SELECT md5(string_agg(s::text, '' ORDER BY s.shift_id)) FROM sales_shift s),
    (SELECT md5(string_agg(h::text, '' ORDER BY h.id)) FROM sales_helditem h),
    (SELECT md5(string_agg(i::text, '' ORDER BY i.item_id, i.version)) FROM sales_identity i),
    (SELECT md5(string_agg(o::text, '' ORDER BY o.id)) FROM sales_order o)
"""


class Killed(BaseException):
    """What kill -9 does to a process, as near as a test can come: nothing catches it."""


def snapshot() -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(SNAPSHOT)
        return tuple(cursor.fetchone())


def killed_before(place: int) -> Callable[..., Any]:
    """Dies instead of the statement at this place."""
    seen = count()

    def run(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if next(seen) == place:
            raise Killed
        return execute(sql, params, many, context)

    return run


def killed_everywhere(decide: Callable[[], Any]) -> int:
    """Decides, and dies before every one of its statements first; how many there are."""
    before = snapshot()
    for place in range(MOST_STATEMENTS):
        try:
            with transaction.atomic(), connection.execute_wrapper(killed_before(place)):
                decide()
        except Killed:
            assert snapshot() == before, place
        else:
            return place
    raise AssertionError("it did not end")


@pytest.fixture
def ruth() -> User:
    return a_person("Ruth")


def test_a_held_order_is_posted_wholly_or_not_at_all(till: Till, ruth: User) -> None:
    unmap(till, "card")
    till.sell(order := a_sale(1001, **by_card()))
    till.close(order)
    map_again(till, "card", "1100")
    assert killed_everywhere(lambda: decided(Verb.POST, order["order_id"], person=ruth)) > 20
    assert len(entry_of(order["order_id"], kind="order")) == 3
    assert till.shift()["state"] == "reconciled"


def test_what_was_asked_is_agreed_to_wholly_or_not_at_all(till: Till, ruth: User) -> None:
    otto = a_person("Otto")
    asked = decided(Verb.ENTER, till.shift_id, person=ruth, order=(paper := a_sale(1001)))
    killed_everywhere(lambda: agree(asked.decision_id, person=otto, now=timezone.now()))
    assert len(entry_of(paper["order_id"], kind="order")) == 3


def test_asking_leaves_a_request_and_nothing_else(till: Till, ruth: User) -> None:
    killed_everywhere(lambda: decided(Verb.ENTER, till.shift_id, person=ruth, order=a_sale(1001)))
    assert till.shift()["computed"]["order_count"] == 0


@pytest.mark.parametrize("verb", [Verb.VOID, Verb.RETENDER])
def test_an_order_is_corrected_wholly_or_not_at_all(till: Till, ruth: User, verb: Verb) -> None:
    till.sell(order := a_sale(1001))
    till.close(order)
    killed_everywhere(lambda: decided(verb, order["order_id"], person=ruth, payments={"card": 240}))
    assert len(entry_of(order["order_id"], kind=verb.value, number=int(verb == Verb.RETENDER))) > 1


@pytest.mark.parametrize("verb", [Verb.EXPLAIN, Verb.RECOUNT])
def test_a_shift_is_decided_wholly_or_not_at_all(till: Till, ruth: User, verb: Verb) -> None:
    till.sell(order := a_sale(1002))
    till.close(order, first_number=1001)
    how = {"numbers": "1001", "counts": {"cash": 20000}}
    killed_everywhere(lambda: decided(verb, till.shift_id, person=ruth, **how))
    assert till.shift()["state"] == ("reconciled" if verb == Verb.EXPLAIN else "closing")
