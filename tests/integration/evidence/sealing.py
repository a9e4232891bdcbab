"""What the tests of seals share."""

from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from backoffice.books.evidence.sealer import Horizon, seal_chunk
from backoffice.books.evidence.sources import SOURCES, Source
from backoffice.books.evidence.trees import lock_trees

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def seal_here(*, now: datetime = NOON, source: Source = SOURCES[0]) -> int:
    """Seals what the test's own open transaction has posted, as if it had ended: for tests that are rolled back."""
    sealed, is_last = 0, False
    while not is_last:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()::text::bigint")
            (xid,) = cursor.fetchone()
            count, is_last = seal_chunk(cursor, lock_trees(), source, horizon=Horizon(xid + 1, xid + 2), now=now)
            sealed += count
    return sealed


def rows(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def numbers_of(store_id: int, kind: str = "entry") -> list[int]:
    """The seal numbers of a store, in the order in which they were given."""
    found = rows(
        "SELECT number FROM evidence_leaf WHERE store_id = %s AND kind = %s ORDER BY day, position", store_id, kind
    )
    return [number for (number,) in found]


def entries_in(store_id: int) -> int:
    """How many entries a store has."""
    return int(rows("SELECT count(*) FROM ledger_journalentry WHERE store_id = %s", store_id)[0][0])
