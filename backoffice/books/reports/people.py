"""What an owner looks at twice: refunds without a receipt, and what cashiers do beside their peers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from backoffice.books.reports.figures import Figure, read_figures
from backoffice.books.reports.grouping import About, by_subject, to_orders, total_of
from backoffice.books.reports.shape import (
    DAY,
    STORE,
    Column,
    ReportRow,
    Scope,
    Sheet,
    make_sheet,
    of_store,
    share,
    shops,
    subject,
)
from backoffice.languages.texts import Words

CASHIER = Column("cashier", _("Cashier"))
NO_RECEIPT = (
    STORE,
    DAY,
    CASHIER,
    Column("receipt", _("Receipt")),
    Column("orders", _("Refunds"), "count"),
    Column("amount", _("Given back"), "money"),
)
# Beside each figure its share, and that of the store's other cashiers: of amounts of sales, or of the number of sales.
GIVEN: Mapping[str, Words] = {
    "refund": _("Refunds"),
    "no-receipt": _("Without receipt"),
    "discount": _("Discounts"),
}
UNUSUAL: Mapping[str, Words] = {"voided": _("Voided"), "out-of-hours": _("Out of hours")}
OF_CASHIER = (STORE, CASHIER, Column("sales_number", _("Sales"), "count"), Column("sales", _("Sold"), "money"))


def _beside(name: str, title: Words) -> tuple[Column, ...]:
    shares = (Column(f"{name}_bp", _("Share"), "share"), Column(f"{name}_peers_bp", _("Others"), "share"))
    return (Column(f"{name}_number", title, "count"), Column(name, _("Amount"), "money"), *shares)


RECEIPTS: Mapping[str, Words] = {"": _("none"), "unknown": _("not in the books")}


def no_receipt_report(scope: Scope) -> Iterator[Sheet]:
    """Refunds that name no original order, or one that is not in the books, by store, day and cashier."""
    stores = shops()
    found = by_subject(read_figures(scope, ("no-receipt",), by_day=scope.by_day, by_cashier=True))
    for currency in dict.fromkeys(about.currency for about in found):
        rows = []
        for about, figures in found.items():
            if about.currency != currency:
                continue
            for one in figures:
                cells: dict[str, Any] = {
                    "day": about.business_date,
                    "cashier": about.cashier,
                    "receipt": str(RECEIPTS[one.code]),
                }
                cells |= of_store(stores[about.store_id]) | {"orders": one.number, "amount": one.amount}
                rows.append(ReportRow(cells, {"orders": to_orders(scope, about, one.figure, code=one.code)}))
        yield make_sheet(_("Refunds without receipt"), currency, subject(scope, NO_RECEIPT), rows)


def risk_report(scope: Scope) -> Iterator[Sheet]:
    """Each cashier's refunds, discounts, voided and out-of-hours orders, as shares beside those of the store's others."""
    stores = shops()
    found = by_subject(read_figures(scope, ("sale", *GIVEN, *UNUSUAL), by_cashier=True))
    teams: dict[tuple[str, int], list[Figure]] = {}
    for about, figures in found.items():
        teams.setdefault((about.currency, about.store_id), []).extend(figures)
    for currency in dict.fromkeys(about.currency for about in found):
        mine = {about: figures for about, figures in found.items() if about.currency == currency}
        for title, names in (
            (_("Given back and taken off, by cashier"), GIVEN),
            (_("Voided, and out of hours, by cashier"), UNUSUAL),
        ):
            rows = [
                ReportRow(
                    of_store(stores[about.store_id])
                    | _risks(about, figures, team=teams[currency, about.store_id], names=names),
                    {name: to_orders(scope, about, name) for name in names}
                    | {"sales": to_orders(scope, about, "sale")},
                )
                for about, figures in mine.items()
            ]
            columns = [column for name, words in names.items() for column in _beside(name, words)]
            yield make_sheet(title, currency, (*OF_CASHIER, *columns), rows)


def _risks(
    about: About, figures: Sequence[Figure], *, team: Sequence[Figure], names: Mapping[str, Words]
) -> dict[str, Any]:
    sales, all_sales = total_of(figures, "sale"), total_of(team, "sale")
    cells: dict[str, Any] = {"cashier": about.cashier, "sales_number": sales.number, "sales": sales.amount}
    for name in names:
        own, everybody = total_of(figures, name), total_of(team, name)
        cells |= {name: own.amount, f"{name}_number": own.number}
        if name in GIVEN:
            part, whole = own.amount, sales.amount
            others, others_whole = everybody.amount - part, all_sales.amount - whole
        else:
            part, whole = own.number, sales.number
            others, others_whole = everybody.number - part, all_sales.number - whole
        cells |= {f"{name}_bp": share(part, whole), f"{name}_peers_bp": share(others, others_whole)}
    return cells
