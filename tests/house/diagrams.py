"""The state diagrams of docs/states.md, drawn from the tables in `domain/states.py` that the service itself goes by."""

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum
from pathlib import Path

from backoffice.domain.states import BATCH_TRANSITIONS, SHIFT_TRANSITIONS, STORE_DAY_TRANSITIONS
from tests.house.sources import CHECKOUT, Breach

DOCUMENT = "docs/states.md"
DIAGRAMS: Mapping[str, Mapping[StrEnum, AbstractSet[StrEnum]]] = {
    "BATCH_TRANSITIONS": BATCH_TRANSITIONS,
    "SHIFT_TRANSITIONS": SHIFT_TRANSITIONS,
    "STORE_DAY_TRANSITIONS": STORE_DAY_TRANSITIONS,
}
BLOCK = re.compile(r"(?P<mark><!-- drawn from (?P<table>\w+) -->\n)(?P<diagram>```mermaid\n[^`]*```)")


def diagram(transitions: Mapping[StrEnum, AbstractSet[StrEnum]]) -> str:
    """A state diagram as Mermaid has them. The first state is where all begin; one that nothing follows is an end."""
    states = list(transitions)
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {states[0]}"]
    for state in states:
        lines += [f"    {state} --> {following}" for following in states if following in transitions[state]]
        if not transitions[state]:
            lines.append(f"    {state} --> [*]")
    return "\n".join([*lines, "```"])


def drawn(text: str) -> str:
    """The document with every diagram in it drawn anew."""
    return BLOCK.sub(lambda found: found["mark"] + diagram(DIAGRAMS[found["table"]]), text)


def write(checkout: Path = CHECKOUT) -> None:
    """Draws the diagrams of the document anew."""
    path = checkout / DOCUMENT
    path.write_text(drawn(path.read_text()))


def diagrams_out_of_date(checkout: Path = CHECKOUT) -> Iterator[Breach]:
    """Diagrams that differ from their table or are missing."""
    text = (checkout / DOCUMENT).read_text()
    shown = {found["table"]: found for found in BLOCK.finditer(text)}
    for table, transitions in DIAGRAMS.items():
        found = shown.get(table)
        if found is None:
            yield Breach("diagrams", table, f"{DOCUMENT}:1", f"the diagram of {table} is missing")
        elif found["diagram"] != diagram(transitions):
            line = text.count("\n", 0, found.start()) + 1
            says = f"the diagram differs from {table}: run `python -m tests.house --write`"
            yield Breach("diagrams", table, f"{DOCUMENT}:{line}", says)
