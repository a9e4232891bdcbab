"""The test vectors of docs/vectors: this package reads each order without loss, and adds it up as the service does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backoffice_terminal import Journal, Order
from backoffice_terminal.closing import declaration, said_at_close, totals
from backoffice_terminal.saved import Opening

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "vectors"
VECTORS = [vector for path in sorted(FOLDER.glob("*s.json")) for vector in json.loads(path.read_text())["vectors"]]
READABLE = [
    vector
    for vector in VECTORS
    if vector["kind"] == "order" and "unreadable-order" not in {each["code"] for each in vector["expect"]["reasons"]}
]
TERMS = {"currency": "EUR", "prices_include_tax": True}
SHIFTS = [(vector["name"], shift) for vector in VECTORS if vector["kind"] == "shifts" for shift in vector["shifts"]]
# What the client does not know, which the vectors have on purpose.
UNKNOWN = {"loyalty", "allergens", "terminal_says", "cvv"}


class Memory:
    """A journal of one order."""

    def __init__(self, order: Order) -> None:
        self.order = order

    def orders(self, shift_id: str) -> Iterator["Memory"]:
        yield self


def known(value: Any) -> Any:
    """Without what the client does not know."""
    if isinstance(value, dict):
        return {name: known(member) for name, member in value.items() if name not in UNKNOWN}
    return [known(member) for member in value] if isinstance(value, list) else value


def lost(sent: Any, read: Any, at: str = "") -> Iterator[str]:
    """Where something that was sent is not there any more, or is something else."""
    if isinstance(sent, dict):
        for name, value in sent.items():
            if name in read:
                yield from lost(value, read[name], f"{at}/{name}")
            else:
                yield f"{at}/{name}"
    elif isinstance(sent, list):
        if len(sent) != len(read):
            yield at
        for index, (one, other) in enumerate(zip(sent, read, strict=False)):
            yield from lost(one, other, f"{at}/{index}")
    elif sent != read:
        yield at


def test_there_are_enough_of_them() -> None:
    assert len(READABLE) > 150


@pytest.mark.parametrize("vector", READABLE, ids=lambda vector: vector["name"])
def test_an_order_is_read_without_loss_and_added_up(vector: dict[str, Any]) -> None:
    order = msgspec.json.decode(json.dumps(vector["order"]), type=Order)
    assert list(lost(known(vector["order"]), msgspec.json.decode(msgspec.json.encode(order)))) == []
    expected = vector["expect"]["totals"]
    del expected["order_count"]
    assert msgspec.to_builtins(totals(Memory(order), "")) == expected  # type: ignore[arg-type]


def last_sold(shift: dict[str, Any]) -> int:
    first: int = shift["opening"]["first_number"]
    return max((order["number"] for order in shift["orders"] if order["number"] >= first), default=first - 1)


def is_as_a_client_does(shift: dict[str, Any]) -> bool:
    """It gives no number before an order is sold, and sells nothing that cannot be read."""
    return shift["close"] and shift["close"]["last_number"] == last_sold(shift) and not shift["unreadable"]


CLOSED = [(name, shift) for name, shift in SHIFTS if is_as_a_client_does(shift)]


@pytest.mark.parametrize("shift", [shift for _, shift in CLOSED], ids=[name for name, _ in CLOSED])
def test_a_shift_is_declared_as_its_vector_says(tmp_path: Path, shift: dict[str, Any]) -> None:
    journal, close = Journal(tmp_path / "till.sqlite"), dict(shift["close"])
    opening = msgspec.convert(shift["opening"] | TERMS, Opening)
    for counter, number in (("shift_number", opening.number), ("order_number", opening.first_number)):
        journal.note(counter, str(number))
    journal.add_shift("shift", lambda _number, _first: opening)
    for sent in shift["orders"]:
        journal.note("order_number", str(sent["number"]))
        order = msgspec.json.decode(json.dumps(sent), type=Order)
        journal.add_order("shift", lambda _number, order=order: order)  # type: ignore[misc]
    said = said_at_close(close["cash_counted"], None, close["carried_over"])
    journal.count_drawer("shift", counted=close["cash_counted"], closed_at=close["closed_at"], besides=said)
    told = msgspec.json.decode(declaration(journal, journal.shift("shift")))
    journal.close()
    assert {"carried_over": [], **told} == close | {"batches": []}
