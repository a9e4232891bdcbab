"""Order numbers of a terminal: which of a shift's declared ones have not been used (protocol §6)."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable

MOST_RANGES = 100
"""A longer list of gaps helps nobody (protocol §4)."""


def missing_ranges(
    *, declared_first: int, declared_last: int, used: Iterable[int], limit: int = MOST_RANGES
) -> list[tuple[int, int]]:
    """The first `limit` inclusive ranges of `declared_first … declared_last` that no number of `used` covers.

    `used` are the numbers that any order of the terminal took, in any shift or outcome, in any order; those outside
    the declared range do not matter. An empty shift declares `last = first - 1` and misses nothing. The work is
    bounded by `used`, never by the width of the range, which a terminal may declare as it likes.
    """
    ranges: list[tuple[int, int]] = []
    expected = declared_first
    for number in sorted({number for number in used if declared_first <= number <= declared_last}):
        if number > expected:
            ranges.append((expected, number - 1))
            if len(ranges) >= limit:
                return ranges[:limit]
        expected = number + 1
    if expected <= declared_last:
        ranges.append((expected, declared_last))
    return ranges[:limit]


def without(ranges: Iterable[tuple[int, int]], passed: Collection[int]) -> list[tuple[int, int]]:
    """What is left of inclusive ranges when the numbers that are passed over are taken out, in order.

    Each of them ends one range at most: whoever wants n ranges gives n more than there are numbers passed over.
    """
    return without_ranges(ranges, [(number, number) for number in passed])


def without_ranges(ranges: Iterable[tuple[int, int]], taken: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is left of inclusive ranges when others are taken out, in order. Those taken out may overlap."""
    out = merged(taken)
    begins, ends = [begin for begin, _ in out], [end for _, end in out]
    left: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        start = first
        for begin, end in out[bisect_left(ends, first) : bisect_right(begins, last)]:
            if begin > start:
                left.append((start, begin - 1))
            start = end + 1
        if start <= last:
            left.append((start, last))
    return left


def merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Inclusive ranges in order, those that overlap as one; neighbours stay apart."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found
