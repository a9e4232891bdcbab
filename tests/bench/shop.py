"""What the shops of the benchmarks sell: orders of 3 lines with a tax each and 1 payment in cash, as a terminal sends them.

Figures of two commits can be compared only where both were fed the same: a change here is shown with both figures.
"""

import random
import uuid
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

LINES = 3
ARTICLES = 200
RATES = {"FR-5.5": (55, "0.055"), "FR-20": (200, "0.20")}

MakeOrder = Callable[..., dict[str, Any]]


def typical_order(number: int, **extra: Any) -> dict[str, Any]:
    """Of a shop that sells some things all day; lines follow from `order_id` where it is given, and from the number."""
    chance = random.Random(extra.get("order_id", number))
    return _order(number, [typical_line(chance) for _ in range(LINES)], extra)


def typical_line(chance: random.Random) -> dict[str, Any]:
    """Of 200 articles, some of which sell all day: mostly one of a thing, and every twentieth article is weighed."""
    article = int(ARTICLES * chance.random() ** 2)
    price = _price(article)
    weighed = article % 20 == 19
    grams = chance.randrange(50, 2_000, 10) if weighed else chance.choices((1_000, 2_000, 3_000), (8, 2, 1))[0]
    return _line(
        article,
        name=f"Article no. {article} of the shop",
        quantity=f"{grams / 1000:.3f}" if weighed else str(grams // 1_000),
        amount=(price * grams + 500) // 1_000,
    )


def weighing_shop() -> MakeOrder:
    """Makes orders of a shop that weighs everything: none of its lines was ever seen before, and none comes again."""
    places = count()

    def weighed_order(number: int, **extra: Any) -> dict[str, Any]:
        return _order(number, [weighed_line(next(places)) for _ in range(LINES)], extra)

    return weighed_order


def weighed_line(place: int) -> dict[str, Any]:
    """The line that was weighed as number `place`: its name is its own, and so, among half a million, is its quantity."""
    article = place % ARTICLES
    tenths = 500 + place * 7_919 % 499_979  # of a gram: from 50 g to 50 kg, and both factors are prime
    return _line(
        article,
        name=f"Article no. {article}, label {place:07}",
        quantity=f"{tenths / 10_000:.4f}",
        amount=(_price(article) * tenths + 5_000) // 10_000,
    )


def _price(article: int) -> int:
    """Of one, or of a kilogram, in minor units."""
    return 60 + article * 37 % 1_940


def _line(article: int, *, name: str, quantity: str, amount: int) -> dict[str, Any]:
    code = "FR-5.5" if article % 3 else "FR-20"
    per_mille, rate = RATES[code]
    return {
        "kind": "item",
        "sku": f"ART-{article:05}",
        "name": name,
        "quantity": quantity,
        "unit_price": _price(article),
        "discount": 0,
        "amount": amount,
        "taxes": [{"code": code, "rate": rate, "amount": round(amount * per_mille / (1_000 + per_mille))}],
    }


def _order(number: int, lines: Sequence[dict[str, Any]], extra: dict[str, Any]) -> dict[str, Any]:
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
