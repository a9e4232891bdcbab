"""The test vectors of docs/vectors: this package reads each order without loss, and adds it up as the service does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backoffice_terminal import Order
from backoffice_terminal.closing import totals

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "vectors"
VECTORS = [vector for path in sorted(FOLDER.glob("*s.json")) for vector in json.loads(path.read_text())["vectors"]]
READABLE = [
    vector
    for vector in VECTORS
    if vector["kind"] == "order" and "unreadable-order" not in {each["code"] for each in vector["expect"]["reasons"]}
]
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
