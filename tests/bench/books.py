"""What the benchmark reads from PostgreSQL: how far processing is, and the rows that it wrote."""

import time

import psycopg

POLL_S = 0.02
TIDYING = (
    "SELECT count(*) FROM (TABLE pg_stat_progress_vacuum) v FULL JOIN (TABLE pg_stat_progress_analyze) a USING (pid)"
)


class Books:
    """The database behind a running stack."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self._connection = psycopg.connect(database_url, autocommit=True)

    def wait_until_processed(self, *, timeout_s: float = 300.0) -> None:
        """Returns when no batch waits. Raises TimeoutError, and RuntimeError where a batch failed."""
        deadline = time.monotonic() + timeout_s
        while True:
            states = dict(
                self._connection.execute(
                    "SELECT state, count(*) FROM inbox_batch WHERE state <> 'processed' GROUP BY state"
                ).fetchall()
            )
            if "failed" in states:
                raise RuntimeError(f"{states['failed']} batches failed")
            if not states:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"{states} after {timeout_s} s")
            time.sleep(POLL_S)

    def wait_until_tidy(self, *, timeout_s: float = 120.0) -> None:
        """Returns when PostgreSQL vacuums and analyses nothing: what is measured next shall not pay for what was before."""
        deadline = time.monotonic() + timeout_s
        while self._count(TIDYING):
            if time.monotonic() > deadline:
                raise TimeoutError(f"PostgreSQL still vacuums after {timeout_s} s")
            time.sleep(POLL_S)

    def orders(self) -> int:
        """Posted orders that have a journal entry."""
        return self._count("SELECT count(*) FROM ledger_entrysource WHERE source_kind = 'order'")

    def _count(self, statement: str) -> int:
        row = self._connection.execute(statement).fetchone()
        return int(row[0]) if row else 0
