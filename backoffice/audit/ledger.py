"""Compares entries with the derived ones, and sums the derived ones per account."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from backoffice.audit.entries import Entry
from backoffice.audit.findings import Findings, Ticks

AccountKey = tuple[int, str, str]
"""(store id, currency, account)"""


class Ledger:
    """What has been derived so far: totals per account, and which entries in the tables have been seen."""

    def __init__(self, findings: Findings) -> None:
        self.met = Ticks()
        self.totals: dict[AccountKey, list[int]] = defaultdict(_no_total)
        self._findings = findings

    def check(self, expected: Entry, found: Entry | None, *, store: str, where: str) -> None:
        """Compares an entry with the derived one. If that has no lines, no entry must exist."""
        for side, (debits, credits_) in expected.lines.items():
            total = self.totals[side.store_id, side.currency, side.account]
            total[0] += debits
            total[1] += credits_
        if found is None:
            if expected.lines:
                self._findings.add(store, where, "journal entry", expected=_in_words(expected), found=None)
            return
        if not self.met.add(found.id):
            self._findings.add(store, where, f"journal entry {found.id} serves twice", expected="once", found="again")
        if not expected.lines:
            self._findings.add(store, where, f"journal entry {found.id}", expected=None, found=_in_words(found))
            return
        if expected.head != found.head:
            for name, one, other in zip(expected.head._fields, expected.head, found.head, strict=True):
                if one != other:
                    self._findings.add(store, where, f"{name} of journal entry {found.id}", expected=one, found=other)
        if expected.lines != found.lines:
            self._unequal_lines(expected, found, store=store, where=where)

    def merge(self, other: "Ledger") -> None:
        """Adds what another part of the audit has derived."""
        for key, (debits, credits_) in other.totals.items():
            self.totals[key][0] += debits
            self.totals[key][1] += credits_
        for entry_id in self.met.merge(other.met):
            self._findings.add("", f"journal entry {entry_id}", "serves twice", expected="once", found="again")

    def _unequal_lines(self, expected: Entry, found: Entry, *, store: str, where: str) -> None:
        debits, credits_ = (
            (sum(column) for column in zip(*found.lines.values(), strict=True)) if found.lines else (0, 0)
        )
        if debits != credits_:
            what = f"journal entry {found.id} does not balance"
            self._findings.add(store, where, what, expected=f"debits {credits_}", found=f"debits {debits}")
        what = f"lines of journal entry {found.id}"
        self._findings.add(store, where, what, expected=_in_words(expected), found=_in_words(found))


def _no_total() -> list[int]:
    return [0, 0]


def _in_words(entry: Entry) -> str:
    """Such as "1000 debit 240, 2100 FR-5.5 credit 13". Store, date and drawer are named if they are not the entry's own."""
    words = []
    for side, amounts in sorted(entry.lines.items(), key=str):
        name = f"{side.account} {side.tax_code}".rstrip()
        words += [
            f"{name} {word} {amount}" for word, amount in zip(("debit", "credit"), amounts, strict=True) if amount
        ]
        if (side.store_id, side.currency, side.business_date) != _home(entry):
            words[-1] += f" (store {side.store_id}, {side.currency}, {side.business_date})"
        if side.drawer_id not in (None, entry.head.terminal_id):
            words[-1] += f" (drawer {side.drawer_id})"
    return ", ".join(words) or "no lines"


def _home(entry: Entry) -> tuple[object, ...]:
    return entry.head.store_id, entry.head.currency, entry.head.business_date


class Effects:
    """Signed amounts in minor units, summed between given entries, so that memory does not grow with their number.

    With the marks 10 and 20 there are three sums: before 10, from 10 to 19, from 20 on.
    """

    def __init__(self, marks: Sequence[int]) -> None:
        assert all(one <= other for one, other in pairwise(marks))  # noqa: S101 - bisection needs it
        self._marks = marks
        self.between = [0] * (len(marks) + 1)

    def add(self, entry_id: int, amount: int) -> None:
        self.between[bisect_right(self._marks, entry_id)] += amount

    def until(self, entry_id: int) -> int:
        """The sum of all amounts before a mark."""
        return sum(self.between[: bisect_left(self._marks, entry_id) + 1])
