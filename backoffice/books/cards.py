"""What people type is kept as what terminals send: without card data (protocol §7), and what was taken out is flagged."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from backoffice.books.held import LISTS
from backoffice.books.refusals import NotDecided
from backoffice.domain.cards.masking import mask_cards
from backoffice.domain.json_values import find_uncarriable

# Among the arguments of a decision: `[[code, pointer]]`, of the order or movement that was typed.
FLAGS = "card_flags"


class Typed(NamedTuple):
    """A note and arguments as they may be kept."""

    note: str
    arguments: dict[str, Any]


def without_cards(note: str, arguments: Mapping[str, Any]) -> Typed:
    """What was typed, without card data; of an order or movement in it, what was taken out. Raises NotDecided."""
    said = {"note": note, "arguments": {name: value for name, value in arguments.items() if name != FLAGS}}
    if found := find_uncarriable(said):
        raise NotDecided("cannot-be-kept", f"{found[0] or '/'}: {found[1]}")
    masked = mask_cards(json.dumps(said).encode())
    kept = Typed(**json.loads(masked.body))
    for what in LISTS:
        begins = f"/arguments/{what}/"
        flags = [
            [found.code, found.pointer[len(begins) - 1 :]]
            for found in masked.findings
            if found.pointer.startswith(begins)
        ]
        if flags:
            kept.arguments[FLAGS] = flags
    return kept


def flags_of_typed(arguments: Mapping[str, Any], *, what: str) -> list[list[Any]]:
    """What was taken out of a typed order or movement, as it is kept with a batch: list, place, code, pointer."""
    return [[LISTS[what], 0, code, pointer] for code, pointer in arguments.get(FLAGS, ())]
