"""A till for the tests: it speaks the wire through Django's test client and writes orders as terminals do."""

import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from threading import Barrier
from typing import Any, Self, TypeVar
from uuid import UUID, uuid4

from django.db import connection, connections
from django.test import Client
from django.test.client import ClientHandler
from django.utils import timezone

from backoffice.fleet.models import Store, Terminal
from backoffice.ingestion.stores import issue_activation_code, map_accounts
from backoffice.ingestion.sweep import process_waiting

Answer = TypeVar("Answer")

OPENED = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
# The batches that were answered 2xx, of all tills: none of them may ever be lost. See tests/promises.py.
acknowledged_batches: set[str] = set()


def a_store(code: str | None = None, **changes: Any) -> Store:
    """A store of its own for each test: Paris, EUR, prices that include tax, unless the test says otherwise."""
    facts = {"name": "Paris Bastille", "timezone": "Europe/Paris", "currency": "EUR", "prices_include_tax": True}
    store = Store(code=code or f"S{uuid4().hex[:10]}", **(facts | changes))
    # As `create_store` does, but for its look at each field, which costs as much as all the rest of a till.
    store.save()
    map_accounts(store)
    return store


def a_sale(number: int, /, **changes: Any) -> dict[str, Any]:
    """The protocol's own example: two baguettes at 1.20, tax included, paid in cash."""
    order = {
        "order_id": str(uuid4()),
        "number": number,
        "mode": "offline",
        "kind": "sale",
        "status": "paid",
        "type": "takeaway",
        "opened_at": "2026-03-01T10:00:00+01:00",
        "closed_at": "2026-03-01T10:01:00+01:00",
        "cashier": "Anna",
        "customer": None,
        "printed_to": "local",
        "refund_of": None,
        "note": "",
        "lines": [
            {
                "kind": "item",
                "sku": "BAG-TRAD",
                "name": "Baguette",
                "quantity": "2",
                "unit_price": 120,
                "discount": 0,
                "amount": 240,
                "taxes": [{"code": "FR-5.5", "rate": "0.055", "amount": 13}],
            }
        ],
        "rounding": 0,
        "total": 240,
        "tip": 0,
        "payments": [{"method": "cash", "amount": 240, "tendered": 500, "change": 260, "reference": ""}],
    }
    return order | changes


def a_movement(amount: Any = 5000, **changes: Any) -> dict[str, Any]:
    """Change brought to the drawer."""
    movement = {
        "movement_id": str(uuid4()),
        "kind": "cash_in",
        "amount": amount,
        "reason": "change",
        "occurred_at": "2026-03-01T11:00:00+01:00",
        "cashier": "Anna",
    }
    return movement | changes


def a_heartbeat(**changes: Any) -> dict[str, Any]:
    """From a till with nothing in its cache and no open shift."""
    heartbeat = {
        "sent_at": timezone.now().isoformat(),
        "offline_mode": False,
        "cached_orders": 0,
        "cached_total": 0,
        "oldest_cached_at": None,
        "last_number": None,
        "shift_id": None,
        "app_version": "4.1.0",
    }
    return heartbeat | changes


@cache
def _service() -> ClientHandler:
    """The service, loaded once as a web server does: each client of Django's own would look for all static files again."""
    handler = ClientHandler(enforce_csrf_checks=False)
    handler.load_middleware()
    return handler


def a_client() -> Client:
    """A client of the service that gets a 500 as an answer, as terminals do."""
    client = Client(raise_request_exception=False)
    client.handler = _service()
    return client


class Till:
    """One activated terminal of a store, with a shift once `open` was called."""

    def __init__(self, store: Store | None = None, *, name: str = "Till 1") -> None:
        self.store = store or a_store()
        self.client = a_client()
        code = issue_activation_code(store_code=self.store.code, terminal_name=name, now=timezone.now())
        answer = self.send("POST", "activations", {"activation_code": code, "device": {"name": name}})
        assert answer.status_code == 201, answer.content
        self.token = answer.json()["token"]
        self.terminal = Terminal.objects.get(uuid=answer.json()["terminal_id"])
        self.shift_id = uuid4()

    token: str | None = None

    def again(self) -> Self:
        """The same terminal as it stands in the database, whatever a test has made of this one."""
        again = copy(self)
        again.client = a_client()
        again.store, again.terminal = copy(self.store), copy(self.terminal)
        return again

    def send(
        self,
        method: str,
        path: str,
        message: Any = None,
        *,
        raw: bytes | None = None,
        environ: Mapping[str, Any] | None = None,
        **headers: str,
    ) -> Any:
        """One request below /api/v1/. `raw` is sent as it is; `environ` is what the web server says of the request."""
        body = raw if raw is not None else (b"" if message is None else json.dumps(message).encode())
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        said: dict[str, Any] = {}
        if method in {"PUT", "POST"}:
            said = {
                "CONTENT_TYPE": headers.pop("Content-Type", "application/json"),
                "CONTENT_LENGTH": str(len(body)),
                "wsgi.input": BytesIO(body),  # ends where the bytes end, whatever was declared
            }
        return self.client.generic(method, f"/api/v1/{path}", headers=headers, **(said | dict(environ or {})))

    def open(self, shift_id: UUID | None = None, **changes: Any) -> Any:
        """Opens a shift with a float of 200.00, and makes it the till's own."""
        self.shift_id = shift_id or uuid4()
        message = {
            "number": 311,
            "opened_at": "2026-03-01T08:00:00+01:00",
            "cashier": "Anna",
            "opening_float": 20000,
            "first_number": 1001,
        }
        return self.send("PUT", f"shifts/{self.shift_id}", message | changes)

    def upload(
        self,
        *orders: Any,
        movements: Any = (),
        batch_id: UUID | str | None = None,
        shift_id: UUID | None = None,
        raw: bytes | None = None,
        environ: Mapping[str, Any] | None = None,
        **headers: str,
    ) -> Any:
        """Sends a batch, or `raw` in its place; nothing processes it yet. What is answered 2xx is remembered."""
        message = {"sent_at": "2026-03-01T18:00:00+01:00", "orders": list(orders), "cash_movements": list(movements)}
        path = f"shifts/{shift_id or self.shift_id}/batches/{batch_id or uuid4()}"
        answer = self.send("PUT", path, message, raw=raw, environ=environ, **headers)
        if answer.status_code in {200, 202}:
            acknowledged_batches.add(answer.json()["batch_id"])
        return answer

    def sell(self, *orders: Any, **how: Any) -> dict[str, Any]:
        """Sends a batch, has it processed, and gives its receipt with every result."""
        answer = self.upload(*orders, **how)
        assert answer.status_code in {200, 202}, answer.content
        process_waiting()
        return self.receipt(answer.json()["batch_id"])

    def receipt(self, batch_id: str) -> dict[str, Any]:
        """The receipt with every result."""
        answer = self.send("GET", f"batches/{batch_id}?results=all")
        assert answer.status_code == 200, answer.content
        return answer.json()

    def shift(self) -> dict[str, Any]:
        """How the till's shift stands."""
        answer = self.send("GET", f"shifts/{self.shift_id}")
        assert answer.status_code == 200, answer.content
        return answer.json()

    def close(self, *orders: dict[str, Any], batches: Any = (), counted: int | None = None, **changes: Any) -> Any:
        """Declares a shift that consisted of `orders`, with the drawer as it should be unless `counted` says otherwise."""
        paid = [order for order in orders if order["status"] == "paid"]
        payments: dict[str, int] = {}
        for order in paid:
            for payment in order["payments"]:
                payments[payment["method"]] = payments.get(payment["method"], 0) + payment["amount"]
        numbers = sorted(order["number"] for order in orders) or [1001, 1000]
        message = {
            "closed_at": "2026-03-01T18:00:00+01:00",
            "batches": [str(batch) for batch in batches],
            "order_count": len(orders),
            "first_number": numbers[0],
            "last_number": numbers[-1],
            "cash_counted": 20000 + payments.get("cash", 0) if counted is None else counted,
            "totals": {
                "sales": sum(order["total"] for order in paid if order["kind"] == "sale"),
                "refunds": sum(order["total"] for order in paid if order["kind"] == "refund"),
                "tax": sum(tax["amount"] for order in paid for line in order["lines"] for tax in line.get("taxes", ())),
                "tips": sum(order["tip"] for order in paid),
                "rounding": sum(order["rounding"] for order in paid),
                "payments": payments,
            },
        }
        return self.send("PUT", f"shifts/{self.shift_id}/close", message | changes)


def outcomes(receipt: dict[str, Any]) -> list[str]:
    """The outcome of each order, in the order sent."""
    return [result["outcome"] for result in receipt["results"]]


def codes(receipt: dict[str, Any], index: int = 0) -> list[str]:
    """The reasons of one order of a receipt."""
    return [reason["code"] for reason in receipt["results"][index]["reasons"]]


def zipped(message: Any) -> bytes:
    """A message as gzip."""
    return gzip.compress(json.dumps(message).encode())


def later(**distance: int) -> datetime:
    """A time after now."""
    return timezone.now() + timedelta(**distance)


def entry_of(source_id: UUID | str, *, number: int = 0, kind: str | None = None) -> set[tuple[str, int, int]]:
    """Account, debit and credit of each line of the entry that an order, movement, opening or close made; none: {}.

    A close and its reconciliation may have the same number: `kind` says which.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account_id, debit, credit FROM ledger_journalline l JOIN ledger_entrysource s USING (entry_id)"
            " WHERE s.source_id = %s AND s.source_number = %s AND s.source_kind = coalesce(%s, s.source_kind)",
            [str(source_id), number, kind],
        )
        return set(cursor.fetchall())


def balance(till: Till, account: str = "1000") -> int:
    """Debits less credits of an account in one terminal's own entries: by default its drawer."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(debit - credit), 0)::bigint FROM ledger_journalline l"
            " JOIN ledger_journalentry e ON e.id = l.entry_id AND e.business_date = l.business_date"
            " WHERE e.terminal_id = %s AND l.account_id = %s",
            [till.terminal.pk, account],
        )
        return int(cursor.fetchone()[0])


def at_once(calls: Iterable[Callable[[], Answer]]) -> list[Answer]:
    """Makes all calls at the same moment, each in a thread with a connection of its own; their answers in order."""
    calls = list(calls)
    barrier = Barrier(len(calls))

    def make(call: Callable[[], Answer]) -> Answer:
        barrier.wait(timeout=30)
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(make, call) for call in calls]]


def an_open_till() -> Till:
    """A till of its own store, with a shift."""
    till = Till()
    assert till.open().status_code == 201
    return till
