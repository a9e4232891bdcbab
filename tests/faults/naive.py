"""The naive queue on the same servers, so that the same run can be made against it."""

from collections.abc import Sequence
from typing import Self

import psycopg

from backoffice.workbench.embedded.processes import Child, wait_until
from tests.faults.naive_queue import QUEUE, TABLES
from tests.faults.service import STARTED_WITHIN_S, Service
from tests.faults.stores import STORES, StoreFacts


class NaiveService(Service):
    """Supervised in the same way as our own service."""

    def __enter__(self) -> Self:
        super().__enter__()
        if not wait_until(lambda: self.broker().exists(f"_kombu.binding.{QUEUE}"), timeout_s=STARTED_WITHIN_S):
            raise RuntimeError(f"no worker listens; see {self.log_path}")
        return self

    def activation_codes(self, names: Sequence[str], *, stores: Sequence[StoreFacts] = STORES) -> list[tuple[str, str]]:
        codes = [stores[number % len(stores)][0] for number in range(len(names))]
        return [(code, f"{code}/{name}") for code, name in zip(codes, names, strict=True)]

    def has_doubled(self) -> bool:
        """Whether an order is inserted twice."""
        with psycopg.connect(self.database_url) as connection:
            twice = "SELECT FROM sales_order GROUP BY order_id HAVING count(*) > 1 LIMIT 1"
            return connection.execute(twice).fetchone() is not None

    def amid(self, *, batch: int) -> bool:
        """Whether the worker has inserted some orders of a batch and not the others; every batch has `batch` orders."""
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute("SELECT count(*) FROM sales_order").fetchone()
        assert row is not None
        return batch // 10 <= row[0] % batch <= batch // 2

    def waiting(self) -> int:
        """Messages in the queue, and those that a worker has not acknowledged."""
        broker = self.broker()
        return int(broker.llen(QUEUE)) + int(broker.hlen("unacked"))


def naive_processes(service: Service) -> Sequence[Child]:
    """Tables, web server and worker."""
    with psycopg.connect(service.database_url, autocommit=True) as connection:
        connection.execute(TABLES)
        for code, *_ in STORES:
            connection.execute("INSERT INTO fleet_store (code) VALUES (%s)", [code])
    web = service.program(
        *("web", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(service.port)),
        *("--log-level", "warning", "tests.faults.naive_queue:application"),
    )
    worker = service.program(
        "worker", "celery", "--app", "tests.faults.naive_queue", "--quiet", "worker", "--concurrency", "1"
    )
    return [web, worker]
