"""Several statements in one round trip."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import Pipeline
from psycopg.abc import PQGen


class _EndsWithSync(Pipeline):
    """psycopg's own ends with Sync and then Flush, after which PostgreSQL counts no idle time until the next statement.

    A worker that froze there would hold its claim for ever, whatever idle_in_transaction_session_timeout says. Sync
    alone brings the results as well.
    """

    def _exit_gen(self) -> PQGen[None]:
        try:
            self._enqueue_sync()
            yield from self._communicate_gen()
        finally:
            yield from self._fetch_gen(flush=False)


@contextmanager
def pipelined() -> Iterator[None]:
    """Sends the statements within in one go. Their results are there at its end; an error is raised there at the latest."""
    link = connection.connection
    with connection.wrap_database_errors:
        link._pipeline = _EndsWithSync(link)  # noqa: SLF001 - psycopg has no other way to name its pipeline's class
        with link.pipeline():
            yield


def ask_together(*questions: tuple[str, Mapping[str, Any] | Sequence[Any]]) -> list[CursorWrapper]:
    """Asks several things in one round trip: statements with their values. Their cursors, in this order, with the answers."""
    cursors = [connection.cursor() for _ in questions]
    with pipelined():
        for cursor, (statement, values) in zip(cursors, questions, strict=True):
            cursor.execute(statement, values)
    return cursors
