"""kill -9 between any two steps, from the first byte stored to the message acknowledged: real processes die and come back.

Whatever died, the batch is posted exactly once afterwards, and the four promises hold.
"""

from datetime import datetime
from uuid import uuid4

import pytest
from redis import Redis

from backoffice.failpoints import POINTS
from tests.faults.conftest import MANY, TAKEN, Mortal, assert_posted_once, send, some_orders
from tests.faults.test_servers import CALL, message
from tests.integration.alerts.test_crashes import ITS_POINTS as OF_ALERTS
from tests.integration.books.test_crashes import ITS_POINTS as OF_DECISIONS
from tests.integration.evidence.test_sealer import ITS_POINTS
from tests.integration.exports.test_revisions import ITS_POINTS as OF_EXPORTS
from tests.journeys.http_till import HttpTill, a_store_code, eventually
from tests.till import outcomes

DOOR = [point for point in POINTS if point.startswith("receive-")]
WORK = [point for point in POINTS if point.startswith("process-")]
LIVE = ["process-locked", "process-written", "process-before-commit", "receive-before-answer"]


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


def test_killed_between_the_posting_of_a_live_order_and_its_answer_the_repeat_gets_the_receipt(
    mortal: Mortal, till: HttpTill
) -> None:
    orders, batch_id = some_orders(1), str(uuid4())
    kill_web(mortal, till, orders, batch_id, at="receive-before-answer", Prefer="wait=5")
    with mortal.database as connection:
        posted = "SELECT count(*) FROM ledger_journalentry WHERE source_id = %s"
        assert connection.execute(posted, [orders[0]["order_id"]]).fetchone() == (1,)
        kept = "SELECT processed_at, attempts FROM inbox_batch WHERE batch_id = %s"
        ((processed_at, attempts),) = connection.execute(kept, [batch_id]).fetchall()
    receipt = till.receipt(batch_id)
    for prefer in ("wait=5", "wait=0"):
        answer = till.upload(*orders, batch_id=batch_id, Prefer=prefer)
        assert (answer.status_code, answer.json()) == (200, receipt | {"results": []})
    assert (datetime.fromisoformat(receipt["processed_at"]), attempts) == (processed_at, 1)
    assert_posted_once(mortal, orders)


def put_off(mortal: Mortal, batch_id: str, *, seconds: int) -> None:
    """Nobody tries the batch before that: less than the minute after which a clock counts as wrong."""
    with mortal.database as connection:
        due = "UPDATE inbox_batch SET due_at = now() + %s * interval '1 second' WHERE batch_id = %s"
        connection.execute(due, [seconds, batch_id])


def try_now(mortal: Mortal, batch_id: str) -> None:
    """Its time has come, and a worker is told to look."""
    put_off(mortal, batch_id, seconds=0)
    Redis.from_url(mortal.environment["REDIS_URL"]).rpush("backoffice", message(CALL))


def test_a_batch_that_kills_five_workers_is_failed_and_a_neighbour_posts_meanwhile(
    mortal: Mortal, till: HttpTill
) -> None:
    point, orders, batch_id = "process-locked", some_orders(3), str(uuid4())
    neighbour = HttpTill(mortal, a_store_code(mortal))
    neighbour.open()
    died, held = mortal.times_logged(f"{point}: dying"), till.shift()["held"]
    mortal.kill_at(point)
    assert till.upload(*orders, batch_id=batch_id).status_code in TAKEN
    for deaths in range(1, 6):
        eventually(lambda: mortal.times_logged(f"{point}: dying") - died, lambda seen, deaths=deaths: seen == deaths)
        if deaths == 3:
            put_off(mortal, batch_id, seconds=50)
            others = some_orders(3)
            assert outcomes(neighbour.processed(neighbour.upload(*others).json()["batch_id"])) == ["posted"] * 3
        if deaths < 5:
            mortal.kill_at(point)
        try_now(mortal, batch_id)
    eventually(lambda: till.receipt(batch_id)["state"], lambda state: state == "failed")
    assert mortal.times_logged(f"{point}: dying") - died == 5
    assert till.shift()["held"] - held == 3
    with mortal.database as connection:
        assert connection.execute("SELECT FROM sales_order WHERE batch_id = %s", [batch_id]).fetchall() == []
    try_now(mortal, batch_id)  # what killed them is gone
    assert outcomes(till.processed(batch_id)) == ["posted"] * 3
    assert_posted_once(mortal, [*orders, *others])


def test_every_point_has_its_kill() -> None:
    assert {*DOOR, *WORK, *ITS_POINTS, *OF_EXPORTS, *OF_DECISIONS, *OF_ALERTS} == set(POINTS)
    assert DOOR == ["receive-before-commit", "receive-after-commit", "receive-before-answer"]
    assert set(LIVE) < {*WORK, "receive-before-answer"}
