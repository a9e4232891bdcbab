"""The examples in the OpenAPI document: a terminal's day, request by request with the answers, and every problem.

The tests send each request to the service and compare the answers, so none of this can become untrue.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import to_builtins

from pos_api.problems import Problem

SHIFT_ID = "0195518b-07a0-7a6e-b2c4-6d0f3c1e8a01"
LIVE_ID = "0195518b-9c40-7e11-8f3d-52a7c0b4d901"
CACHE_ID = "0195518c-51e8-72f4-9a86-e1d3b7f05c02"


class Exchange(NamedTuple):
    """One request and its answer. `at` is the service's time, `operation` is written as "PUT /terminal"."""

    operation: str
    name: str
    at: str
    status: int
    answer: Any
    request: Any = None
    headers: Mapping[str, str] = {}
    query: str = ""

    def path(self) -> str:
        """The path below /api/v1, with the identifiers of the example, and the query."""
        identifiers = {
            "{shift_id}": SHIFT_ID,
            "{batch_id}": LIVE_ID if self.name == "live" else CACHE_ID,
            "{order_id}": LIVE["orders"][0]["order_id"],
        }
        path = self.operation.partition(" ")[2]
        for name, identifier in identifiers.items():
            path = path.replace(name, identifier)
        return path + self.query


ACTIVATION = json.loads("""
{"activation_code": "7KQF-2MXD-9RTV", "device": {"name": "Till 2", "model": "T8", "serial": "A1B2", "app_version": "4.1.0"}}
""")
OPENING = json.loads("""
{"number": 311, "opened_at": "2026-03-01T08:00:00+01:00", "cashier": "Anna", "opening_float": 20000, "first_number": 1001}
""")
LIVE = json.loads("""
{"sent_at": "2026-03-01T10:01:02+01:00", "orders": [
  {"order_id": "0195518b-9bd2-7c05-8a47-0d9e6f21b301", "number": 1001, "mode": "online", "kind": "sale", "status": "paid",
   "type": "takeaway", "opened_at": "2026-03-01T10:00:00+01:00", "closed_at": "2026-03-01T10:01:00+01:00", "cashier": "Anna",
   "lines": [{"sku": "BAG-TRAD", "name": "Baguette", "quantity": "2", "unit_price": 120, "amount": 240,
              "taxes": [{"code": "FR-5.5", "rate": "0.055", "amount": 13}]}],
   "total": 240, "payments": [{"method": "cash", "amount": 240, "tendered": 500, "change": 260}]}]}
""")
CACHE = json.loads("""
{"sent_at": "2026-03-01T18:02:00+01:00", "orders": [
  {"order_id": "0195518b-9bd2-7c05-8a47-0d9e6f21b301", "number": 1001, "mode": "offline", "kind": "sale", "status": "paid",
   "type": "takeaway", "opened_at": "2026-03-01T10:00:00+01:00", "closed_at": "2026-03-01T10:01:00+01:00", "cashier": "Anna",
   "lines": [{"sku": "BAG-TRAD", "name": "Baguette", "quantity": "2", "unit_price": 120, "amount": 240,
              "taxes": [{"code": "FR-5.5", "rate": "0.055", "amount": 13}]}],
   "total": 240, "payments": [{"method": "cash", "amount": 240, "tendered": 500, "change": 260}]},
  {"order_id": "0195518b-b6f0-7d42-9e55-7c80aa13f402", "number": 1002, "mode": "offline", "kind": "sale", "status": "paid",
   "type": "on_table", "opened_at": "2026-03-01T11:20:00+01:00", "closed_at": "2026-03-01T11:40:00+01:00", "cashier": "Anna",
   "customer": {"name": "Leroy"},
   "lines": [{"sku": "COF-S", "name": "Coffee", "quantity": "1", "unit_price": 250, "amount": 250,
              "taxes": [{"code": "FR-10", "rate": "0.1", "amount": 23}]}],
   "total": 250, "tip": 50, "payments": [{"method": "card", "amount": 300, "reference": "A7-0193"}]},
  {"order_id": "0195518b-c1a8-7f37-b0d9-19e4c2587503", "number": 1003, "mode": "offline", "kind": "refund", "status": "paid",
   "refund_of": "0195518b-9bd2-7c05-8a47-0d9e6f21b301",
   "opened_at": "2026-03-01T12:00:00+01:00", "closed_at": "2026-03-01T12:01:00+01:00", "cashier": "Anna",
   "lines": [{"sku": "BAG-TRAD", "name": "Baguette", "quantity": "-1", "unit_price": 120, "amount": -120,
              "taxes": [{"code": "FR-5.5", "rate": "0.055", "amount": -6}]}],
   "total": -120, "payments": [{"method": "cash", "amount": -120}]},
  {"order_id": "0195518b-d4b3-7068-a3f1-88c5e09d6604", "number": 1003, "mode": "offline", "kind": "sale", "status": "paid",
   "opened_at": "2026-03-01T12:30:00+01:00", "closed_at": "2026-03-01T12:31:00+01:00", "cashier": "Anna",
   "lines": [{"sku": "COF-S", "name": "Coffee", "quantity": "1", "unit_price": 250, "amount": 250}],
   "total": 250, "payments": [{"method": "cash", "amount": 250}]},
  {"order_id": "0195518b-e012-7b9c-8c64-4af7d36e5705", "number": 1004, "mode": "offline", "kind": "sale", "status": "paid",
   "opened_at": "2026-03-01T13:00:00+01:00", "closed_at": "2026-03-01T13:01:00+01:00", "cashier": "Anna",
   "lines": [{"sku": "COF-S", "name": "Coffee", "quantity": "1", "unit_price": 250, "amount": 250}],
   "total": 300, "payments": [{"method": "cash", "amount": 300}]}],
 "cash_movements": [
  {"movement_id": "0195518b-cf10-7e83-95aa-b1706d2c4801", "kind": "cash_in", "amount": 5000, "reason": "change",
   "occurred_at": "2026-03-01T12:15:00+01:00", "cashier": "Anna"}]}
""")
CLOSE = json.loads("""
{"closed_at": "2026-03-01T18:00:00+01:00",
 "batches": ["0195518b-9c40-7e11-8f3d-52a7c0b4d901", "0195518c-51e8-72f4-9a86-e1d3b7f05c02"],
 "order_count": 5, "first_number": 1001, "last_number": 1004, "carried_over": [], "cash_counted": 25650, "float_left": 20000,
 "totals": {"sales": 1040, "refunds": -120, "tax": 30, "tips": 50, "rounding": 0, "payments": {"cash": 670, "card": 300}}}
""")
STANDING_CLOSE = {name: value for name, value in CLOSE.items() if name != "batches"} | {
    "batch_count": len(CLOSE["batches"])
}
HEARTBEAT = json.loads("""
{"sent_at": "2026-03-01T18:01:00+01:00", "offline_mode": true, "cached_orders": 4, "cached_total": 680,
 "oldest_cached_at": "2026-03-01T11:40:00+01:00", "last_number": 1004, "shift_id": null, "app_version": "4.1.0"}
""")

STORE_JSON = """
{"id": "8bc5fd14-ee30-40cd-9291-34f36ddacaa9", "code": "PAR1", "name": "Paris Bastille", "timezone": "Europe/Paris",
 "currency": "EUR", "prices_include_tax": true}
"""
ACTIVATED = {
    "terminal_id": "7acfd9ee-dfed-41b2-837f-ee09a1a9da9e",
    "store": json.loads(STORE_JSON),
    "token": "XtDuwEv94lhf-iPDWSWhKU9OjpWd7kOHe6N4RACHKIw",  # an example  # nosec B105
}
# What opened the shift, in every answer about it.
OPENED_WITH = json.loads("""
{"shift_id": "0195518b-07a0-7a6e-b2c4-6d0f3c1e8a01", "number": 311, "business_date": "2026-03-01",
 "opened_at": "2026-03-01T07:00:00Z", "cashier": "Anna", "opening_float": 20000, "first_number": 1001, "flags": [],
 "explained_numbers": []}
""")
OPENED = OPENED_WITH | json.loads("""
{"state": "open", "z_number": null,
 "missing_batches": [], "missing_numbers": [], "declared": null,
 "computed": {"order_count": 0, "sales": 0, "refunds": 0, "tax": 0, "tips": 0, "rounding": 0, "payments": {}},
 "differences": [], "cash": {"expected": 20000, "counted": null, "over_short": null}, "held": 0, "late": 0}
""")
SOLD_LIVE = json.loads("""
{"batch_id": "0195518b-9c40-7e11-8f3d-52a7c0b4d901", "shift_id": "0195518b-07a0-7a6e-b2c4-6d0f3c1e8a01", "state": "processed",
 "received_at": "2026-03-01T09:01:02.222524Z", "processed_at": "2026-03-01T09:01:02.222524Z",
 "orders": 1, "outcomes": {"posted": 1, "duplicate": 0, "conflict": 0, "held": 0}, "results": [],
 "movements": {"outcomes": {"posted": 0, "duplicate": 0, "conflict": 0, "held": 0}, "results": []}}
""")
TERMINAL = {
    "terminal_id": ACTIVATED["terminal_id"],
    "name": "Till 2",
    "last_number": 1001,
    "last_shift_number": 311,
    "store": ACTIVATED["store"],
    "server_time": "2026-03-01T09:05:00.294420Z",
    "open_shift": {"shift_id": SHIFT_ID, "number": 311},
    **json.loads("""
{"settings": {"max_order_total": null, "min_refund_total": null, "refund_days": null,
              "order_types": ["delivery", "on_table", "takeaway"],
              "cash_reasons": ["change", "float", "safe_drop", "tips"],
              "payment_methods": ["bank_transfer", "card", "cash", "gift_card", "on_account", "points", "voucher", "wallet"],
              "rounding_step": null, "rounding_mode": null, "max_over_short": null},
 "limits": {"max_batch_orders": 2000, "max_batch_bytes": 4194304, "max_decoded_bytes": 8388608, "max_member_bytes": 262144}}
"""),
}
CLOSING = json.loads("""
{"state": "closing", "z_number": null,
 "missing_batches": ["0195518c-51e8-72f4-9a86-e1d3b7f05c02"], "missing_numbers": [[1002, 1004]],
 "computed": {"order_count": 1, "sales": 240, "refunds": 0, "tax": 13, "tips": 0, "rounding": 0, "payments": {"cash": 240}},
 "differences": [{"what": "order_count", "declared": 5, "computed": 1, "difference": 4},
                 {"what": "sales", "declared": 1040, "computed": 240, "difference": 800},
                 {"what": "refunds", "declared": -120, "computed": 0, "difference": -120},
                 {"what": "tax", "declared": 30, "computed": 13, "difference": 17},
                 {"what": "tips", "declared": 50, "computed": 0, "difference": 50},
                 {"what": "payments.card", "declared": 300, "computed": 0, "difference": 300},
                 {"what": "payments.cash", "declared": 670, "computed": 240, "difference": 430}],
 "cash": {"expected": 20240, "counted": 25650, "over_short": 5410}, "held": 0, "late": 0}
""") | {**OPENED_WITH, "declared": CLOSE}
SETTLED = json.loads("""
{"state": "discrepant", "z_number": 1,
 "missing_batches": [], "missing_numbers": [],
 "computed": {"order_count": 3, "sales": 490, "refunds": -120, "tax": 30, "tips": 50, "rounding": 0,
              "payments": {"card": 300, "cash": 120}},
 "differences": [{"what": "order_count", "declared": 5, "computed": 3, "difference": 2},
                 {"what": "sales", "declared": 1040, "computed": 490, "difference": 550},
                 {"what": "payments.cash", "declared": 670, "computed": 120, "difference": 550}],
 "cash": {"expected": 25120, "counted": 25650, "over_short": 530}, "held": 2, "late": 0}
""") | {**OPENED_WITH, "declared": CLOSE}
BEATEN = json.loads("""
{"server_time": "2026-03-01T17:00:59.400000Z", "clock_skew_ms": 600, "missing_numbers": [[1002, 1004]], "open_shift_id": null,
 "checkpoint": null}
""")
RECEIVED = json.loads("""
{"batch_id": "0195518c-51e8-72f4-9a86-e1d3b7f05c02", "shift_id": "0195518b-07a0-7a6e-b2c4-6d0f3c1e8a01", "state": "received",
 "received_at": "2026-03-01T17:02:00.600000Z", "processed_at": null,
 "orders": 5, "outcomes": {"posted": 0, "duplicate": 0, "conflict": 0, "held": 0}, "results": [],
 "movements": {"outcomes": {"posted": 0, "duplicate": 0, "conflict": 0, "held": 0}, "results": []}}
""")
PROCESSED = RECEIVED | json.loads("""
{"state": "processed", "processed_at": "2026-03-01T17:02:01.100000Z",
 "outcomes": {"posted": 2, "duplicate": 1, "conflict": 1, "held": 1},
 "results": [
  {"index": 0, "order_id": "0195518b-9bd2-7c05-8a47-0d9e6f21b301", "number": 1001, "outcome": "duplicate", "reasons": [],
   "decision": null},
  {"index": 1, "order_id": "0195518b-b6f0-7d42-9e55-7c80aa13f402", "number": 1002, "outcome": "posted", "decision": null,
   "reasons": [{"code": "customer-on-offline-order", "pointer": "/customer",
                "detail": "A terminal that is offline knows no customers"}]},
  {"index": 3, "order_id": "0195518b-d4b3-7068-a3f1-88c5e09d6604", "number": 1003, "outcome": "conflict", "decision": null,
   "reasons": [{"code": "number-already-used", "pointer": "/number",
                "detail": "Another order of this terminal has this number"}]},
  {"index": 4, "order_id": "0195518b-e012-7b9c-8c64-4af7d36e5705", "number": 1004, "outcome": "held", "decision": null,
   "reasons": [{"code": "sums-do-not-add-up", "pointer": "/total", "detail": "The total is 300, the lines come to 250"}]}],
 "movements": {"outcomes": {"posted": 1, "duplicate": 0, "conflict": 0, "held": 0}, "results": []}}
""")
FEED = json.loads("""
{"orders": [
  {"order_id": "0195518b-9bd2-7c05-8a47-0d9e6f21b301", "number": 1001, "terminal": "7acfd9ee-dfed-41b2-837f-ee09a1a9da9e",
   "terminal_id": "7acfd9ee-dfed-41b2-837f-ee09a1a9da9e", "terminal_name": "Till 2",
   "kind": "sale", "total": 240, "mode": "online", "closed_at": "2026-03-01T09:01:00Z", "posted_at": "2026-03-01T09:01:02.222524Z"},
  {"order_id": "0195518b-b6f0-7d42-9e55-7c80aa13f402", "number": 1002, "terminal": "7acfd9ee-dfed-41b2-837f-ee09a1a9da9e",
   "terminal_id": "7acfd9ee-dfed-41b2-837f-ee09a1a9da9e", "terminal_name": "Till 2",
   "kind": "sale", "total": 250, "mode": "offline", "closed_at": "2026-03-01T10:40:00Z", "posted_at": "2026-03-01T17:02:01.100000Z"},
  {"order_id": "0195518b-c1a8-7f37-b0d9-19e4c2587503", "number": 1003, "terminal": "7acfd9ee-dfed-41b2-837f-ee09a1a9da9e",
   "terminal_id": "7acfd9ee-dfed-41b2-837f-ee09a1a9da9e", "terminal_name": "Till 2",
   "kind": "refund", "total": -120, "mode": "offline", "closed_at": "2026-03-01T11:01:00Z", "posted_at": "2026-03-01T17:02:01.100000Z"}],
 "next": "NzQ0LjM", "more": false}
""")
FOUND = json.loads("""
{"order": {"order_id": "0195518b-9bd2-7c05-8a47-0d9e6f21b301", "number": 1001, "mode": "online", "kind": "sale", "status": "paid",
   "type": "takeaway", "opened_at": "2026-03-01T10:00:00+01:00", "closed_at": "2026-03-01T10:01:00+01:00", "cashier": "Anna",
   "customer": null, "printed_to": "none", "refund_of": null, "adjusts": null, "note": "",
   "lines": [{"kind": "item", "sku": "BAG-TRAD", "name": "Baguette", "quantity": "2", "unit_price": 120, "discount": 0,
              "amount": 240, "refund_of": null, "taxes": [{"code": "FR-5.5", "rate": "0.055", "amount": 13}]}],
   "rounding": 0, "total": 240, "tip": 0,
   "payments": [{"method": "cash", "amount": 240, "tendered": 500, "change": 260, "reference": ""}]},
 "state": "posted", "terminal_id": "7acfd9ee-dfed-41b2-837f-ee09a1a9da9e", "terminal_name": "Till 2",
 "shift_id": "0195518b-07a0-7a6e-b2c4-6d0f3c1e8a01", "posted_at": "2026-03-01T09:01:02.222524Z",
 "given_back": {"amount": 120, "by": [
   {"order_id": "0195518b-c1a8-7f37-b0d9-19e4c2587503", "terminal_id": "7acfd9ee-dfed-41b2-837f-ee09a1a9da9e", "number": 1003,
    "closed_at": "2026-03-01T11:01:00Z", "amount": 120}]}}
""")

_BATCH = "PUT /shifts/{shift_id}/batches/{batch_id}"
_CLOSE = "PUT /shifts/{shift_id}/close"
STORY: tuple[Exchange, ...] = (
    Exchange("POST /activations", "activated", "2026-03-01T06:58:00Z", 201, ACTIVATED, ACTIVATION),
    Exchange("PUT /shifts/{shift_id}", "opened", "2026-03-01T07:00:00.5Z", 201, OPENED, OPENING),
    Exchange("PUT /shifts/{shift_id}", "repeated", "2026-03-01T07:00:01Z", 200, OPENED, OPENING),
    Exchange(_BATCH, "live", "2026-03-01T09:01:02.222524Z", 200, SOLD_LIVE, LIVE, {"Prefer": "wait=3"}),
    Exchange("GET /terminal", "terminal", "2026-03-01T09:05:00.294420Z", 200, TERMINAL),
    Exchange(_CLOSE, "closing", "2026-03-01T17:00:30Z", 202, CLOSING, CLOSE),
    Exchange("PUT /terminal/heartbeat", "heartbeat", "2026-03-01T17:00:59.4Z", 200, BEATEN, HEARTBEAT),
    Exchange(_BATCH, "cache", "2026-03-01T17:02:00.6Z", 202, RECEIVED, CACHE),
    Exchange("GET /batches/{batch_id}", "processed", "2026-03-01T17:02:01.1Z", 200, PROCESSED),
    Exchange(_CLOSE, "repeated", "2026-03-01T17:02:02Z", 200, SETTLED, CLOSE),
    Exchange("GET /shifts/{shift_id}", "discrepant", "2026-03-01T17:02:03Z", 200, SETTLED),
    Exchange("GET /store/orders", "feed", "2026-03-01T17:02:04Z", 200, FEED),
    Exchange("GET /store/orders/{order_id}", "found", "2026-03-01T17:02:04.2Z", 200, FOUND),
    Exchange(
        "GET /store/orders/by-number",
        "found",
        "2026-03-01T17:02:04.4Z",
        200,
        FOUND,
        query=f"?terminal_id={ACTIVATED['terminal_id']}&number=1001",
    ),
    Exchange("POST /terminal/token", "token", "2026-03-01T17:02:05Z", 201, {"token": ACTIVATED["token"]}),
)


class Refusal(NamedTuple):
    """What differs between problems: where it happened, its detail, and members that only it has."""

    instance: str
    detail: str
    members: Mapping[str, Any] = {}


_UPLOAD = f"/shifts/{SHIFT_ID}/batches/{CACHE_ID}"
_REFUSALS: Mapping[str, Refusal] = {
    "body-malformed": Refusal(_UPLOAD, "JSON is malformed: trailing characters (byte 16)"),
    "digest-mismatch": Refusal(_UPLOAD, "The bytes that arrived are not the bytes that were sent. Send them again."),
    "cursor-invalid": Refusal("/store/orders", "Use `next` from an earlier answer, or leave it out to start again."),
    "credential-invalid": Refusal("/terminal", "Activate the terminal again."),
    "activation-code-invalid": Refusal("/activations", "Ask head office for a new code."),
    "not-found": Refusal(f"/batches/{CACHE_ID}", "This terminal sent no such batch."),
    "shift-unknown": Refusal(_UPLOAD, "Open it first, then send the batch again: nothing is lost."),
    "method-not-allowed": Refusal("/terminal", "This address does not support that method."),
    "body-timeout": Refusal(_UPLOAD, "The body must arrive within 30 s. Nothing was stored: send it again."),
    "shift-already-open": Refusal(f"/shifts/{CACHE_ID}", "Close the open shift first.", {"shift_id": SHIFT_ID}),
    "length-required": Refusal(_UPLOAD, "Send Content-Length; chunked bodies are not accepted."),
    "too-large": Refusal(_UPLOAD, "At most 4194304 bytes are accepted, as sent.", {"limits": TERMINAL["limits"]}),
    "media-type": Refusal(_UPLOAD, "Send application/json."),
    "identifier-reused": Refusal(
        f"/shifts/{SHIFT_ID}/close",
        "The shift was already closed with different content, which stands.",
        {"declared": STANDING_CLOSE},
    ),
    "envelope-invalid": Refusal(
        f"/shifts/{SHIFT_ID}",
        "opened_at is missing",
        {
            "errors": [
                {"pointer": "/opened_at", "code": "missing", "detail": "opened_at is missing"},
                {"pointer": "/opening_float", "code": "invalid", "detail": "Expected an integer, got a string"},
            ]
        },
    ),
    "too-many-requests": Refusal("/terminal", "Wait 1 s."),
    "internal": Refusal(_UPLOAD, "Something went wrong here. Nothing was lost: send it again."),
    "unavailable": Refusal(_UPLOAD, "Send again with the same identifiers."),
}


def problem(code: str) -> dict[str, Any]:
    """The body of one problem, as the service writes it."""
    instance, detail, members = _REFUSALS[code]
    body: dict[str, Any] = to_builtins(Problem(code, detail, **members).answer(instance=f"/api/v1{instance}"))
    return body
