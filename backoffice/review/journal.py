"""The books as the console shows them: one entry with its lines, and what entries come to."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.db.models import Sum
from django.utils.translation import gettext

from backoffice.ledger.models import EntrySource, JournalLine
from backoffice.review.words import SOURCES


class EntryLines(NamedTuple):
    """The lines of a journal entry, with the sum of each side; the two are equal.

    `business_date` is the day on which it stands in the books: another than that of its shift where that was locked.
    """

    entry_id: int
    business_date: date
    lines: list[JournalLine]
    debit: int
    credit: int


def entry_of(*, source_kind: str, source_id: UUID, source_number: int = 0) -> EntryLines | None:
    """The entry that something was posted with; None if it posted nothing, as with voided orders."""
    key = (source_kind, source_id, source_number)
    source = EntrySource.objects.filter(pk=key).first()
    return None if source is None else read_entry(source.entry_id, source.business_date)


def entries_of(order_id: UUID) -> list[tuple[str, EntryLines]]:
    """Every entry of an order, each with what it was posted for: its own, corrections of its payments, its reversal."""
    sources = EntrySource.objects.filter(source_kind__in=["order", "retender", "void"], source_id=order_id)
    return [
        (_heading(source.source_kind), read_entry(source.entry_id, source.business_date))
        for source in sources.order_by("entry_id")
    ]


def _heading(source_kind: str) -> str:
    what = str(SOURCES[source_kind])
    return gettext("Journal entry: {what}").format(what=what[:1].lower() + what[1:])


def read_entry(entry_id: int, business_date: date) -> EntryLines:
    """The lines of one entry; only the month that they are in is read."""
    lines = list(JournalLine.objects.filter(entry_id=entry_id, business_date=business_date).select_related("account"))
    return EntryLines(
        entry_id, business_date, lines, sum(line.debit for line in lines), sum(line.credit for line in lines)
    )


def entry_amounts(entries: Iterable[tuple[int, date]]) -> dict[int, int]:
    """The sum of debits of each entry, by its id. One statement."""
    wanted = dict(entries)
    rows = (
        JournalLine.objects.filter(entry_id__in=wanted, business_date__in=set(wanted.values()))
        .order_by()
        .values_list("entry_id")
        .annotate(Sum("debit"))
    )
    return dict(rows)
