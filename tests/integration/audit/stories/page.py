"""A story as its page tells it: sections with tables, whose figures a test takes one after another."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parents[4]
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_AMOUNT = re.compile(r"−?\d+\.\d\d\b(?! ?%)")


class Table(NamedTuple):
    """What stands in its head, and the cells of each row below."""

    head: list[str]
    rows: list[list[str]]


class Section:
    """What stands below a heading. Each table is taken once, in the order in which they stand."""

    def __init__(self, heading: str, text: str) -> None:
        self.heading = heading
        self.tables = list(_tables(text))
        self._waiting = list(self.tables)
        self._prose = "\n".join(line for line in text.splitlines() if not line.startswith("|"))

    def take(self, first: str) -> Table:
        """The next table, whose head must begin with this cell."""
        assert self._waiting, f"{self.heading}: there is no further table, and one of '{first}' was to come"
        table = self._waiting.pop(0)
        assert table.head[0] == first, f"{self.heading}: the next table is of '{table.head[0]}', not of '{first}'"
        return table

    def check_all_told(self, known: set[str]) -> None:
        """Every table was taken, and every amount of the text stands in a table of the section, or is `known`."""
        assert self._waiting == [], f"{self.heading}: nobody has looked at the table of {self._waiting[0].head[0]}"
        in_tables = {amount for table in self.tables for row in table.rows for amount in _AMOUNT.findall(" ".join(row))}
        told = {amount.lstrip("−") for amount in _AMOUNT.findall(self._prose)}
        unknown = told - known - {amount.lstrip("−") for amount in in_tables}
        assert unknown == set(), f"{self.heading}: no table has {unknown}"


def sections(path: Path) -> dict[str, Section]:
    """The sections of a page, by their headings."""
    _, *parts = _SECTION.split(path.read_text(encoding="utf-8"))
    return {heading: Section(heading, text) for heading, text in zip(parts[::2], parts[1::2], strict=True)}


def _tables(text: str) -> Iterator[Table]:
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, _, *rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in block.splitlines()]
        yield Table(head, rows)


def minor(text: str) -> int:
    """An amount of a page in minor units: "−12.00", "476.00 Cr" or nothing, which is 0. A credit is below 0."""
    if not text:
        return 0
    sign = -1 if text.startswith("−") or text.endswith(" Cr") else 1
    whole, _, cents = text.removeprefix("−").removesuffix(" Cr").partition(".")
    assert len(cents) == 2, text
    return sign * int(whole + cents)


def told(amount: int, *, is_balance: bool = False) -> str:
    """An amount as a page tells it; a balance below 0 is a credit."""
    digits = f"{abs(amount) // 100}.{abs(amount) % 100:02}"
    if amount >= 0:
        return digits
    return f"{digits} Cr" if is_balance else f"−{digits}"
