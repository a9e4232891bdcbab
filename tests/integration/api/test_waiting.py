"""`Prefer: wait`: terminals that wait for their outcome take no database connection from others (protocol §5)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from psycopg_pool import ConnectionPool

from backoffice.ingestion.batch import receipts
from backoffice.ingestion.batch.accept import INLINE_MEMBERS
from backoffice.ingestion.sweep import process_waiting
from tests.journeys.http_till import eventually
from tests.till import Till, a_sale

WAITING = 8
CONNECTIONS = 2


@pytest.fixture
def pool(committed_db: None) -> Iterator[ConnectionPool]:
    """Few connections for all threads together, as the web role has them."""
    connections.close_all()
    settings = connection.settings_dict
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(settings, "CONN_MAX_AGE", 0)
        patch.setitem(settings, "CONN_HEALTH_CHECKS", False)
        # Who gets none within that time is answered 503.
        patch.setitem(settings["OPTIONS"], "pool", {"min_size": 1, "max_size": CONNECTIONS, "timeout": 5})
        yield connection.pool
        connections.close_all()
        connection.close_pool()


def in_use(pool: ConnectionPool) -> int:
    stats = pool.get_stats()
    return stats["pool_size"] - stats["pool_available"]


def test_more_terminals_wait_than_there_are_connections_and_hold_none(
    pool: ConnectionPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "POLL_EVERY_S", 0.3)
    till = Till()
    till.open()

    def wait_for_a_large_batch(place: int) -> Any:
        first = 1001 + 100 * place
        try:
            return till.upload(*[a_sale(first + n) for n in range(INLINE_MEMBERS + 1)], Prefer="wait=10")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WAITING) as threads:
        answers = [threads.submit(wait_for_a_large_batch, place) for place in range(WAITING)]
        connections.close_all()
        eventually(lambda: receipts.waiters._value, lambda seats: seats == 0)
        eventually(lambda: in_use(pool), lambda used: used == 0)
        assert till.send("GET", "terminal").status_code == 200
        assert not any(answer.done() for answer in answers)
        assert process_waiting() == WAITING
        assert {answer.result(timeout=30).status_code for answer in answers} == {200}
