"""kill -9 between any two steps, from the first byte stored to the message acknowledged: real processes die and come back.

Whatever died, the batch is posted exactly once afterwards, and the four promises hold.
"""

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest

from backoffice.embedded import watch
from backoffice.embedded.stack import Stack
from backoffice.failpoints import POINTS, VARIABLE
from tests.conftest import RunningStack
from tests.journeys.http_till import HttpTill, a_store_code, eventually
from tests.promises import broken_promises
from tests.till import a_sale, outcomes

DOOR = [point for point in POINTS if point.startswith("receive-")]
WORK = [point for point in POINTS if point.startswith("process-")]
LIVE = ["process-locked", "process-written", "process-before-commit"]
MANY = 80  # more than one statement writes at once: see FEW in bulk.py

numbers = count(1001)


class Mortal(RunningStack):
    """A Back Office whose processes die where they are told to."""

    def __init__(self, stack: Stack, *, orders: Path, log: Path) -> None:
        super().__init__(stack)
        self._orders, self._log = orders, log

    def kill_at(self, point: str) -> None:
        """The next process that comes by there dies."""
        (self._orders / point).touch()

    def who_died_at(self, point: str) -> int:
        """The id of the process that did, once it is gone."""
        died = eventually(lambda: re.findall(rf"process (\d+): {point}: dying", self._log.read_text()), bool)
        pid = int(died[-1])
        eventually(lambda: is_running(pid), lambda running: not running)
        return pid

    def web_died_at(self, point: str, *, web: int) -> None:
        """Waits until the web role, whose id was `web`, is another one that answers."""
        self.who_died_at(point)
        eventually(lambda: self.pids.get("web", web), lambda pid: pid != web)
        eventually(self._web_answers, bool)

    def _web_answers(self) -> bool:
        try:
            return httpx.get(f"{self.base_url}/livez").status_code == 200
        except httpx.TransportError:
            return False


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    folder = tmp_path_factory.mktemp("mortal")
    orders, log_file = folder / "points", folder / "log"
    orders.mkdir()
    with (
        pytest.MonkeyPatch.context() as patch,
        log_file.open("w") as log,
        Stack(folder / "data", log=log, extra_environment={VARIABLE: str(orders)}) as stack,
    ):
        patch.setattr(watch, "LONGEST_WAIT_S", 0.2)  # dying often is the point here
        yield Mortal(stack, orders=orders, log=log_file)


@pytest.fixture(scope="module")
def till(mortal: Mortal) -> HttpTill:
    till = HttpTill(mortal, a_store_code(mortal))
    assert till.open().status_code == 201
    return till


def some_orders(how_many: int = MANY) -> list[dict]:
    return [a_sale(next(numbers)) for _ in range(how_many)]


def send(till: HttpTill, orders: list[dict], batch_id: str, **headers: str) -> httpx.Response | None:
    """None where the answer was lost."""
    try:
        return till.upload(*orders, batch_id=batch_id, **headers)
    except httpx.TransportError:
        return None


def kill_web(mortal: Mortal, till: HttpTill, orders: list[dict], batch_id: str, *, at: str, **headers: str) -> None:
    """The web process that takes this upload dies, and another takes its place."""
    web = mortal.pids["web"]
    mortal.kill_at(at)
    assert send(till, orders, batch_id, **headers) is None
    mortal.web_died_at(at, web=web)


def assert_posted_once(mortal: Mortal, orders: list[dict]) -> None:
    sent = [order["order_id"] for order in orders]
    with psycopg.connect(mortal.environment["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT order_id::text FROM sales_order WHERE order_id = ANY(%s::uuid[])", [sent])
        assert sorted(row[0] for row in cursor.fetchall()) == sorted(sent)
        cursor.execute(
            "SELECT source_id::text, sum(debit), count(*) FROM ledger_journalentry e JOIN ledger_journalline l"
            " ON l.entry_id = e.id WHERE source_id = ANY(%s::uuid[]) GROUP BY source_id, e.id",
            [sent],
        )
        entries = cursor.fetchall()
        assert sorted(row[0] for row in entries) == sorted(sent)
        assert {row[1] for row in entries} == {240}
        assert broken_promises(cursor, acknowledged=sent) == []


@pytest.mark.parametrize("point", WORK)
def test_a_worker_killed_at_any_point_posts_its_batch_exactly_once(mortal: Mortal, till: HttpTill, point: str) -> None:
    orders, batch_id = some_orders(), str(uuid4())
    mortal.kill_at(point)
    assert till.upload(*orders, batch_id=batch_id).status_code == 202
    mortal.who_died_at(point)
    assert outcomes(till.processed(batch_id)) == ["posted"] * MANY
    assert_posted_once(mortal, orders)


def test_killed_before_the_batch_is_stored_nothing_is_and_the_retry_posts_it(mortal: Mortal, till: HttpTill) -> None:
    orders, batch_id = some_orders(), str(uuid4())
    kill_web(mortal, till, orders, batch_id, at="receive-before-commit")
    with psycopg.connect(mortal.environment["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT FROM inbox_batch WHERE batch_id = %s", [batch_id]).fetchall() == []
    assert till.upload(*orders, batch_id=batch_id).status_code == 202
    till.processed(batch_id)
    assert_posted_once(mortal, orders)


def test_killed_before_the_bell_is_rung_the_batch_is_found_by_a_sweeper(mortal: Mortal, till: HttpTill) -> None:
    orders, batch_id = some_orders(), str(uuid4())
    kill_web(mortal, till, orders, batch_id, at="receive-after-commit")
    with psycopg.connect(mortal.environment["DATABASE_URL"], autocommit=True) as connection:  # nobody sends it again
        eventually(
            lambda: connection.execute("SELECT state FROM inbox_batch WHERE batch_id = %s", [batch_id]).fetchone(),
            lambda row: row == ("processed",),
        )
    assert_posted_once(mortal, orders)


def test_killed_before_the_answer_the_retry_is_a_repeat(mortal: Mortal, till: HttpTill) -> None:
    orders, batch_id = some_orders(), str(uuid4())
    kill_web(mortal, till, orders, batch_id, at="receive-before-answer")
    assert till.upload(*orders, batch_id=batch_id).status_code in {200, 202}
    assert outcomes(till.processed(batch_id)) == ["posted"] * MANY
    assert_posted_once(mortal, orders)


@pytest.mark.parametrize("point", LIVE)
def test_a_web_process_killed_while_it_posts_a_live_order_posts_it_exactly_once(
    mortal: Mortal, till: HttpTill, point: str
) -> None:
    orders, batch_id = some_orders(1), str(uuid4())
    kill_web(mortal, till, orders, batch_id, at=point, Prefer="wait=5")
    assert till.upload(*orders, batch_id=batch_id).status_code in {200, 202}
    assert outcomes(till.processed(batch_id)) == ["posted"]
    assert_posted_once(mortal, orders)


def test_every_point_has_its_kill() -> None:
    assert {*DOOR, *WORK} == set(POINTS)
    assert DOOR == ["receive-before-commit", "receive-after-commit", "receive-before-answer"]
    assert set(LIVE) < set(WORK)
