"""kill -9 between any two steps, from the first byte stored to the message acknowledged: real processes die and come back.

Whatever died, the batch is posted exactly once afterwards, and the four promises hold.
"""

from uuid import uuid4

import pytest

from backoffice.failpoints import POINTS
from tests.faults.conftest import MANY, TAKEN, Mortal, assert_posted_once, send, some_orders
from tests.journeys.http_till import HttpTill, eventually
from tests.till import outcomes

DOOR = [point for point in POINTS if point.startswith("receive-")]
WORK = [point for point in POINTS if point.startswith("process-")]
LIVE = ["process-locked", "process-written", "process-before-commit"]


def kill_web(mortal: Mortal, till: HttpTill, orders: list[dict], batch_id: str, *, at: str, **headers: str) -> None:
    """The web process that takes this upload dies, and another takes its place."""
    web = mortal.pids["web"]
    mortal.kill_at(at)
    assert send(till, orders, batch_id, **headers) is None
    mortal.web_died_at(at, web=web)


@pytest.mark.parametrize("point", WORK)
def test_a_worker_killed_at_any_point_posts_its_batch_exactly_once(mortal: Mortal, till: HttpTill, point: str) -> None:
    orders, batch_id = some_orders(), str(uuid4())
    mortal.kill_at(point)
    assert till.upload(*orders, batch_id=batch_id).status_code in TAKEN
    mortal.who_died_at(point)
    assert outcomes(till.processed(batch_id)) == ["posted"] * MANY
    assert_posted_once(mortal, orders)


def test_killed_before_the_batch_is_stored_nothing_is_and_the_retry_posts_it(mortal: Mortal, till: HttpTill) -> None:
    orders, batch_id = some_orders(), str(uuid4())
    kill_web(mortal, till, orders, batch_id, at="receive-before-commit")
    with mortal.database as connection:
        assert connection.execute("SELECT FROM inbox_batch WHERE batch_id = %s", [batch_id]).fetchall() == []
    assert till.upload(*orders, batch_id=batch_id).status_code in TAKEN
    till.processed(batch_id)
    assert_posted_once(mortal, orders)


def test_killed_before_the_bell_is_rung_the_batch_is_found_by_a_sweeper(mortal: Mortal, till: HttpTill) -> None:
    orders, batch_id = some_orders(), str(uuid4())
    kill_web(mortal, till, orders, batch_id, at="receive-after-commit")
    with mortal.database as connection:  # nobody sends it again
        eventually(
            lambda: connection.execute("SELECT state FROM inbox_batch WHERE batch_id = %s", [batch_id]).fetchone(),
            lambda row: row == ("processed",),
        )
    assert_posted_once(mortal, orders)


def test_killed_before_the_answer_the_retry_is_a_repeat(mortal: Mortal, till: HttpTill) -> None:
    orders, batch_id = some_orders(), str(uuid4())
    kill_web(mortal, till, orders, batch_id, at="receive-before-answer")
    assert till.upload(*orders, batch_id=batch_id).status_code in TAKEN
    assert outcomes(till.processed(batch_id)) == ["posted"] * MANY
    assert_posted_once(mortal, orders)


@pytest.mark.parametrize("point", LIVE)
def test_a_web_process_killed_while_it_posts_a_live_order_posts_it_exactly_once(
    mortal: Mortal, till: HttpTill, point: str
) -> None:
    orders, batch_id = some_orders(1), str(uuid4())
    kill_web(mortal, till, orders, batch_id, at=point, Prefer="wait=5")
    assert till.upload(*orders, batch_id=batch_id).status_code in TAKEN
    assert outcomes(till.processed(batch_id)) == ["posted"]
    assert_posted_once(mortal, orders)


def test_every_point_has_its_kill() -> None:
    assert {*DOOR, *WORK} == set(POINTS)
    assert DOOR == ["receive-before-commit", "receive-after-commit", "receive-before-answer"]
    assert set(LIVE) < set(WORK)
