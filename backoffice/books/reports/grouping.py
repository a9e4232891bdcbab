"""Figures put together by what a row of a report is about."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from backoffice.books.reports.figures import Figure
from backoffice.books.reports.shape import LeadsTo, Scope


class About(NamedTuple):
    """What a row is about: a store's sales in a currency, of one day or all, of one cashier or all."""

    currency: str
    store_id: int
    business_date: date | None
    cashier: str | None


NOTHING = Figure(0, None, None, "", "", "", "", 0, 0, 0, 0)


def by_subject(figures: Iterable[Figure]) -> dict[About, list[Figure]]:
    """The figures of each row, in the order of currencies, stores, days, cashiers."""
    found: dict[About, list[Figure]] = defaultdict(list)
    for one in figures:
        found[About(one.currency, one.store_id, one.business_date, one.cashier)].append(one)
    order = sorted(
        found, key=lambda about: (about.currency, about.store_id, about.business_date or date.min, about.cashier or "")
    )
    return {about: sorted(found[about], key=lambda one: (one.figure, one.code, one.rate)) for about in order}


def total_of(figures: Iterable[Figure], name: str) -> Figure:
    """The sum of what is called so, whatever its code; zeros where there is none."""
    total = NOTHING._replace(figure=name)
    for one in figures:
        if one.figure == name:
            total = total.plus(one)
    return total


def to_orders(scope: Scope, about: About, figure: str, *, code: str | None = None, rate: str | None = None) -> LeadsTo:
    """Leads to the orders of a figure of a row."""
    query: dict[str, str] = {
        "store": str(about.store_id),
        "first": str(about.business_date or scope.first),
        "last": str(about.business_date or scope.last),
        "figure": figure,
    }
    optional: Mapping[str, str | None] = {"code": code, "rate": rate, "cashier": about.cashier}
    query |= {f"by_{name}": "1" for name, value in optional.items() if value is not None}
    return LeadsTo("orders", query | {name: value for name, value in optional.items() if value})
