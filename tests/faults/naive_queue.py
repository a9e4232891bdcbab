"""What people build first, so that the checker is known to see: a queue in Celery and Redis, and nothing durable before it.

The web server hands each upload to Celery and answers 202; the worker (`acks_late`, so "at least once") inserts order by
order. There is no inbox and no identity. It talks enough of the protocol for our terminals, and keeps tables of the names
that the checker reads. It must be caught losing and doubling. Nothing of ours is imported here, so that it is as naive as
it says.
"""

import gzip
import json
import os
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from celery import Celery

from tests.faults.stores import STORES

# Redis gives a message to another worker after this, an hour by default, and looks every hundred seconds: no run waits so long.
VISIBILITY_S = 5
QUEUE = "naive"
TABLES = """
CREATE TABLE fleet_store (id serial PRIMARY KEY, code text UNIQUE);
CREATE TABLE fleet_terminal (id serial PRIMARY KEY, uuid uuid UNIQUE, store_id integer, last_number bigint DEFAULT 0);
CREATE TABLE inbox_batch (batch_id uuid, digest bytea, body bytea, state text);
CREATE TABLE sales_order (order_id uuid);
CREATE TABLE sales_helditem (order_id uuid, what text, decision_id uuid);
CREATE TABLE ledger_journalentry (
    id bigserial PRIMARY KEY, business_date date DEFAULT current_date, source_kind text, source_id uuid, store_id integer
);
CREATE TABLE ledger_journalline (
    entry_id bigint, business_date date DEFAULT current_date, store_id integer, drawer_id integer, account_id text,
    tax_code text DEFAULT '', debit bigint, credit bigint, currency text
);
"""
INSERT_TERMINAL = """
INSERT INTO fleet_terminal (uuid, store_id) SELECT %s, id FROM fleet_store WHERE code = %s RETURNING id
"""
UPDATE_LAST = "UPDATE fleet_terminal SET last_number = greatest(last_number, %s) WHERE id = %s RETURNING store_id"
SELECT_LAST = "SELECT last_number FROM fleet_terminal WHERE id = %s"
INSERT_SALE = "INSERT INTO sales_order (order_id) VALUES (%s)"
INSERT_ENTRY = """
WITH entry AS (
    INSERT INTO ledger_journalentry (source_kind, source_id, store_id) VALUES ('order', %(order_id)s, %(store_id)s) RETURNING id
)
INSERT INTO ledger_journalline (entry_id, store_id, account_id, debit, credit, currency)
SELECT id, %(store_id)s, account_id, debit, credit, 'EUR' FROM entry,
    (VALUES ('1000', greatest(%(total)s, 0), greatest(-%(total)s, 0)), ('4000', greatest(-%(total)s, 0), greatest(%(total)s, 0)))
    AS line (account_id, debit, credit)
"""

# Without the fixup that loads Django's settings, which bring our own listeners along.
app = Celery("naive", broker=os.environ.get("REDIS_URL"), fixups=[])
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    task_default_queue=QUEUE,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": VISIBILITY_S,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        "socket_timeout": 2,
        "max_retries": 1,
    },
)


@app.task(name="naive.post")
def post(batch: dict[str, Any], store_id: int) -> None:
    """Inserts order by order, each committed for itself."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        for order in batch["orders"]:
            total = order["total"] if order["status"] == "paid" else 0
            connection.execute(INSERT_SALE, [order["order_id"]])
            if total:
                connection.execute(INSERT_ENTRY, {"order_id": order["order_id"], "store_id": store_id, "total": total})
            connection.commit()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """WSGI. Whatever goes wrong is a 500, after which terminals come again."""
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix("/api/v1/")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if environ.get("HTTP_CONTENT_ENCODING") == "gzip":
        body = gzip.decompress(body)
    try:
        status, answer = _answer(method, path.split("/"), json.loads(body or "null"), environ)
    except Exception as error:  # noqa: BLE001 - as naive as the rest
        status, answer = "500 Internal Server Error", {"title": type(error).__name__}
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]


def _answer(method: str, path: Sequence[str], message: Any, environ: dict[str, Any]) -> tuple[str, Any]:
    match method, *path:
        case "POST", "activations":
            return "201 Created", _activate(message["activation_code"])
        case "PUT", "shifts", shift_id, "batches", batch_id:
            post.delay(message, _noted(message["orders"], environ))
            return "202 Accepted", _receipt(shift_id, batch_id, len(message["orders"]))
        case "GET", "shifts", shift_id:
            return "200 OK", {"shift_id": shift_id, "state": "reconciled"}
        case "PUT", *_:
            return "200 OK", {"server_time": _now(), "clock_skew_ms": 0}
        case "GET", "terminal":
            last_number = _run(SELECT_LAST, [_terminal(environ)])[0]
            return "200 OK", {"server_time": _now(), "store": _store(STORES[0][0]), "last_number": last_number}
    return "404 Not Found", {}


def _activate(code: str) -> dict[str, Any]:
    store, terminal_id = code.partition("/")[0], str(uuid.uuid4())
    token = _run(INSERT_TERMINAL, [terminal_id, store])[0]
    return {"terminal_id": terminal_id, "store": _store(store), "token": str(token)}


def _noted(orders: Sequence[dict[str, Any]], environ: dict[str, Any]) -> int:
    """Remembers how far the terminal has counted; its store."""
    last = max((order["number"] for order in orders), default=0)
    return int(_run(UPDATE_LAST, [last, _terminal(environ)])[0])


def _terminal(environ: dict[str, Any]) -> int:
    return int(environ["HTTP_AUTHORIZATION"].split()[1])


def _run(statement: str, values: Sequence[object]) -> Any:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        return connection.execute(statement, values).fetchone()


def _store(code: str) -> dict[str, Any]:
    _, zone, currency, included = next(store for store in STORES if store[0] == code)
    return {
        "id": code,
        "code": code,
        "name": code,
        "timezone": zone,
        "currency": currency,
        "prices_include_tax": included,
    }


def _receipt(shift_id: str, batch_id: str, orders: int) -> dict[str, Any]:
    outcomes = {"posted": orders}
    return {
        "batch_id": batch_id,
        "shift_id": shift_id,
        "state": "processed",
        "orders": orders,
        "outcomes": outcomes,
        "results": [],
    }


def _now() -> str:
    return datetime.now(UTC).isoformat()
