"""What a run sends, read page by page: no statement is long, and memory holds one page.

A revision is a closed set, so that pages need no common snapshot: nothing is added to it between two of them.
"""

import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from backoffice.books.exports.models import ExportRevision, ExportRun

PAGE = 2_000
# Where days are merged, each has a page in memory: they share this many entries, and none has less than the second.
MERGED, LEAST_PAGE = 20_000, 50

# Entries of one revision by their seal numbers. With payments, a line that equals what was paid by the methods of its account
# is divided among them: an order's, or turned round that of its void. What cannot be told apart has no method.
ENTRIES = """
WITH entry AS MATERIALIZED (
    SELECT f.number, f.day AS sealed_on, e.id, e.business_date, e.terminal_id, e.shift_id, e.source_kind, e.source_id,
        e.source_number, e.posted_at
    FROM evidence_leaf f JOIN ledger_journalentry e ON e.id = f.row_id AND e.business_date = f.business_date
    WHERE f.kind = 'entry' AND f.store_id = %(store_id)s AND f.business_date = %(day)s
        AND f.number > %(after)s AND f.number <= %(upto)s AND e.currency = %(currency)s
    ORDER BY f.number LIMIT %(most)s
), paid AS (
    SELECT id, account, is_debit, method, amount, sum(amount) OVER (PARTITION BY id, account, is_debit) AS together FROM (
        SELECT e.id, m.value AS account, (p.amount > 0) = (e.source_kind = 'order') AS is_debit, p.method,
            sum(abs(p.amount))::bigint AS amount
        FROM entry e
        JOIN ledger_entrysource s ON s.source_kind = 'order' AND s.source_id = e.source_id AND s.source_number = 0
        JOIN sales_payment p ON p.order_id = s.entry_id AND p.business_date = s.business_date
        JOIN jsonb_each_text(%(methods)s::jsonb) m ON m.key = p.method
        WHERE e.source_kind IN ('order', 'void') AND p.amount <> 0 AND %(methods)s::jsonb <> '{}'::jsonb GROUP BY 1, 2, 3, 4
    ) AS by_method
), line AS (
    SELECT e.id, l.position, l.account_id, l.tax_code, coalesce(p.method, '') AS method,
        CASE WHEN l.debit > 0 THEN coalesce(p.amount, l.debit) ELSE 0 END AS debit,
        CASE WHEN l.credit > 0 THEN coalesce(p.amount, l.credit) ELSE 0 END AS credit
    FROM entry e JOIN ledger_journalline l ON l.entry_id = e.id AND l.business_date = e.business_date
    LEFT JOIN paid p ON p.id = e.id AND p.account = l.account_id AND p.is_debit = (l.debit > 0)
        AND p.together = l.debit + l.credit AND l.tax_code = ''
)
"""
_LINES = """
SELECT e.number, e.sealed_on, e.business_date, e.terminal_id, e.shift_id, e.source_kind, e.source_id, e.source_number,
    e.posted_at, o.number AS order_number, l.account_id, l.tax_code, l.method, l.debit, l.credit
FROM entry e JOIN line l USING (id)
LEFT JOIN ledger_entrysource s ON s.source_kind = 'order' AND s.source_id = e.source_id AND s.source_number = 0
LEFT JOIN sales_order o ON o.id = s.entry_id AND o.business_date = s.business_date
ORDER BY e.number, l.position, l.method
"""
_SUMS = """
SELECT account_id, tax_code, method, sum(debit)::bigint, sum(credit)::bigint FROM line GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
SELECT_LINES = ENTRIES + _LINES
SELECT_SUMS = ENTRIES + _SUMS
EVERYTHING = 2**31 - 1


class SentLine(NamedTuple):
    """One line of an entry as it is sent, in minor units, with what is said of its entry."""

    number: int
    sealed_on: date
    business_date: date
    terminal_id: int | None
    shift_id: UUID | None
    source_kind: str
    source_id: UUID
    source_number: int
    posted_at: datetime
    order_number: int | None
    account: str
    tax_code: str
    method: str
    debit: int
    credit: int


class SentEntry(NamedTuple):
    """One entry of a revision; all lines say the same of it."""

    revision: str
    lines: Sequence[SentLine]

    @property
    def head(self) -> SentLine:
        return self.lines[0]


class MovedSum(NamedTuple):
    """What moved, in minor units."""

    account: str
    tax_code: str
    method: str
    debit: int
    credit: int


class Range(NamedTuple):
    """Entries of a store and business date, by their seal numbers: above `after`, up to `upto`."""

    store_id: int
    day: date
    after: int
    upto: int
    currency: str
    methods: Mapping[str, str]

    def parameters(self, *, after: int, most: int) -> dict[str, Any]:
        return {
            "store_id": self.store_id,
            "day": self.day,
            "after": after,
            "upto": self.upto,
            "currency": self.currency,
            "methods": json.dumps(self.methods, sort_keys=True),
            "most": most,
        }


def range_of(run: ExportRun, revision: ExportRevision) -> Range:
    """What a revision of a run holds."""
    day, methods = revision.business_date, run.names["methods"]
    return Range(revision.store_id, day, revision.after, revision.upto, run.currency, methods)


def sums_of(found: Range) -> list[MovedSum]:
    """What the entries of a range move."""
    with connection.cursor() as cursor:
        cursor.execute(SELECT_SUMS, found.parameters(after=found.after, most=EVERYTHING))
        return [MovedSum._make(row) for row in cursor.fetchall()]


def entries_by_day(run: ExportRun, revisions: Sequence[ExportRevision]) -> Iterator[SentEntry]:
    """The entries of a run, day after day, each day by its seal numbers."""
    for revision in revisions:
        yield from _entries(run, revision, page=PAGE)


def entries_by_number(run: ExportRun, revisions: Sequence[ExportRevision]) -> Iterator[SentEntry]:
    """The entries of a run by their seal numbers, whatever their day."""
    page = max(LEAST_PAGE, MERGED // max(1, len(revisions)))
    days = [_entries(run, revision, page=page) for revision in revisions]
    return heapq.merge(*days, key=lambda entry: entry.head.number)


def _entries(run: ExportRun, revision: ExportRevision, *, page: int) -> Iterator[SentEntry]:
    found, after = range_of(run, revision), revision.after
    while lines := _page(found, after=after, most=page):
        for _, of_entry in groupby(lines, key=lambda line: line.number):
            yield SentEntry(revision.reference, list(of_entry))
        after = lines[-1].number


def _page(found: Range, *, after: int, most: int) -> list[SentLine]:
    with connection.cursor() as cursor:
        cursor.execute(SELECT_LINES, found.parameters(after=after, most=most))
        return [SentLine._make(row) for row in cursor.fetchall()]
