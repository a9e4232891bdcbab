"""Bodies that were made to hurt: small as sent, large or slow once they are read."""

import gzip
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

MEBIBYTE = 2**20
DECODED = 8 * MEBIBYTE  # the most that a batch may be (protocol §4)
TODAY = datetime.combine(datetime.now(UTC), datetime.min.time(), UTC)


def zipped(body: bytes) -> bytes:
    """As a terminal compresses it."""
    return gzip.compress(body, compresslevel=6, mtime=0)


def repeated(part: str, *, begin: str = "[", end: str = "]", size: int = DECODED) -> bytes:
    """`part` again and again, with commas between, as much as fits."""
    room = size - len(begin) - len(end)
    return (begin + ",".join([part] * (room // (len(part.encode()) + 1))) + end).encode()


def repeated_lists() -> list[bytes]:
    """A list's name again and again, with fields and numbers of cards in each."""
    return [
        repeated('"orders":[{"cvv":1}]', begin="{", end="}"),
        repeated('"cash_movements":[{"pan":"4111111111111111"}]', begin="{", end="}"),
        repeated('"orders":[{"note":"4111 1111 1111 1111"}],"cash_movements":[]', begin="{", end="}"),
        repeated('{"cvv":[{"cvv":1}]}', begin='{"orders":[{"x":[', end="]}]}", size=DECODED // 4),
    ]


def small_members() -> list[bytes]:
    """Fifty kilobytes as sent, millions of small objects once they are read; lone surrogates take the longer way."""
    return [
        repeated('{"":0}', begin='{"orders":["\\ud800"],"x":[', end="]}"),
        repeated('{"":0}', begin='{"orders":[{"x":[', end="]}]}"),
        repeated('{"":0}', begin='{"orders":[', end="]}"),
        repeated("[]", begin='{"orders":["\\ud800"],"\\ud800":[', end="]}"),
        repeated('"\\ud800":0', begin='{"orders":[{', end="}]}"),
        repeated('{"a":{}}', begin='{"orders":[],"cash_movements":[],"x":{"y":[', end="]}}"),
    ]


def large_members() -> list[bytes]:
    """Members just below and just above the largest that is read (256 KiB), as many as fit."""
    below = repeated('{"":0}', begin='{"x":[', end="]}", size=250 * 1024).decode()
    above = repeated('{"":0}', begin='{"x":["\\ud800",', end="]}", size=300 * 1024).decode()
    lines = json.dumps(an_order(1, lines=repeat_line(500), note="x" * 200_000))
    return [
        repeated(below, begin='{"orders":[', end="]}"),
        repeated(above, begin='{"orders":[', end="]}"),
        repeated(lines, begin='{"orders":[', end="]}"),
    ]


def repeat_line(count: int) -> list[dict[str, Any]]:
    """Lines that cost nothing."""
    return [{"sku": "FREE", "name": "Free", "quantity": "1", "unit_price": 0, "amount": 0, "taxes": []}] * count


def an_order(number: int, **changes: Any) -> dict[str, Any]:
    """A sale at noon of today, paid by card, but for the changes."""
    at = (TODAY + timedelta(hours=12)).isoformat()
    order = {
        "order_id": str(uuid4()), "number": number, "mode": "offline", "kind": "sale", "status": "paid", "type": None,
        "opened_at": at, "closed_at": at, "cashier": "", "refund_of": None, "note": "", "rounding": 0, "tip": 0,
        "lines": [{"sku": "A", "name": "A", "quantity": "1", "unit_price": 500, "amount": 500, "taxes": []}],
        "total": 500, "payments": [{"method": "card", "amount": 500, "reference": f"{number}"}],
    }  # fmt: skip
    return order | changes


def many_lines(count: int, *, first_number: int) -> list[dict[str, Any]]:
    """Orders of as many lines as an order may have."""
    orders = [an_order(first_number + place, lines=repeat_line(500)) for place in range(count)]
    return [order | {"total": 0, "payments": []} for order in orders]


def a_batch(orders: Iterable[dict[str, Any]]) -> bytes:
    """Their body."""
    return json.dumps({"orders": list(orders)}, separators=(",", ":")).encode()


def an_opening(number: int, *, at: datetime = TODAY, first_number: int = 1, **changes: Any) -> bytes:
    """Of a shift with an empty drawer."""
    message = {"number": number, "opened_at": at.isoformat(), "opening_float": 0, "first_number": first_number}
    return json.dumps(message | changes).encode()


def a_close(*, at: datetime = TODAY, first: int = 1, last: int = 0, **changes: Any) -> bytes:
    """Declares no money at all."""
    totals = {"sales": 0, "refunds": 0, "tax": 0, "tips": 0, "rounding": 0, "payments": {}}
    message = {
        "closed_at": (at + timedelta(hours=10)).isoformat(), "batches": [], "order_count": max(0, last - first + 1),
        "first_number": first, "last_number": last, "cash_counted": 0, "totals": totals,
    }  # fmt: skip
    return json.dumps(message | changes).encode()
