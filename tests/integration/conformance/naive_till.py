"""A small till that follows the protocol, and any number of flaws that tills have: for telling which rule tells of which.

It speaks to the kit directly, on a clock of its own, so that a whole scenario takes no time.
"""

import contextlib
import copy
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from backoffice.workbench.conformance.office import Office
from backoffice.workbench.conformance.traffic import Answer

Json = dict[str, Any]
RETRYABLE = {408, 429, 500, 503}
MOST_TRIES = 500
MOST_ROUNDS = 40
A_REFUND = 6


class Clock:
    """Seconds that pass when somebody sleeps, and a little with every look."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        self.now_s += 0.001
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def now() -> str:
    return datetime.now(UTC).isoformat()


def movement() -> Json:
    return {
        "movement_id": str(uuid.uuid4()),
        "kind": "cash_in",
        "amount": 5000,
        "reason": "change",
        "occurred_at": now(),
    }


def order(number: int, mode: str) -> Json:
    tax = {"code": "FR-5.5", "rate": "0.055", "amount": 13}
    return {
        "order_id": str(uuid.uuid4()), "number": number, "mode": mode, "kind": "sale", "status": "paid",
        "opened_at": now(), "closed_at": now(),
        "lines": [{"quantity": "2", "unit_price": 120, "amount": 240, "taxes": [tax]}],
        "total": 240, "tip": 10, "payments": [{"method": "cash", "amount": 250, "tendered": 300, "change": 50}],
    }  # fmt: skip


def code(told: Json) -> str:
    """The code of a problem, "" of any other answer."""
    return str(told.get("type", "")).rpartition("/")[2] if "instance" in told else ""


def refund_of(sold: Json, *, negative: bool) -> Json:
    """A refund of what was sold; `negative` as it must be, or with the signs of the sale."""
    back = {**sold, "order_id": str(uuid.uuid4()), "kind": "refund", "refund_of": sold["order_id"], "tip": 0}
    back["payments"] = [{"method": "cash", "amount": 240}]
    if negative:
        line = {**sold["lines"][0], "quantity": "-2", "amount": -240}
        line["taxes"] = [{**line["taxes"][0], "amount": -13}]
        back |= {"lines": [line], "total": -240, "payments": [{"method": "cash", "amount": -240}]}
    return back


class NaiveTill:
    """Keeps everything in memory. `flaws` are names of what it does wrong."""

    def __init__(self, *flaws: str, seed: int = 1) -> None:
        self.flaws = set(flaws)
        self.clock = Clock()
        self.office = Office(seed=seed, clock=self.clock)
        self.token = ""
        self.number = 1
        self.shift = ""
        self.orders: dict[str, dict[int, Json]] = {}
        self.batches: dict[str, dict[str, bytes]] = {}
        self.moved: dict[str, list[Json]] = {}
        self.pending: list[tuple[str, str, list[Json]]] = []
        self.refused: list[tuple[str, str, list[Json]]] = []
        self.closes: dict[str, Json] = {}
        self.openings: dict[str, Json] = {}
        self.cursor: str | None = None
        self.in_a_batch = 8
        self.has_refunded = False

    # -- sending

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[Answer | None, Json]:
        """One request; None for an answer that did not arrive whole."""
        told = {"content-type": "application/json", "content-length": str(len(body)), **headers}
        if self.token:
            told["authorization"] = f"Bearer {self.token}"
            if "token-in-address" in self.flaws:
                path += ("&" if "?" in path else "?") + f"token={self.token}"
        answer = self.office.handle(method, f"/api/v1/{path}", told, body)
        return (answer, json.loads(answer.encoded)) if answer.manner == "whole" else (None, {})

    def insist(self, method: str, path: str, body: bytes = b"") -> tuple[Answer, Json]:
        """The first final answer, after growing distances."""
        distance_s = 0.5 if "fixed-500-ms" in self.flaws else 0.2
        for _ in range(MOST_TRIES):
            answer, told = self.call(method, path, body)
            if answer is not None and answer.status not in RETRYABLE and code(told) != "digest-mismatch":
                return answer, told
            asked_s = (answer and answer.retry_after_s) or 0
            self.clock.sleep(0.01 if "hammers" in self.flaws else max(distance_s, asked_s))
            if not self.flaws & {"fixed-200-ms", "fixed-500-ms"}:
                distance_s = min(5.0, distance_s * 2)
        raise AssertionError(f"no answer to {method} {path}")

    def send(self, shift: str, batch_id: str, orders: list[Json]) -> None:
        """One batch, until it is taken or refused for good."""
        content = {"sent_at": now(), "orders": orders, "cash_movements": self.moved.get(batch_id, [])}
        body = self.batches[shift].setdefault(batch_id, json.dumps(content).encode())
        path = f"shifts/{shift}/batches/{batch_id}"
        if self.flaws & {"fresh-ids", "renumbers", "drops-unanswered", "changes-content"}:
            answer, told = self.call("PUT", path, body)
            if answer is None or answer.status in RETRYABLE or code(told) == "digest-mismatch":
                self.clock.sleep(0.01 if "hammers" in self.flaws else (answer and answer.retry_after_s) or 2)
                self.send_wrongly(shift, batch_id, orders)
                return
        else:
            answer, told = self.insist("PUT", path, body)
        self.read(answer, told, shift, batch_id, orders)

    def send_wrongly(self, shift: str, batch_id: str, orders: list[Json]) -> None:
        if "drops-unanswered" in self.flaws:
            for one in orders:
                del self.orders[shift][one["number"]]
            return
        if "changes-content" in self.flaws:
            self.flaws.remove("changes-content")
            self.batches[shift][batch_id] += b" "
            self.send(shift, batch_id, orders)
            return
        for one in orders:
            one["order_id"] = str(uuid.uuid4())
            if "renumbers" in self.flaws:
                del self.orders[shift][one["number"]]
                one["number"], self.number = self.number, self.number + 1
                self.orders[shift][one["number"]] = one
        del self.batches[shift][batch_id]
        self.send(shift, str(uuid.uuid4()), orders)

    def read(self, answer: Answer, told: Json, shift: str, batch_id: str, orders: list[Json]) -> None:
        problem = code(told)
        if answer.status == 202 and "never-reads-receipts" not in self.flaws:
            self.read_receipt(batch_id)
        elif answer.status == 401:
            self.pending.insert(0, (shift, batch_id, orders))
        elif problem == "shift-unknown":
            self.insist("PUT", f"shifts/{shift}", json.dumps(self.openings[shift]).encode())
            self.send(shift, batch_id, orders)
        elif problem == "identifier-reused" and "never-renames" in self.flaws:
            self.send(shift, batch_id, orders)
        elif problem == "identifier-reused":
            self.in_parts(shift, batch_id, [orders])
        elif problem in {"too-large", "body-malformed"} and len(orders) > 1:
            size = len(orders) // 2 if problem == "too-large" or "halves-always" in self.flaws else 1
            self.in_parts(shift, batch_id, [orders[at : at + size] for at in range(0, len(orders), size)])
        elif answer.status >= 400:
            self.refused.append((shift, batch_id, orders))

    def read_receipt(self, batch_id: str) -> None:
        for _ in range(MOST_ROUNDS):
            if self.insist("GET", f"batches/{batch_id}")[1]["state"] == "processed":
                return
            self.clock.sleep(1)

    def in_parts(self, shift: str, batch_id: str, parts: list[list[Json]]) -> None:
        del self.batches[shift][batch_id]
        for index, part in enumerate(parts):
            smaller = str(uuid.uuid4())
            if index == 0 and batch_id in self.moved and "loses-movements" not in self.flaws:
                new = {"movement_id": str(uuid.uuid4())} if "new-movement-ids" in self.flaws else {}
                self.moved[smaller] = [one | new for one in self.moved[batch_id]]
            self.send(shift, smaller, part)

    # -- selling

    def sell(self, mode: str = "online") -> Json:
        if "always-offline" in self.flaws or "always-online" in self.flaws:
            mode = "offline" if "always-offline" in self.flaws else "online"
        sold = order(self.number, mode)
        if self.number >= A_REFUND and not self.has_refunded:
            self.has_refunded = True
            sold = refund_of(sold | {"order_id": next(iter(self.orders[self.shift].values()))["order_id"]},
                             negative="positive-refund" not in self.flaws)  # fmt: skip
        self.number += 2 if "skips-a-number" in self.flaws and self.number == 3 else 1
        if "money-as-float" in self.flaws and sold["number"] == 4:
            sold["lines"][0]["discount"] = 0.0
        if "customer-offline" in self.flaws and mode == "offline":
            sold |= {"customer": {"name": "Leroy"}, "printed_to": "network"}
        if "wrong-total" in self.flaws and sold["number"] == 4:
            sold["total"] += 1
        self.orders[self.shift][sold["number"]] = sold
        return sold

    def sell_live(self) -> None:
        self.send(self.shift, str(uuid.uuid4()), [self.sell()])

    def deliver(self) -> None:
        waiting, self.pending, self.refused = [*self.pending, *self.refused], [], []
        for shift, batch_id, orders in waiting:
            self.send(shift, batch_id, orders)

    # -- shifts

    def open_shift(self) -> None:
        self.shift = str(uuid.uuid4())
        self.orders[self.shift], self.batches[self.shift] = {}, {}
        opening = {
            "number": len(self.openings) + 1,
            "opened_at": now(),
            "opening_float": 100,
            "first_number": self.number,
        }
        self.openings[self.shift] = opening
        self.insist("PUT", f"shifts/{self.shift}", json.dumps(opening).encode())

    def close_shift(self, **changes: object) -> None:
        orders = self.orders[self.shift].values()
        wrong = 1 if "wrong-sums" in self.flaws else 0
        total = {kind: sum(one["total"] for one in orders if one["kind"] == kind) for kind in ("sale", "refund")}
        tax = sum(tax["amount"] for one in orders for tax in one["lines"][0]["taxes"])
        cash = sum(one["payments"][0]["amount"] for one in orders)
        self.closes[self.shift] = {
            "closed_at": now(), "batches": list(self.batches[self.shift]), "order_count": len(orders),
            "first_number": self.openings[self.shift]["first_number"], "last_number": self.number - 1, "cash_counted": 100,
            "totals": {"sales": total["sale"] + wrong, "refunds": total["refund"], "tax": tax,
                       "tips": sum(one["tip"] for one in orders), "rounding": 0, "payments": {"cash": cash}},
        } | changes  # fmt: skip
        self.insist("PUT", f"shifts/{self.shift}/close", json.dumps(self.closes[self.shift]).encode())

    def look_after(self) -> None:
        """Asks how each closed shift is, and sends what is missing."""
        for shift, close in self.closes.items():
            answer, told = self.insist("GET", f"shifts/{shift}")
            if answer.status == 200 and told["state"] == "open":
                self.insist("PUT", f"shifts/{shift}/close", json.dumps(close).encode())
                _, told = self.insist("GET", f"shifts/{shift}")
            self.send_missing(told.get("missing_numbers", []))

    def send_missing(self, ranges: list[list[int]]) -> None:
        if "forgets" in self.flaws:
            return
        for first, last in ranges:
            for shift, orders in self.orders.items():
                for number in [n for n in orders if first <= n <= last]:
                    self.send(shift, str(uuid.uuid4()), [orders[number]])

    # -- the rest

    def beat(self) -> None:
        waiting = sum(len(orders) for _, _, orders in [*self.pending, *self.refused])
        beat = {
            "sent_at": now(), "offline_mode": False, "cached_orders": waiting, "cached_total": 240 * waiting,
            "oldest_cached_at": now() if waiting else None, "last_number": self.number - 1 or None,
            "shift_id": None if self.shift in self.closes else self.shift,
        }  # fmt: skip
        if "silent-heartbeat" in self.flaws:
            del beat["last_number"]
            beat |= {"shift_id": None, "oldest_cached_at": None}
        if "strange-heartbeat" in self.flaws:
            beat["shift_id"] = str(uuid.uuid4())
        _, told = self.insist("PUT", "terminal/heartbeat", json.dumps(beat).encode())
        self.send_missing(told["missing_numbers"])

    def change_token(self) -> None:
        _, told = self.insist("POST", "terminal/token", b"{}")
        old, self.token = self.token, told["token"]
        self.insist("GET", "terminal")
        if "keeps-the-old-token" in self.flaws:
            new, self.token = self.token, old
            self.call("GET", "terminal")
            self.token = new

    def follow(self) -> None:
        for _ in range(MOST_ROUNDS):
            answer, told = self.insist("GET", "store/orders" + (f"?after={self.cursor}" if self.cursor else ""))
            if answer.status == 400:
                self.cursor = None
                continue
            self.cursor = told["next"].lower() if "spells-the-cursor" in self.flaws else told["next"]
            if "polls-always" not in self.flaws:
                self.clock.sleep(answer.retry_after_s or 0)
            if not told["more"]:
                return

    def activate(self, activation_code: str) -> None:
        before, self.token = self.token, ""
        body = json.dumps({"activation_code": activation_code, "device": {"name": "Naive"}}).encode()
        _, told = self.insist("POST", "activations", body)
        self.token = before
        self.token = told["token"]

    # -- the scenario

    def until(self, step: int, call: Callable[[], object]) -> None:
        """Repeats a step until it is done; a flawed till may never come to that."""
        for _ in range(MOST_ROUNDS):
            if not any(left.startswith(f"{step}.") for left in self.office.steps_left):
                return
            call()

    def work(self) -> None:
        codes = self.office.floor.credentials.codes
        self.activate(codes[0])
        self.open_shift()
        self.until(3, self.sell_live)
        self.beat()
        self.change_token()
        for _ in range(3):
            self.follow()
        cached = [copy.copy(self.sell("offline")) for _ in range(8)]
        size = self.in_a_batch
        for at in range(0, len(cached), size):
            batch_id = str(uuid.uuid4())
            if at == 0 and "moves-nothing" not in self.flaws:
                self.moved[batch_id] = [movement()]
            self.send(self.shift, batch_id, cached[at : at + size])
        self.until(7, self.deliver)
        self.sell_live()
        for _ in range(5 if "ignores-401" in self.flaws else 0):
            self.call("GET", "terminal")
        for _ in range(2):
            self.pending.append((self.shift, str(uuid.uuid4()), [self.sell("offline")]))
        with contextlib.suppress(KeyError):  # a flawed till may not have come as far as this
            self.activate(codes[1])
        self.deliver()
        if "opens-twice" in self.flaws:
            self.call("PUT", f"shifts/{uuid.uuid4()}", json.dumps(self.openings[self.shift] | {"number": 9}).encode())
        self.close_shift()
        self.until(9, self.look_after)
        self.open_shift()
        self.sell_live()
        self.sell_live()
        self.until(10, self.beat)
        self.close_shift()
        self.until(11, self.look_after)
