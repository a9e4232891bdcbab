"""Numbers and identifiers as people write them."""

from collections.abc import Iterable
from typing import Any

MOST = 3


def few(values: Iterable[Any]) -> str:
    """The first of them: `1004, 1007, 1009 …`."""
    listed = [str(value) for value in sorted(values)]
    return ", ".join(listed[:MOST]) + (" …" if len(listed) > MOST else "")


def few_ranges(ranges: Iterable[tuple[int, int]]) -> str:
    """The first of inclusive ranges: `1004, 1007–1009`."""
    listed = [str(first) if first == last else f"{first}–{last}" for first, last in ranges]
    return ", ".join(listed[:MOST]) + (" …" if len(listed) > MOST else "")
