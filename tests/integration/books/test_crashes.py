"""Whoever decides is killed between any two statements: all of the decision, or nothing."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from backoffice.books import deciding
from backoffice.books.deciding import agree
from backoffice.books.models import Decision
from backoffice.books.refusals import AlreadyDecided
from backoffice.books.verbs import held
from backoffice.domain.decisions import Verb
from backoffice.failpoints import POINTS, VARIABLE
from tests.integration.books.office import a_person, by_card, decided, map_again, unmap
from tests.integration.evidence.test_sealer import CHECKOUT, database_url
from tests.till import Till, a_sale, entry_of

ITS_POINTS = [point for point in POINTS if point.startswith(("decide-", "answer-"))]
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


def killed_at_each_point(decide: Callable[[], Any], *, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Decides, and dies at every named point that it passes before the commit; which they are."""
    before, passed, strikes = snapshot(), [], ""

    def reached(name: str) -> None:
        passed.append(name)
        if name == strikes:
            raise Killed

    for module in (deciding, held):
        monkeypatch.setattr(module, "failpoint", reached)
    for point in ITS_POINTS:
        strikes = point
        with contextlib.suppress(Killed), transaction.atomic():
            decide()
            transaction.set_rollback(True)
        assert snapshot() == before, point
    strikes = ""
    passed.clear()
    decide()
    return passed


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


def test_every_step_of_a_decision_has_a_name_and_leaves_all_or_nothing(
    till: Till, ruth: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    otto = a_person("Otto")
    unmap(till, "card")
    orders = [a_sale(number, **by_card()) for number in (1001, 1002)]
    till.sell(*orders)
    map_again(till, "card", "1100")
    how = {"person": ruth, "reason": "checked-with-store", "note": "They say so."}
    passed = killed_at_each_point(lambda: decided(Verb.POST, orders[0]["order_id"], **how), monkeypatch=monkeypatch)
    assert passed == [
        "decide-locked",
        "decide-settled",
        "decide-posted",
        "decide-acted",
        "decide-written",
        "decide-after-commit",
    ]
    till.store.second_person_above = 100
    till.store.save()
    asked = killed_at_each_point(lambda: decided(Verb.POST, orders[1]["order_id"], **how), monkeypatch=monkeypatch)
    assert "decide-tried" in asked
    request = Decision.objects.get(store=till.store, needs_second_person=True)
    agreed = killed_at_each_point(lambda: agree(request.pk, person=otto, now=timezone.now()), monkeypatch=monkeypatch)
    assert {*passed, *asked, *agreed} == set(ITS_POINTS)
    assert len(entry_of(orders[1]["order_id"], kind="order")) == 3


@pytest.mark.usefixtures("committed_db")
def test_killed_before_it_was_told_whoever_decides_again_hears_that_it_is_done(till: Till, tmp_path: Path) -> None:
    """A real process: manage.py, which dies as by kill -9."""
    ruth = a_person("Ruth")
    till.sell(order := a_sale(1001, total=999))
    (file := tmp_path / "order.json").write_text(json.dumps(right := {**order, "total": 240}))
    (points := tmp_path / "points").mkdir()
    (points / "decide-after-commit").touch()
    words = [
        "decide",
        "correct",
        order["order_id"],
        "--file",
        str(file),
        "--as",
        str(ruth),
        "--reason",
        "keyed-wrongly",
    ]
    killed = subprocess.run(
        [sys.executable, "manage.py", *words],
        env={**os.environ, "DATABASE_URL": database_url(), VARIABLE: str(points)},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (killed.returncode, killed.stdout) == (-9, ""), killed.stderr
    with pytest.raises(AlreadyDecided, match=str(ruth)):
        decided(Verb.CORRECT, order["order_id"], order=right)
    assert len(entry_of(order["order_id"], kind="order")) == 3
