"""A Back Office in memory, for the tests of people who build terminals. It keeps to the protocol, but keeps no books.

    fake = FakeBackOffice()
    terminal = Terminal(path, "http://back.office", transport=fake.transport)

`fake.script` says what happens to the next requests: an `httpx.Response` or an exception replaces the answer, and None
gives the ordinary answer. Wrap one in `After` to let the request take effect first: that simulates a lost answer.
"""

import copy
import gzip
import hashlib
import itertools
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

from backoffice_terminal.api import Limits

_OPENING = ("number", "first_number", "opened_at", "opening_float", "cashier")
_ROUTE = re.compile(r"/api/v1/(?P<kind>activations|terminal|shifts|batches|store)(?:/(?P<id>[^/]+))?(?:/(?P<rest>.*))?")


@dataclass(frozen=True)
class After:
    """The request takes effect; then this happens instead of the answer."""

    what: httpx.Response | Exception


@dataclass
class FakeShift:
    terminal: str
    opening: dict[str, Any]
    batches: dict[str, bytes] = field(default_factory=dict)
    declaration: dict[str, Any] | None = None


@dataclass
class FakeOrder:
    terminal: str
    shift_id: str
    body: dict[str, Any]
    outcome: str


def problem(status: int, code: str, *, retry_after_s: int | None = None, **members: object) -> httpx.Response:
    """A refusal as Back Office writes it."""
    headers = {"Content-Type": "application/problem+json"}
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    body = {"type": f"https://problems.test/{code}", "title": code, "status": status, "detail": code, **members}
    return httpx.Response(status, headers=headers, content=msgspec.json.encode(body))


class FakeBackOffice:
    """One store, with as many terminals as are activated. With `defer`, batches wait until `process` is called."""

    def __init__(
        self, *, currency: str = "EUR", prices_include_tax: bool = True, max_batch_orders: int = 2_000
    ) -> None:
        self.store = {
            "id": "0195d3a0-0000-7000-8000-000000000001",
            "code": "S1",
            "name": "Corner shop",
            "timezone": "Europe/Paris",
            "currency": currency,
            "prices_include_tax": prices_include_tax,
        }
        self.limits = msgspec.structs.asdict(Limits(max_batch_orders=max_batch_orders))
        self.script: list[httpx.Response | Exception | After | None] = []
        self.requests: list[httpx.Request] = []
        self.heartbeats: list[dict[str, Any]] = []
        self.feed_retry_after_s = 1
        self.defer = False
        self.forget_everything()
        self._tokens: dict[str, str] = {}
        self._unused: dict[str, str] = {}
        self._serial = itertools.count(1)
        self._lock = threading.Lock()
        self.transport = httpx.MockTransport(self._handle)

    def forget_everything(self) -> None:
        """Simulates a restore to the first day: only credentials are left."""
        self.shifts: dict[str, FakeShift] = {}
        self.orders: dict[str, FakeOrder] = {}
        self.receipts: dict[str, dict[str, Any]] = {}
        self._waiting: list[tuple[str, str, bytes]] = []

    def hand_over(self, token: str, terminal: str) -> None:
        """Makes a device that was activated the new one of a terminal that is there already."""
        self._tokens[f"Bearer {token}"] = terminal

    def revoke_all(self) -> None:
        self._tokens.clear()
        self._unused.clear()

    def posted(self) -> list[dict[str, Any]]:
        return [order.body for order in self.orders.values() if order.outcome == "posted"]

    def process(self) -> None:
        """Processes the waiting batches, as the workers do."""
        waiting, self._waiting = self._waiting, []
        for terminal, batch_id, body in waiting:
            self._process(terminal, batch_id, body)

    # -- HTTP

    def _handle(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.requests.append(request)
            instead = self.script.pop(0) if self.script else None
            answer = self._answer(request) if instead is None or isinstance(instead, After) else None
            what = instead.what if isinstance(instead, After) else instead
            if isinstance(what, Exception):
                raise what
            return what or answer or problem(404, "not-found")

    def _answer(self, request: httpx.Request) -> httpx.Response:
        match = _ROUTE.fullmatch(request.url.path)
        if match is None:
            return problem(404, "not-found")
        body = request.content
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if match["kind"] == "activations":
            return self._activate()
        terminal = self._authenticate(request.headers.get("Authorization", ""))
        if terminal is None:
            return problem(401, "credential-invalid")
        if match["kind"] == "terminal":
            return self._terminal_call(terminal, match["id"], body)
        if match["kind"] == "store":
            return self._find(match["rest"], request.url.params) if match["rest"] else self._feed(request.url.params)
        if match["kind"] == "batches":
            known = self.receipts.get(match["id"])
            return _json(200, known) if known else problem(404, "not-found")
        return self._shift_call(terminal, request.method, match["id"], match["rest"], body)

    def _shift_call(self, terminal: str, method: str, shift_id: str, rest: str | None, body: bytes) -> httpx.Response:
        shift = self.shifts.get(shift_id)
        if method == "GET":
            return _json(200, self._view(shift_id, shift)) if shift else problem(404, "not-found")
        if rest is None:
            return self._open(terminal, shift_id, msgspec.json.decode(body))
        if shift is None:
            return problem(404, "shift-unknown")
        if rest == "close":
            return self._close(shift_id, shift, msgspec.json.decode(body))
        return self._receive(terminal, shift, shift_id, rest.removeprefix("batches/"), body)

    def _activate(self) -> httpx.Response:
        serial = next(self._serial)
        token, terminal = f"token-{serial}", f"0195d3a0-0000-7000-8000-{serial:012}"
        self._tokens[f"Bearer {token}"] = terminal
        return _json(201, {"terminal_id": terminal, "store": self.store, "token": token})

    def _authenticate(self, bearer: str) -> str | None:
        """The first use of a new token ends the one before (§3)."""
        terminal = self._tokens.get(bearer)
        if terminal is not None and self._unused.get(terminal) == bearer:
            del self._unused[terminal]
            self._tokens = {
                known: whose for known, whose in self._tokens.items() if whose != terminal or known == bearer
            }
        return terminal

    def _terminal_call(self, terminal: str, what: str | None, body: bytes) -> httpx.Response:
        if what == "heartbeat":
            self.heartbeats.append(msgspec.json.decode(body))
            return _json(200, self._beaten(terminal))
        return self._rotate(terminal) if what == "token" else self._terminal(terminal)

    def _rotate(self, terminal: str) -> httpx.Response:
        self._tokens.pop(self._unused.pop(terminal, ""), None)
        token = f"token-{next(self._serial)}"
        self._tokens[f"Bearer {token}"] = terminal
        self._unused[terminal] = f"Bearer {token}"
        return _json(201, {"token": token})

    def _beaten(self, terminal: str) -> dict[str, Any]:
        mine = {id_: shift for id_, shift in self.shifts.items() if shift.terminal == terminal}
        used = {order.body["number"] for order in self.orders.values() if order.terminal == terminal}
        wanted: set[int] = set()
        for shift in mine.values():
            declared = shift.declaration or {"last_number": max(used, default=0)}
            wanted |= set(range(shift.opening["first_number"], declared["last_number"] + 1))
        return {
            "server_time": "2026-03-01T10:00:00+00:00",
            "clock_skew_ms": 0,
            "missing_numbers": _ranges(sorted(wanted - used)),
            "open_shift_id": self._open_shift_of(terminal),
        }

    def _find(self, what: str, query: httpx.QueryParams) -> httpx.Response:
        """An order by its identifier, or by terminal and number (§8)."""
        wanted = (query.get("terminal_id"), query.get("number"))
        for order_id, order in self.orders.items():
            by_number = what == "by-number" and wanted == (order.terminal, str(order.body["number"]))
            if order.outcome == "posted" and (what == order_id or by_number):
                back = {"given_back": _given_back(order_id, self.orders.values())}
                return _json(200, {"order": order.body, "state": "posted", **_whose(order), **back})
        return problem(404, "not-found")

    def _feed(self, query: httpx.QueryParams) -> httpx.Response:
        posted = [order for order in self.orders.values() if order.outcome == "posted"]
        cursor = query.get("after", "c0")
        if not re.fullmatch(r"c[0-9]+", cursor):
            return problem(400, "cursor-invalid")
        start, limit = int(cursor[1:]), int(query.get("limit", "200"))
        page = posted[start : start + limit]
        more = len(posted) > start + limit
        answer = {"orders": [_told(order) for order in page], "next": f"c{start + len(page)}", "more": more}
        headers = {"Content-Type": "application/json", "Retry-After": "0" if more else str(self.feed_retry_after_s)}
        return httpx.Response(200, headers=headers, content=msgspec.json.encode(answer))

    def _open_shift_of(self, terminal: str) -> str | None:
        mine = {id_: shift for id_, shift in self.shifts.items() if shift.terminal == terminal}
        still = (id_ for id_, one in mine.items() if one.declaration is None and "closed_at" not in one.opening)
        return next(still, None)

    def _terminal(self, terminal: str) -> httpx.Response:
        opened = self._open_shift_of(terminal)
        numbers = [order.body["number"] for order in self.orders.values() if order.terminal == terminal]
        shifts = [shift.opening["number"] for shift in self.shifts.values() if shift.terminal == terminal]
        return _json(
            200,
            {
                "terminal_id": terminal,
                "last_number": max(numbers, default=None),
                "last_shift_number": max(shifts, default=None),
                "store": self.store,
                "server_time": "2026-03-01T10:00:00+00:00",
                "open_shift": opened and {"shift_id": opened, "number": self.shifts[opened].opening["number"]},
                "limits": self.limits,
            },
        )

    # -- the contract

    def _open(self, terminal: str, shift_id: str, opening: dict[str, Any]) -> httpx.Response:
        known = self.shifts.get(shift_id)
        if known:
            same = known.opening == opening
            return _json(200, self._view(shift_id, known)) if same else problem(422, "identifier-reused")
        other = self._open_shift_of(terminal)
        if other and "closed_at" not in opening:
            return problem(409, "shift-already-open", shift_id=other)
        self.shifts[shift_id] = FakeShift(terminal, opening)
        return _json(201, self._view(shift_id, self.shifts[shift_id]))

    def _receive(self, terminal: str, shift: FakeShift, shift_id: str, batch_id: str, body: bytes) -> httpx.Response:
        orders = msgspec.json.decode(body)["orders"]
        if len(orders) > self.limits["max_batch_orders"]:
            return problem(413, "too-large", limits=self.limits)
        digest = hashlib.sha256(body).digest()
        if batch_id in self.receipts:
            same = shift.batches.get(batch_id) == digest
            return _json(200, self.receipts[batch_id]) if same else problem(422, "identifier-reused")
        shift.batches[batch_id] = digest
        self.receipts[batch_id] = _receipt(batch_id, shift_id, len(orders))
        self._waiting.append((terminal, batch_id, body))
        if self.defer:
            return _json(202, self.receipts[batch_id])
        self.process()
        return _json(200, self.receipts[batch_id])

    def _process(self, terminal: str, batch_id: str, body: bytes) -> None:
        receipt = self.receipts[batch_id]
        outcomes = dict.fromkeys(("posted", "duplicate", "conflict", "held"), 0)
        for index, order in enumerate(msgspec.json.decode(body)["orders"]):
            outcome = self._place(terminal, receipt["shift_id"], order)
            outcomes[outcome] += 1
            if outcome != "posted":
                receipt["results"].append({"index": index, "order_id": order["order_id"], "outcome": outcome})
        receipt.update(state="processed", outcomes=outcomes)

    def _place(self, terminal: str, shift_id: str, order: dict[str, Any]) -> str:
        known = self.orders.get(order["order_id"])
        if known:
            return "duplicate" if _content(known.body) == _content(order) else "conflict"
        taken = any(
            other.terminal == terminal and other.body["number"] == order["number"] for other in self.orders.values()
        )
        paid = sum(payment["amount"] for payment in order["payments"])
        unpaid = order["status"] == "paid" and paid != order["total"] + order["tip"]
        outcome = "conflict" if taken else "held" if unpaid else "posted"
        self.orders[order["order_id"]] = FakeOrder(terminal, shift_id, order, outcome)
        return outcome

    def _close(self, shift_id: str, shift: FakeShift, declaration: dict[str, Any]) -> httpx.Response:
        if shift.declaration is not None and shift.declaration != declaration:
            return problem(422, "identifier-reused", declared=_standing(shift.declaration))
        shift.declaration = declaration
        return _json(202, self._view(shift_id, shift))

    def _view(self, shift_id: str, shift: FakeShift) -> dict[str, Any]:
        here = [order for order in self.orders.values() if order.shift_id == shift_id]
        computed = _totals([order.body for order in here if order.outcome == "posted"])
        held = sum(order.outcome != "posted" for order in here)
        opening = {name: shift.opening[name] for name in _OPENING}
        view = {"shift_id": shift_id, **opening, "state": "open", "computed": computed, "held": held, "late": 0}
        declared = shift.declaration
        if declared is None:
            return view
        arrived = {order.body["number"] for order in self.orders.values() if order.terminal == shift.terminal}
        gaps = sorted(set(range(declared["first_number"], declared["last_number"] + 1)) - arrived)
        waiting = {batch_id for _, batch_id, _ in self._waiting}
        unread = [id_ for id_ in declared["batches"] if id_ not in shift.batches or id_ in waiting]
        agreed = held == 0 and {**declared["totals"], "order_count": declared["order_count"]} == computed
        state = "closing" if gaps or unread or self._waiting else "reconciled" if agreed else "discrepant"
        return {
            **view,
            "state": state,
            "missing_batches": unread,
            "missing_numbers": _ranges(gaps),
            "declared": declared,
        }


def _standing(declaration: dict[str, Any]) -> dict[str, Any]:
    """The close that stands, its batches counted and not listed (§6)."""
    counted = {"batch_count": len(declaration["batches"])}
    return {name: value for name, value in declaration.items() if name != "batches"} | counted


def _receipt(batch_id: str, shift_id: str, orders: int) -> dict[str, Any]:
    nothing: dict[str, Any] = {"outcomes": {}, "results": []}
    told = {"batch_id": batch_id, "shift_id": shift_id, "state": "received", "orders": orders}
    return {**told, **copy.deepcopy(nothing), "movements": nothing}


def _told(order: FakeOrder) -> dict[str, Any]:
    names = ("order_id", "number", "kind", "total", "mode", "closed_at")
    return {**{name: order.body[name] for name in names}, **_whose(order), "terminal": order.terminal}


def _whose(order: FakeOrder) -> dict[str, Any]:
    return {
        "terminal_id": order.terminal,
        "terminal_name": f"Till {int(order.terminal[-12:])}",
        "shift_id": order.shift_id,
        "posted_at": "2026-03-01T10:00:00.5Z",
    }


def _given_back(order_id: str, others: Iterable[FakeOrder]) -> dict[str, Any]:
    found = []
    for other in others:
        amount = sum(-line["amount"] for line in other.body["lines"] if _gives_back(other.body, line) == order_id)
        if other.outcome == "posted" and amount:
            names = {name: other.body[name] for name in ("order_id", "number", "closed_at")}
            found.append({**names, "terminal_id": other.terminal, "amount": amount})
    return {"amount": sum(one["amount"] for one in found), "by": found}


def _gives_back(order: dict[str, Any], line: dict[str, Any]) -> str | None:
    """The order that a negative line gives back."""
    return (line.get("refund_of") or order["refund_of"]) if line["amount"] < 0 else None


def _content(order: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in order.items() if key not in ("mode", "printed_to")}


def _totals(orders: list[dict[str, Any]]) -> dict[str, Any]:
    paid = [order for order in orders if order["status"] == "paid"]
    payments: dict[str, int] = {}
    for payment in (payment for order in paid for payment in order["payments"]):
        payments[payment["method"]] = payments.get(payment["method"], 0) + payment["amount"]
    return {
        "order_count": len(orders),
        "sales": sum(order["total"] for order in paid if order["kind"] == "sale"),
        "refunds": sum(order["total"] for order in paid if order["kind"] == "refund"),
        "tax": sum(tax["amount"] for order in paid for line in order["lines"] for tax in line["taxes"]),
        "tips": sum(order["tip"] for order in paid),
        "rounding": sum(order["rounding"] for order in paid),
        "payments": payments,
    }


def _ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def _json(status: int, body: object) -> httpx.Response:
    return httpx.Response(status, headers={"Content-Type": "application/json"}, content=msgspec.json.encode(body))
