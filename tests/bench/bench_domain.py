"""Milliseconds per stage of the rules for one batch of 500 typical orders: `python -m tests.bench.bench_domain`."""

import json
import random
import time
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from backoffice.domain import accounts, identity, orders, posting, rules, totals
from backoffice.domain.wire import envelope, members

ORDERS = 500
ROUNDS = 30


ARTICLES = 200
RATES = {"FR-5.5": (55, "0.055"), "FR-20": (200, "0.20")}


def typical_line(chance: random.Random) -> dict[str, Any]:
    """Of 200 articles, some of which sell all day: mostly one of a thing, and every twentieth article is weighed."""
    article = int(ARTICLES * chance.random() ** 2)
    price = 60 + article * 37 % 1_940
    weighed = article % 20 == 19
    grams = chance.randrange(50, 2_000, 10) if weighed else chance.choices((1_000, 2_000, 3_000), (8, 2, 1))[0]
    amount = (price * grams + 500) // 1_000
    code = "FR-5.5" if article % 3 else "FR-20"
    per_mille, rate = RATES[code]
    return {
        "kind": "item",
        "sku": f"ART-{article:05}",
        "name": f"Article no. {article} of the shop",
        "quantity": f"{grams / 1000:.3f}" if weighed else str(grams // 1_000),
        "unit_price": price,
        "discount": 0,
        "amount": amount,
        "taxes": [{"code": code, "rate": rate, "amount": round(amount * per_mille / (1_000 + per_mille))}],
    }


def typical_order(number: int, **extra: Any) -> dict[str, Any]:
    """3 lines with a tax each and 1 payment in cash; lines follow from `order_id` where it is given, and from the number."""
    chance = random.Random(extra.get("order_id", number))
    lines = [typical_line(chance) for _ in range(3)]
    total = sum(line["amount"] for line in lines)
    return {
        "order_id": str(uuid.UUID(int=(number << 64) | (0x7 << 76) | (0x2 << 62))),
        "number": number,
        "mode": "offline",
        "kind": "sale",
        "status": "paid",
        "type": "takeaway",
        "opened_at": "2026-03-01T11:02:00+01:00",
        "closed_at": "2026-03-01T11:03:00+01:00",
        "cashier": "Anna",
        "customer": None,
        "printed_to": "local",
        "refund_of": None,
        "note": "",
        "lines": lines,
        "rounding": 0,
        "total": total,
        "tip": 0,
        "payments": [{"method": "cash", "amount": total, "tendered": total + 60, "change": 60, "reference": ""}],
        **extra,
    }


def best_ms(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return min(spent) * 1000


def measure(label: str, batch: list[dict[str, Any]]) -> None:
    body = json.dumps({"orders": batch}, separators=(",", ":")).encode()
    shift = rules.Shift(
        shift_id=uuid.UUID(int=1), terminal_id=1, currency="EUR", prices_include_tax=True, first_number=1,
        opened_at=datetime(2026, 3, 1, 6, tzinfo=UTC), business_date=date(2026, 3, 1),
    )  # fmt: skip
    settings, circumstances = rules.StoreSettings(), rules.Circumstances()
    raws = envelope.decode_batch(body, max_orders=2000).orders
    read = [order for raw in raws if isinstance(order := members.read_order(raw), orders.Order)]
    assert len(read) == len(batch), members.read_order(raws[0])
    hashes = [identity.content_hash(order) for order in read]
    incoming = [identity.Incoming(o.order_id, o.number, h) for o, h in zip(read, hashes, strict=True)]
    methods = accounts.PAYMENT_ACCOUNTS
    stages: dict[str, Callable[[], object]] = {
        "decode_batch": lambda: envelope.decode_batch(body, max_orders=2000),
        "read_order": lambda: [members.read_order(raw) for raw in raws],
        "content_hash": lambda: [identity.content_hash(order) for order in read],
        "identify": lambda: identity.identify(
            incoming=incoming, known={}, numbers={}, terminal_id=1, shift_id=shift.shift_id
        ),
        "holds": lambda: [rules.holds(order, shift=shift, methods=methods) for order in read],
        "flags": lambda: [
            rules.flags(order, shift=shift, settings=settings, circumstances=circumstances) for order in read
        ],
        "post_order": lambda: [posting.post_order(order, prices_include_tax=True, accounts=methods) for order in read],
        "compute_totals": lambda: totals.compute_totals(read),
    }
    print(f"{label}: {len(batch)} orders, {len(body)} bytes")
    spent = {name: best_ms(stage) for name, stage in stages.items()}
    for name, ms in spent.items():
        print(f"  {name:16s}{ms:8.2f} ms")
    print(f"  {'together':16s}{sum(spent.values()):8.2f} ms")


def main() -> None:
    measure("typical", [typical_order(1000 + index) for index in range(ORDERS)])
    measure(
        "fields of a newer terminal", [typical_order(1000 + index, table_zone="A", covers=2) for index in range(ORDERS)]
    )


if __name__ == "__main__":
    main()
