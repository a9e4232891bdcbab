"""The store's feed: the terminal's orders and those of another till, in small pages (protocol §8)."""

import base64
from random import Random
from typing import Any
from uuid import UUID

from backoffice.domain.orders import Order
from backoffice.workbench.conformance.notes import Notebook
from backoffice.workbench.conformance.pace import TOLERANCE_S
from backoffice.workbench.conformance.traffic import RETRY_AFTER, Answer, Request, problem_answer

PAGE = 3
NEIGHBOURS_ORDERS = 5
POLL_AGAIN_S = 1
TERMINAL_NAME = "Terminal under test"


class Feed:
    """Each order once, in the order of posting; restoring the books does not change it."""

    def __init__(self, rng: Random, notes: Notebook, *, now: str) -> None:
        self._notes = notes
        self._salt = rng.randrange(1_000, 10_000)
        self._orders: list[dict[str, Any]] = []
        self._ids: set[UUID] = set()
        self._given: str | None = None
        self._due_at: float | None = None
        self.is_read_out = False
        neighbour = str(UUID(int=rng.getrandbits(128), version=4))
        for number in range(1, NEIGHBOURS_ORDERS + 1):
            order_id = str(UUID(int=rng.getrandbits(128), version=4))
            entry = {
                "order_id": order_id,
                "number": number,
                "terminal": neighbour,
                "terminal_id": neighbour,
                "terminal_name": "The neighbour",
                "kind": "sale",
                "total": 100 * number,
            }
            self._orders.append({**entry, "mode": "online", "closed_at": now, "posted_at": now})

    def post(self, order: Order, *, terminal: str, now: str) -> None:
        """Adds one of the terminal's own orders, which is in the books."""
        if order.status == "paid" and order.order_id not in self._ids:
            self._ids.add(order.order_id)
            whose = {"terminal": terminal, "terminal_id": terminal, "terminal_name": TERMINAL_NAME}
            entry = {"order_id": str(order.order_id), "number": order.number, **whose, "kind": order.kind}
            times = {"closed_at": order.closed_at.isoformat(), "posted_at": now}
            self._orders.append({**entry, "total": order.total, "mode": order.mode, **times})

    def page(self, request: Request, *, is_lost: bool) -> Answer:
        """The page after the cursor of a request. A lost page does not count as given."""
        self._look(request)
        cursor = request.query.get("after")
        at = 0 if cursor is None else self._read(cursor)
        if at is None:
            self._given = None  # it has to start again
            return problem_answer("cursor-invalid")
        limit = request.query.get("limit", "")
        size = max(1, min(PAGE, int(limit) if limit.isdigit() else PAGE))
        orders = self._orders[at : at + size]
        following, more = self._cursor(at + len(orders)), len(self._orders) > at + size
        retry_after_s = 0 if more else POLL_AGAIN_S
        if not is_lost:
            self._given, self._due_at = following, request.at + retry_after_s
            self.is_read_out = self.is_read_out or not more
        body = {"orders": orders, "next": following, "more": more}
        return Answer(200, body, {RETRY_AFTER: str(retry_after_s)}, manner="lost" if is_lost else "whole")

    def _look(self, request: Request) -> None:
        cursor = request.query.get("after")
        what = f"it asked {_from(cursor)}, and the last answer said to go on {_from(self._given)}"
        self._notes.note("cursor", right=cursor == self._given, what=what)
        if self._due_at is not None:
            early_s = self._due_at - request.at
            self._due_at = None
            self._notes.note("feed-pace", right=early_s <= TOLERANCE_S, what=f"asked {early_s:.1f} s too early")

    def _cursor(self, at: int) -> str:
        return base64.urlsafe_b64encode(f"{self._salt}-{at}".encode()).decode().rstrip("=")

    def _read(self, cursor: str) -> int | None:
        known = {self._cursor(at): at for at in range(len(self._orders) + 1)}
        return known.get(cursor)


def _from(cursor: str | None) -> str:
    return "from the beginning" if cursor is None else f"after {cursor}"
