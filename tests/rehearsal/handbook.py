"""The commands of docs/operations.md: its blocks of shell, and commands that stand in a sentence."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.unit.deployment.files import HANDBOOK

# What the reader puts in: words in capitals with hyphens, and the two of a restore.
PLACEHOLDER = re.compile(r"\b(?:[A-Z]+(?:-[A-Z]+)+|MOMENT|YYYY-MM-DD HH:MM:SS)\b|\bTHE(?=\.dump)")


@dataclass(frozen=True)
class Block:
    """A block of shell, and the heading that it stands under."""

    heading: str
    text: str


def blocks() -> list[Block]:
    """All of them, in their order."""
    found, heading = [], ""
    for part in re.finditer(r"^#+ (?P<heading>[^\n]*)$|^```sh\n(?P<text>.*?)^```$", HANDBOOK, re.MULTILINE | re.DOTALL):
        if part["heading"] is not None:
            heading = part["heading"]
        else:
            found.append(Block(heading, part["text"]))
    return found


def block(heading: str, has: str, **puts_in: str) -> str:
    """The one block under a heading that has a certain text, with what the reader puts in."""
    found = [found.text for found in blocks() if found.heading == heading and has in found.text]
    if len(found) != 1:
        raise LookupError(f"{len(found)} blocks with {has!r} under {heading!r}")
    return fill(found[0], puts_in)


def sentence(begins: str, **puts_in: str) -> str:
    """The one command of a sentence that begins so."""
    found = {command for command in re.findall(r"`([^`\n]+)`", HANDBOOK) if command.startswith(begins)}
    if len(found) != 1:
        raise LookupError(f"{len(found)} commands begin with {begins!r}")
    return fill(found.pop(), puts_in)


def fill(text: str, puts_in: Mapping[str, str]) -> str:
    """The text with what the reader puts in, named with underscores for hyphens. Nothing may be left or be too much."""
    for name, value in puts_in.items():
        placeholder = name.replace("_", "-")
        if placeholder not in text:
            raise LookupError(f"{placeholder} does not stand in:\n{text}")
        text = text.replace(placeholder, value)
    if left := PLACEHOLDER.search(re.sub(r"#.*", "", text)):
        raise LookupError(f"{left[0]} is still to be put in:\n{text}")
    return text


# Blocks that no act types: the heading, a text that each has, and why.
LEFT_OUT = {
    ("Images by digest", "docker compose pull"): "there is no registry",
    ("Install on a plain Debian host", ""): "no compose",
    ("Restore a dump", "sales_posting"): "there is no other cluster",
    ("Retention", ""): "no month is old enough to leave",
    ("A month leaves and comes back", ""): "tests/integration/deployment does it, without containers",
}
