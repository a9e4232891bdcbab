"""Every report by its name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from backoffice.books.evidence.balance import one_moment
from backoffice.books.reports.cash import not_banked_report, over_short_report
from backoffice.books.reports.people import no_receipt_report, risk_report
from backoffice.books.reports.sales import offline_report, sales_summary, tax_report
from backoffice.books.reports.shape import Scope, Sheet
from backoffice.books.reports.weekdays import over_short_weekdays_report, sales_weekdays_report
from backoffice.languages.texts import Words

# Of weekdays there should be several: two months of them.
WEEKS_SHOWN = 8


class ReportKind(NamedTuple):
    """One report: what it is called, what it says, whose kind of row it is made of, and how it is made.

    By default it is of a month, or of so many `weeks` until yesterday.
    """

    name: str
    title: Words
    intro: Words
    empty: Words
    of: str
    make: Callable[[Scope], Iterator[Sheet]]
    weeks: int = 0


REPORTS: Mapping[str, ReportKind] = {
    kind.name: kind
    for kind in (
        ReportKind(
            "sales",
            _("Sales summary"),
            _("What was sold and given back, by store and business day, with its taxes and how it was paid."),
            _("Nothing was sold on these days"),
            "order",
            sales_summary,
        ),
        ReportKind(
            "weekdays",
            _("Sales by weekday"),
            _("What each store sells on each day of the week. A store leads to its weeks."),
            _("Nothing was sold on these days"),
            "order",
            sales_weekdays_report,
            WEEKS_SHOWN,
        ),
        ReportKind(
            "tax",
            _("Tax report"),
            _("Taxes from the lines of orders, so that zero rates show, beside what was posted."),
            _("Nothing was sold on these days"),
            "order",
            tax_report,
        ),
        ReportKind(
            "over-short",
            _("Over and short"),
            _("What drawers held more or less than they should have, by cashier, terminal and store."),
            _("No drawer was counted on these days"),
            "shift",
            over_short_report,
        ),
        ReportKind(
            "over-short-weekdays",
            _("Over and short by weekday"),
            _("On which days of the week drawers are over or short. A store leads to its weeks."),
            _("No drawer was counted on these days"),
            "shift",
            over_short_weekdays_report,
            WEEKS_SHOWN,
        ),
        ReportKind(
            "no-receipt",
            _("Refunds without receipt"),
            _("Refunds that name no original order, or one that is not in the books."),
            _("No refund without receipt on these days"),
            "order",
            no_receipt_report,
        ),
        ReportKind(
            "risk",
            _("Risk"),
            _("Each cashier beside the others of the store. A high share is a question, not an answer."),
            _("Nothing was sold on these days"),
            "order",
            risk_report,
        ),
        ReportKind(
            "cash",
            _("Cash not banked"),
            _("Cash in drawers, in the safe and on its way, and how each day moved the safe."),
            _("No cash moved until the end of these days"),
            "journalentry",
            not_banked_report,
        ),
        ReportKind(
            "offline",
            _("Made offline"),
            _("Orders that tills made while they could not reach us, beside all orders."),
            _("No order was made offline on these days"),
            "order",
            offline_report,
        ),
    )
}


def make_report(name: str, scope: Scope) -> list[Sheet]:
    """The sheets of a report as of one moment: those that have rows. Raises KeyError for a name that is none."""
    with one_moment():
        return [sheet for sheet in REPORTS[name].make(scope) if sheet.rows]


def report_json(name: str, scope: Scope, sheets: Sequence[Sheet]) -> dict[str, Any]:
    """A report for programs: amounts in minor units, days as `2026-03-01`, shares in hundredths of a per cent (`_bp`)."""
    return {
        "report": name,
        "store": None if scope.store is None else scope.store.code,
        "from": str(scope.first),
        "to": str(scope.last),
        "sheets": [
            {
                "title": str(sheet.title),
                "currency": sheet.currency,
                "rows": [{key: _plain(value) for key, value in row.cells.items()} for row in sheet.rows],
                "sums": sheet.sums,
            }
            for sheet in sheets
        ],
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, date) else value
