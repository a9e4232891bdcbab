"""A Back Office whose processes may be killed: its own, so that no other test goes down with it."""

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import psycopg
import pytest

from backoffice.failpoints import VARIABLE
from backoffice.workbench.embedded.stack import Stack
from tests.conftest import RunningStack
from tests.journeys.http_till import HttpTill, a_store_code, eventually
from tests.migrated import migrated
from tests.promises import broken_promises
from tests.till import a_sale

MANY = 80  # more than one statement writes at once: see FEW in bulk.py

TAKEN = {200, 202}  # processed before it was answered, or not

numbers = count(1001)


class Mortal(RunningStack):
    """A Back Office whose processes die where they are told to."""

    def __init__(self, stack: Stack, *, orders: Path, log: Path) -> None:
        super().__init__(stack)
        self._orders, self._log = orders, log

    @property
    def database(self) -> psycopg.Connection:
        """A connection of the test's own, for `with`; each statement commits."""
        return psycopg.connect(self.environment["DATABASE_URL"], autocommit=True)

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
        self.came_back("web", web)

    def came_back(self, name: str, dead: int) -> None:
        """Waits until the server or role `name`, whose id was `dead`, is another process, and web answers."""
        eventually(lambda: self.pids.get(name, dead), lambda pid: pid != dead)
        eventually(self._web_answers, bool)

    def times_logged(self, text: str) -> int:
        """How often its processes have said this."""
        return self._log.read_text().count(text)

    def _web_answers(self) -> bool:
        try:
            return httpx.get(f"{self.base_url}/livez").status_code == 200
        except httpx.TransportError:
            return False


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the second where it goes between opening and reading
        return False


@pytest.fixture(scope="package")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    folder = tmp_path_factory.mktemp("mortal")
    orders, log_file = folder / "points", folder / "log"
    orders.mkdir()
    with (
        log_file.open("w") as log,
        # Dying often is the point here, so nobody waits longer and longer.
        Stack(
            migrated(folder / "data"), log=log, extra_environment={VARIABLE: str(orders)}, longest_wait_s=0.2
        ) as stack,
        Mortal(stack, orders=orders, log=log_file) as mortal,
    ):
        yield mortal


@pytest.fixture(scope="package")
def till(mortal: Mortal) -> HttpTill:
    till = HttpTill(mortal, a_store_code(mortal))
    assert till.open().status_code == 201
    return till


def some_orders(how_many: int = MANY) -> list[dict]:
    """Orders of `till`, with numbers that it has not used."""
    return [a_sale(next(numbers)) for _ in range(how_many)]


def send(till: HttpTill, orders: list[dict], batch_id: str, **headers: str) -> httpx.Response | None:
    """None where the answer was lost."""
    try:
        return till.upload(*orders, batch_id=batch_id, **headers)
    except httpx.TransportError:
        return None


def send_until_taken(till: HttpTill, orders: list[dict], batch_id: str) -> list[int]:
    """As terminals do: the same again, until it is taken. The statuses on the way, 0 for an answer that was lost."""
    statuses: list[int] = []

    def once_more() -> int:
        answer = send(till, orders, batch_id)
        if answer is not None and answer.status_code == 503:
            assert int(answer.headers["Retry-After"]) > 0
        statuses.append(0 if answer is None else answer.status_code)
        return statuses[-1]

    eventually(once_more, lambda status: status in TAKEN)
    return statuses


def assert_posted_once(mortal: Mortal, orders: list[dict]) -> None:
    """Every order has its row and one entry of 2.40, and all that was ever promised holds."""
    sent = [order["order_id"] for order in orders]
    with mortal.database as connection, connection.cursor() as cursor:
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
