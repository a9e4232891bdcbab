"""Milliseconds to look for card data in one batch of 500 orders: `python -m tests.bench.bench_cards`."""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from backoffice.domain.cards.masking import mask_cards
from tests.bench.bench_domain import ORDERS
from tests.bench.shop import typical_order

CARD = "4111 1111 1111 1111"
LARGE = 8 << 20


def batch(change: Callable[[dict[str, Any], int], None]) -> list[dict[str, Any]]:
    made = []
    for index in range(ORDERS):
        order = typical_order(1000 + index)
        change(order, index)
        made.append(order)
    return made


def with_name(name: str) -> Callable[[dict[str, Any], int], None]:
    def change(order: dict[str, Any], index: int) -> None:
        for line in order["lines"]:
            line["name"] = name

    return change


def with_eans(order: dict[str, Any], index: int) -> None:
    for place, line in enumerate(order["lines"]):
        line["sku"] = f"{3017620000000 + index * 37 + place:013}"


def with_references(order: dict[str, Any], index: int) -> None:
    order["payments"][0]["reference"] = f"AUTH {index * 7919 % 10**6:06} RRN {606012000000 + index * 104729:012}"


def with_random_identifiers(order: dict[str, Any], index: int) -> None:
    order["order_id"] = str(UUID(int=(index + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC834 % (1 << 128)))


def with_one_card(order: dict[str, Any], index: int) -> None:
    if index == ORDERS // 2:
        order["note"] = CARD


def with_cards(order: dict[str, Any], index: int) -> None:
    order["note"] = CARD
    order["payments"][0] |= {"pan": CARD, "cvv": "123"}


def body_of(orders: list[dict[str, Any]], *, is_compact: bool = True, is_ascii: bool = True) -> bytes:
    separators = (",", ":") if is_compact else None
    return json.dumps({"orders": orders}, separators=separators, ensure_ascii=is_ascii).encode()


def of_notes(note: str) -> bytes:
    return b'{"orders": [{"note": "%b"}]}' % note.encode()


def best_ms(work: Callable[[], object], *, rounds: int) -> float:
    spent = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return min(spent) * 1000


def main() -> None:
    clean = [typical_order(1000 + index) for index in range(ORDERS)]
    bodies = {
        "clean": body_of(clean),
        "clean, with blanks": body_of(clean, is_compact=False),
        "clean, indented": json.dumps({"orders": clean}, indent=2).encode(),
        "random identifiers": body_of(batch(with_random_identifiers)),
        "accented names, escaped": body_of(batch(with_name("Café crème à l’été"))),
        "accented names": body_of(batch(with_name("Café crème à l’été")), is_ascii=False),
        "Cyrillic names, escaped": body_of(batch(with_name("Багет традиционный"))),
        "escaped ampersands": body_of(batch(with_name("Fish & chips"))).replace(b"&", rb"\u0026"),
        "an EAN in every sku": body_of(batch(with_eans)),
        "codes in every reference": body_of(batch(with_references)),
        "one card": body_of(batch(with_one_card)),
        "a card, pan and cvv in every order": body_of(batch(with_cards)),
        "8 MB of digits": of_notes("4" * LARGE),
        "8 MB of single digits": of_notes("4 " * (LARGE // 2)),
        "8 MB of cards": of_notes(f"{CARD}, " * (LARGE // 21)),
        "8 MB of escaped digits": of_notes(r"\u0034" * (LARGE // 6)),
        "8 MB of sixes": of_notes("6-" * (LARGE // 2)),
        "8 MB of small orders with cvv": b'{"orders":[%b]}' % b",".join([b'{"cvv":1}'] * (LARGE // 10)),
    }
    for label, body in bodies.items():
        ms = best_ms(partial(mask_cards, body), rounds=2 if len(body) > LARGE // 2 else 30)
        print(f"{label:36s}{len(body):9} bytes{ms:10.2f} ms{len(mask_cards(body).findings):8} findings")


if __name__ == "__main__":
    main()
