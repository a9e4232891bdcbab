"""The second implementation on the test vectors, whose outcomes and entries are those of the first."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from backoffice.audit.reading import ReadingError, read_movement, read_order
from backoffice.audit.rules import Sides, movement_sides, order_sides, why_unpostable
from backoffice.domain.accounts import CASH_REASON_ACCOUNTS, PAYMENT_ACCOUNTS
from tests.vectors.files import FILES, FOLDER

Judged = tuple[str, bool, Any, dict[str, Any]]
VECTORS = [vector for name in FILES for vector in json.loads((FOLDER / name).read_text())["vectors"]]


def orders() -> Iterator[Judged]:
    """Name, price mode, order and expectation of every order that is posted or held."""
    for vector in VECTORS:
        head = vector["name"], vector["store"]["prices_include_tax"]
        if vector["kind"] == "order":
            yield *head, vector["order"], vector["expect"]
        for step in vector.get("steps", ()):
            for order, expect in zip(step["orders"], step["expect"], strict=True):
                if expect["outcome"] in {"posted", "held"}:
                    yield *head, order, expect


def posted(expect: dict[str, Any]) -> Sides:
    sides: Sides = {}
    for line in expect["postings"]:
        key = line["account"], line["tax_code"]
        debits, credits_ = sides.get(key, (0, 0))
        sides[key] = debits + line["debit"], credits_ + line["credit"]
    return sides


ORDERS = list(orders())
MOVEMENTS = [vector for vector in VECTORS if vector["kind"] == "movement" and vector["expect"]["outcome"] == "posted"]


@pytest.mark.parametrize(("name", "inclusive", "order", "expect"), ORDERS, ids=[name for name, *_ in ORDERS])
def test_an_order_is_posted_or_held_as_the_rules_say(
    name: str, inclusive: bool, order: Any, expect: dict[str, Any]
) -> None:
    try:
        read = read_order(order)
    except ReadingError:
        assert expect["outcome"] == "held"
        return
    why = why_unpostable(read, inclusive=inclusive, methods=PAYMENT_ACCOUNTS)
    assert (why != "") == (expect["outcome"] == "held"), why
    if not why:
        assert order_sides(read, inclusive=inclusive, methods=PAYMENT_ACCOUNTS) == posted(expect)


@pytest.mark.parametrize("vector", MOVEMENTS, ids=[vector["name"] for vector in MOVEMENTS])
def test_a_cash_movement_is_posted_as_the_rules_say(vector: dict[str, Any]) -> None:
    assert movement_sides(read_movement(vector["movement"]), reasons=CASH_REASON_ACCOUNTS) == posted(vector["expect"])
