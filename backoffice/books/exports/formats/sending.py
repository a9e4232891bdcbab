"""A run as its formats see it: transactions with external codes, in the order that a format wants."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from babel.numbers import get_currency_precision

from backoffice.books.exports.coding import Code, CodeMap
from backoffice.books.exports.models import ExportedSum, ExportRevision, ExportRun
from backoffice.books.exports.reading import SentEntry, entries_by_day, entries_by_number
from backoffice.ledger.models import SOURCES

Passed = Callable[[int], None]
"""Called with the number of entries that were sent so far."""

TELL_EVERY = 2_000


class SentPosting(NamedTuple):
    """One side of a transaction, in minor units: one of `debit` and `credit` is above 0."""

    code: Code
    account: str
    tax_code: str
    method: str
    debit: int
    credit: int


class Sent(NamedTuple):
    """An entry, or the sum of a store's day, as it is handed over. `reference` is its own, `revision` brings it."""

    reference: str
    revision: str
    business_date: date
    title: str
    terminal: str
    postings: Sequence[SentPosting]
    number: int | None = None
    sealed_on: date | None = None
    posted_at: datetime | None = None
    source_kind: str = ""
    source_id: UUID | None = None
    order_number: int | None = None


class Sending:
    """What a run sends. Everything here follows from what was decided: it is the same each time."""

    def __init__(
        self, run: ExportRun, days: Sequence[tuple[ExportRevision, list[ExportedSum]]], *, passed: Passed
    ) -> None:
        self.run = run
        self.days = days
        self.codes = CodeMap(run.map.lines, run.names["accounts"])
        self.digits: int = get_currency_precision(run.currency)
        self.store_code, self.store_name = run.names["store"]
        self.terminals = json.dumps(run.names["terminals"], sort_keys=True)
        self.passed = passed

    @property
    def revisions(self) -> list[ExportRevision]:
        return [revision for revision, _ in self.days]

    def amount(self, minor: int) -> str:
        """An amount in units of the currency, as 12.34."""
        if not self.digits:
            return str(minor)
        whole, rest = divmod(abs(minor), 10**self.digits)
        return f"{'-' if minor < 0 else ''}{whole}.{rest:0{self.digits}d}"

    def transactions(self) -> Iterator[Sent]:
        """Whatever the profile's granularity is, day after day."""
        return self.sums() if self.run.profile.granularity == "day" else self.entries()

    def entries(self) -> Iterator[Sent]:
        """Entry for entry, each day by seal numbers."""
        return self._told(entries_by_day(self.run, self.revisions))

    def entries_by_number(self) -> Iterator[Sent]:
        """Entry for entry by seal numbers, whatever the day."""
        return self._told(entries_by_number(self.run, self.revisions))

    def sums(self) -> Iterator[Sent]:
        """One for each store and day, under the reference of its revision."""
        for revision, sums in self.days:
            title = f"Sales of {self.store_name}, {revision.business_date}"
            postings = [*chain.from_iterable(self._sides(each) for each in sums)]
            yield Sent(revision.reference, revision.reference, revision.business_date, title, "", postings)

    def _told(self, entries: Iterator[SentEntry]) -> Iterator[Sent]:
        count = 0
        for count, entry in enumerate(entries, start=1):
            yield self._entry(entry)
            if count % TELL_EVERY == 0:
                self.passed(count)
        self.passed(count)

    def _entry(self, entry: SentEntry) -> Sent:
        head = entry.head
        what = SOURCES.get(head.source_kind, head.source_kind)
        title = what.capitalize() if head.order_number is None else f"{what.capitalize()} {head.order_number}"
        postings = [
            self._posting(line.account, line.tax_code, line.method, line.debit, line.credit) for line in entry.lines
        ]
        return Sent(
            f"{self.store_code}-{head.number}",
            entry.revision,
            head.business_date,
            title,
            self.run.names["terminals"].get(str(head.terminal_id), "") if head.terminal_id is not None else "",
            postings,
            head.number,
            head.sealed_on,
            head.posted_at,
            head.source_kind,
            head.source_id,
            head.order_number,
        )

    def _sides(self, each: ExportedSum) -> Iterator[SentPosting]:
        if each.debit:
            yield self._posting(each.account_id, each.tax_code, each.method, each.debit, 0)
        if each.credit:
            yield self._posting(each.account_id, each.tax_code, each.method, 0, each.credit)

    def code_of(self, account: str, tax_code: str, method: str) -> Code:
        """The code of what was posted so: there is one, or the run had been refused."""
        code = self.codes.find(account, tax_code, method)
        assert code is not None  # noqa: S101 - the run was refused otherwise
        return code

    def _posting(self, account: str, tax_code: str, method: str, debit: int, credit: int) -> SentPosting:
        return SentPosting(self.code_of(account, tax_code, method), account, tax_code, method, debit, credit)
