"""What was sold: the sales summary, taxes from the lines, and what was sold offline."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from backoffice.books.evidence.balance import accounts_moved
from backoffice.books.reports.figures import Figure, read_figures
from backoffice.books.reports.grouping import About, by_subject, to_orders, total_of
from backoffice.books.reports.shape import (
    DAY,
    STORE,
    Column,
    LeadsTo,
    ReportRow,
    Scope,
    Sheet,
    make_sheet,
    of_store,
    share,
    shops,
    subject,
    summed,
)
from backoffice.domain.accounts import TAX_PAYABLE

DAYS = (
    STORE,
    DAY,
    Column("sales_number", _("Sales"), "count"),
    Column("sales", _("Sold"), "money"),
    Column("refunds_number", _("Refunds"), "count"),
    Column("refunds", _("Given back"), "money"),
    Column("net", _("Net of tax"), "money"),
    Column("tax", _("Tax"), "money"),
    Column("rounding", _("Rounding"), "money"),
    Column("tips", _("Tips"), "money"),
    Column("paid", _("Paid in all"), "money"),
)
TAXES = (
    Column("tax_code", _("Tax code"), "code"),
    Column("rate", _("Rate"), "rate"),
    Column("orders", _("Orders"), "count"),
    Column("net", _("Net"), "money"),
    Column("tax", _("Tax"), "money"),
    Column("gross", _("With tax"), "money"),
)
METHODS = (
    Column("method", _("Paid by"), "method"),
    Column("orders", _("Orders"), "count"),
    Column("amount", _("Amount"), "money"),
)
LINES = (
    Column("line_kind", _("Kind of line"), "line_kind"),
    Column("orders", _("Orders"), "count"),
    Column("net", _("Net of tax"), "money"),
    Column("amount", _("As on the receipt"), "money"),
)
BESIDE_LEDGER = (
    STORE,
    Column("of_lines", _("Tax of the lines"), "money"),
    Column("in_ledger", _("Posted to 2100"), "money"),
    Column("difference", _("Difference"), "money"),
)
OFFLINE = (
    STORE,
    DAY,
    Column("orders", _("Orders made offline"), "count"),
    Column("amount", _("Amount"), "money"),
    Column("of_orders", _("Of all orders"), "count"),
    Column("share_bp", _("Share"), "share"),
)


def sales_summary(scope: Scope) -> Iterator[Sheet]:
    """Store × day, and the same by tax, by payment method and by kind of line."""
    names = ("sale", "refund", "tip", "rounding", "tax", "method", "line")
    stores = shops()
    found = by_subject(read_figures(scope, names, by_day=scope.by_day))
    for currency in dict.fromkeys(about.currency for about in found):
        mine = {about: figures for about, figures in found.items() if about.currency == currency}
        days = [
            ReportRow(of_store(stores[about.store_id]) | _day(about, each), _leads(scope, about))
            for about, each in mine.items()
        ]
        yield make_sheet(_("By store and day") if scope.by_day else _("By store"), currency, subject(scope, DAYS), days)
        parts = (
            ("tax", _("By tax"), TAXES),
            ("method", _("By payment method"), METHODS),
            ("line", _("By kind of line"), LINES),
        )
        for name, title, columns in parts:
            rows = [
                ReportRow(
                    of_store(stores[about.store_id]) | {"day": about.business_date} | _part(one),
                    {"orders": _to(scope, about, one)},
                )
                for about, figures in mine.items()
                for one in figures
                if one.figure == name
            ]
            shown = subject(scope, (STORE, DAY, *columns))
            yield Sheet(title, currency, shown, rows, _sums_of_part(name, columns, rows))


def _day(about: About, figures: Sequence[Figure]) -> dict[str, Any]:
    sales, refunds = total_of(figures, "sale"), total_of(figures, "refund")
    return {
        "day": about.business_date,
        "sales_number": sales.number,
        "sales": sales.amount,
        "refunds_number": refunds.number,
        "refunds": refunds.amount,
        "net": sales.net + refunds.net,
        "tax": sales.tax + refunds.tax,
        "rounding": total_of(figures, "rounding").amount,
        "tips": total_of(figures, "tip").amount,
        "paid": total_of(figures, "method").amount,
    }


def _leads(scope: Scope, about: About) -> dict[str, LeadsTo]:
    figures = {
        "sales": "sale",
        "refunds": "refund",
        "tips": "tip",
        "rounding": "rounding",
        "tax": "tax",
        "paid": "method",
    }
    return {key: to_orders(scope, about, figure) for key, figure in figures.items()}


def _part(one: Figure) -> dict[str, Any]:
    """The cells of a figure by tax, by payment method or by kind of line."""
    named = {"tax": "tax_code", "method": "method", "line": "line_kind"}[one.figure]
    cells: dict[str, Any] = {named: one.code, "orders": one.number, "amount": one.amount}
    if one.figure == "tax":
        cells |= {"rate": one.rate or None, "tax": one.tax, "gross": one.amount}
    return cells if one.figure == "method" else cells | {"net": one.net}


def _sums_of_part(name: str, columns: Sequence[Column], rows: Sequence[ReportRow]) -> dict[str, int]:
    """What of a part can be added up: an order with two methods is counted in the row of each, and a line with two
    taxes is net of both in each.
    """
    sums = summed(columns, rows)
    return {key: sums[key] for key in sums if key == "tax" or (name != "tax" and key != "orders")}


def _to(scope: Scope, about: About, one: Figure) -> LeadsTo:
    return to_orders(scope, about, one.figure, code=one.code, rate=one.rate)


def tax_report(scope: Scope) -> Iterator[Sheet]:
    """Store × tax code × rate from the lines, so that zero rates show; and what the ledger has of it."""
    stores = shops()
    found = by_subject(read_figures(scope, ("tax",)))
    posted: dict[tuple[str, int], int] = {}
    for row in accounts_moved(
        store=scope.store, among=scope.among, accounts=[TAX_PAYABLE], since=scope.first, at=scope.last
    ):
        posted[row.currency, row.store_id] = row.credit - row.debit
    for currency in sorted({about.currency for about in found} | {currency for currency, store_id in posted}):
        mine = {about: figures for about, figures in found.items() if about.currency == currency}
        rows = [
            ReportRow(of_store(stores[about.store_id]) | _part(one), {"orders": _to(scope, about, one)})
            for about, figures in mine.items()
            for one in figures
        ]
        # A line with two taxes is net of both once in each: nets of different codes are not added up.
        yield Sheet(
            _("Tax by code and rate"), currency, (STORE, *TAXES), rows, {"tax": sum(row.cells["tax"] for row in rows)}
        )
        taxes = {about.store_id: total_of(figures, "tax").tax for about, figures in mine.items()}
        ids = sorted({*taxes, *(store_id for other, store_id in posted if other == currency)})
        rows = [_beside(scope, stores[key], taxes.get(key, 0), posted.get((currency, key), 0)) for key in ids]
        yield make_sheet(
            _("Beside the ledger"),
            currency,
            BESIDE_LEDGER,
            rows,
            _("A difference is tax of these days that was posted on others, or the other way round."),
        )


def _beside(scope: Scope, store: Any, of_lines: int, in_ledger: int) -> ReportRow:
    cells = of_store(store) | {"of_lines": of_lines, "in_ledger": in_ledger, "difference": of_lines - in_ledger}
    return ReportRow(cells, {"in_ledger": to_account(scope, store.pk, TAX_PAYABLE)})


def to_account(scope: Scope, store_id: int, account: str) -> LeadsTo:
    """Leads to the days of an account in a store."""
    query = {"store": str(store_id), "account": account, "since": str(scope.first), "at": str(scope.last)}
    return LeadsTo("account", query)


def offline_report(scope: Scope) -> Iterator[Sheet]:
    """Orders made offline, beside all, by store and day."""
    stores = shops()
    found = by_subject(read_figures(scope, ("sale", "refund", "offline"), by_day=scope.by_day))
    for currency in dict.fromkeys(about.currency for about in found):
        rows = []
        for about, figures in found.items():
            offline = total_of(figures, "offline")
            if about.currency == currency and offline.number:
                every = total_of(figures, "sale").number + total_of(figures, "refund").number
                cells: dict[str, Any] = {
                    "day": about.business_date,
                    "orders": offline.number,
                    "amount": offline.amount,
                    "of_orders": every,
                }
                cells |= of_store(stores[about.store_id]) | {"share_bp": share(offline.number, every)}
                rows.append(ReportRow(cells, {"orders": to_orders(scope, about, "offline")}))
        if rows:
            yield make_sheet(_("Made offline"), currency, subject(scope, OFFLINE), rows)
