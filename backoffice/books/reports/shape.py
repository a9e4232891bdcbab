"""What a report is made of. Amounts are whole minor units of the sheet's currency; shares are hundredths of a per cent."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Literal, NamedTuple

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.domain.scalars import FIRST_YEAR, LAST_YEAR
from backoffice.fleet.models import Store
from backoffice.languages.texts import Words

MOST_DAYS = 366
USUAL_DAYS = 31
FIRST_DAY, LAST_DAY = date(FIRST_YEAR - 1, 12, 31), date(LAST_YEAR + 1, 1, 1)

Kind = Literal[
    "text",
    "day",
    "money",
    "rounded",
    "signed",
    "balance",
    "count",
    "number",
    "share",
    "rate",
    "code",
    "method",
    "line_kind",
]
Shading = Literal["", "row", "largest", "zero"]
"""How the shaded columns of a sheet are coloured: beside the largest of the row, of all, or around nothing."""
Page = Literal[
    "orders", "shift", "journal", "account", "cashier", "sales", "over-short", "weekdays", "over-short-weekdays"
]


class ReportRefused(Exception):
    """A report that cannot be given, in words for whoever asked."""


class Scope(NamedTuple):
    """One store or several, and business dates from `first` to `last`, both included; day by day, or all days in one.

    Without a store it is of those whose ids are in `among`; of all where that is None.
    """

    store: Store | None
    first: date
    last: date
    by_day: bool = True
    among: frozenset[int] | None = None


class Column(NamedTuple):
    """One column of a sheet; `key` is its name for programs."""

    key: str
    title: Words
    kind: Kind = "text"
    is_shaded: bool = False


class LeadsTo(NamedTuple):
    """The page of what a figure is the sum of, and what it is asked for."""

    page: Page
    query: Mapping[str, str]


class ReportRow(NamedTuple):
    """One row: a cell for each column, None where there is nothing to say; and for some, what it is the sum of."""

    cells: Mapping[str, Any]
    leads: Mapping[str, LeadsTo]


class Sheet(NamedTuple):
    """A table of one currency. `sums` are of all rows, and None where no sum means anything."""

    title: Words
    currency: str
    columns: Sequence[Column]
    rows: Sequence[ReportRow]
    sums: Mapping[str, int] | None = None
    note: Words = ""
    shading: Shading = ""


def make_scope(*, store: Store | None, first: date | None, last: date | None, today: date, weeks: int = 0) -> Scope:
    """The dates that were asked for; by default a month that ends today, or with the last. Raises ReportRefused.

    With `weeks`, by default so many of them until yesterday: today is no whole day yet.
    """
    last = last or (today - timedelta(days=1) if weeks else today)
    first = first or max(last - timedelta(days=(7 * weeks or USUAL_DAYS) - 1), FIRST_DAY)
    if not FIRST_DAY <= first <= last <= LAST_DAY:
        words = gettext("A report is of days from {first} to {last}, the first before the last.")
        raise ReportRefused(words.format(first=FIRST_DAY, last=LAST_DAY))
    if (last - first).days >= MOST_DAYS:
        raise ReportRefused(gettext("A report is of at most {days} days.").format(days=MOST_DAYS))
    return Scope(store, first, last)


def summed(columns: Sequence[Column], rows: Sequence[ReportRow]) -> dict[str, int]:
    """The sums of what can be added: amounts and counts."""
    return {
        column.key: sum(row.cells[column.key] or 0 for row in rows)
        for column in columns
        if column.kind in {"money", "signed", "count"}
    }


def make_sheet(
    title: Words,
    currency: str,
    columns: Sequence[Column],
    rows: Sequence[ReportRow],
    note: Words = "",
    *,
    shading: Shading = "",
) -> Sheet:
    """A sheet with the sums of its rows."""
    return Sheet(title, currency, columns, rows, summed(columns, rows), note, shading)


def shops() -> dict[int, Store]:
    """Every store by its key."""
    return {store.pk: store for store in Store.objects.all()}


def of_store(store: Store) -> dict[str, str]:
    """The cells that name a store: its code for programs, its name for people."""
    return {"store": store.code, "store_name": store.name}


def subject(scope: Scope, columns: Sequence[Column]) -> list[Column]:
    """The columns of a sheet, without that of the day where all days are in one row."""
    return [column for column in columns if scope.by_day or column.key != "day"]


STORE = Column("store_name", _("Store"))
DAY = Column("day", _("Business day"), "day")


def share(part: int, whole: int) -> int | None:
    """Hundredths of a per cent, rounded down; None of nothing."""
    return abs(part) * 10_000 // abs(whole) if whole else None
