"""The project's documents as these tests read them: text, tables, links and blocks of code."""

import re
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "docs/adr/*.md", "docs/vectors/*.md", "clients/python/*.md")
    for path in CHECKOUT.glob(pattern)
)
README = CHECKOUT / "README.md"
PROTOCOL = CHECKOUT / "docs" / "terminal-protocol.md"
LEDGER = CHECKOUT / "docs" / "ledger.md"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def section(path: Path, heading: str) -> str:
    """The text below a heading, up to the next one of its level or above."""
    text = path.read_text()
    level = len(heading) - len(heading.lstrip("#"))
    start = text.index(f"\n{heading}") + 1
    end = re.compile(rf"^#{{1,{level}}} ", re.MULTILINE).search(text, text.index("\n", start))
    return text[start : end.start() if end else len(text)]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every row of every table, without those that rule a table's head."""
    for line in text.splitlines():
        if line.startswith("|") and not line.startswith("|--"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def blocks(text: str, language: str) -> list[str]:
    """The contents of the fenced blocks in one language."""
    return [body for name, body in _FENCE.findall(text) if name == language]


def links(path: Path) -> list[str]:
    """The targets of all links and pictures, code left out."""
    return _LINK.findall(re.sub(r"`[^`\n]*`", "", _FENCE.sub("", path.read_text())))


def anchors(path: Path) -> set[str]:
    """The names that GitHub gives to a document's headings."""
    titles = _HEADING.findall(_FENCE.sub("", path.read_text()))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
