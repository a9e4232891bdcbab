"""The week at a glance: stores by weekday, and of one store its weeks day by day. Sales, and over and short.

They are added up from what the reports of sales, and of over and short, are made of: no order is read that these do not read.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext_lazy as _

from backoffice.books.reports.cash import over_short_by_day
from backoffice.books.reports.figures import read_figures
from backoffice.books.reports.shape import (
    STORE,
    Column,
    Kind,
    LeadsTo,
    Page,
    ReportRow,
    Scope,
    Sheet,
    make_sheet,
    of_store,
    shops,
)

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEK = Column("week", _("Week from"), "day")
BESIDE_THE_BEST = _(
    "The stronger the colour, the nearer to the best weekday of the same store. An average is of days with sales."
)
BESIDE_THE_BEST_DAY = _("The stronger the colour, the nearer to the best of these days.")
AROUND_ZERO = _("Blue is over, orange is short; the stronger the colour, the further from nothing.")

Days = Mapping[date, int]
"""What each business day of a store came to, in minor units."""


def sales_weekdays_report(scope: Scope) -> Iterator[Sheet]:
    """Sales less refunds: of each store an average day by weekday; of one store every day, by week."""
    stores = shops()
    for currency, found in sorted(_sold(scope).items()):
        if scope.store is not None:
            rows = _weeks(scope.store.pk, found[scope.store.pk], page="sales")
            columns = (WEEK, *_columns("money"), Column("together", _("Week"), "money"))
            yield make_sheet(_("Sold, day by day"), currency, columns, rows, BESIDE_THE_BEST_DAY, shading="largest")
            continue
        rows = [_usual_week(scope, stores[key], found[key]) for key in sorted(found)]
        columns = (STORE, *_columns("rounded"), Column("usual_day", _("Any day"), "rounded"))
        yield Sheet(_("Sold on an average day"), currency, columns, rows, note=BESIDE_THE_BEST, shading="row")


def over_short_weekdays_report(scope: Scope) -> Iterator[Sheet]:
    """Over and short of counted shifts: of each store the sum by weekday; of one store every day, by week."""
    stores = shops()
    for currency, found in sorted(over_short_by_day(scope).items()):
        if scope.store is not None:
            rows = _weeks(scope.store.pk, found[scope.store.pk], page="over-short")
            columns = (WEEK, *_columns("signed"), Column("together", _("Week"), "signed"))
            yield make_sheet(_("Over and short, day by day"), currency, columns, rows, AROUND_ZERO, shading="zero")
            continue
        rows = [
            ReportRow(
                of_store(stores[key]) | _by_weekday(found[key]) | {"together": sum(found[key].values())},
                {"store_name": _to_its_weeks(scope, key, page="over-short-weekdays")},
            )
            for key in sorted(found)
        ]
        columns = (STORE, *_columns("signed"), Column("together", _("Together"), "signed"))
        yield make_sheet(_("Over and short by weekday"), currency, columns, rows, AROUND_ZERO, shading="zero")


def _columns(kind: Kind) -> tuple[Column, ...]:
    return tuple(Column(key, WEEKDAYS_ABBR[place], kind, is_shaded=True) for place, key in enumerate(WEEKDAYS))


def _sold(scope: Scope) -> dict[str, dict[int, dict[date, int]]]:
    """Sales less refunds by currency, store and business day."""
    sold: dict[str, dict[int, dict[date, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for one in read_figures(scope, ("sale", "refund"), by_day=True):
        if one.business_date is not None:
            sold[one.currency][one.store_id][one.business_date] += one.amount
    return sold


def _by_weekday(days: Days) -> dict[str, int | None]:
    """What the days of each weekday come to; None where there is none."""
    sums: dict[str, int | None] = dict.fromkeys(WEEKDAYS)
    for day, amount in days.items():
        key = WEEKDAYS[day.weekday()]
        sums[key] = (sums[key] or 0) + amount
    return sums


def _usual_week(scope: Scope, store: Any, days: Days) -> ReportRow:
    """An average day of each weekday, in minor units, half to even; and of all days."""
    counts = [sum(day.weekday() == place for day in days) for place in range(len(WEEKDAYS))]
    sums = _by_weekday(days)
    cells: dict[str, Any] = {
        key: None if sums[key] is None else round((sums[key] or 0) / count)
        for key, count in zip(WEEKDAYS, counts, strict=True)
    }
    cells |= of_store(store) | {"usual_day": round(sum(days.values()) / len(days)), "days": len(days)}
    return ReportRow(cells, {"store_name": _to_its_weeks(scope, store.pk, page="weekdays")})


def _weeks(store_id: int, days: Days, *, page: Page) -> Sequence[ReportRow]:
    """A row for each week from its Monday, the latest first; each day leads to its report."""
    weeks: dict[date, dict[date, int]] = defaultdict(dict)
    for day, amount in days.items():
        weeks[day - timedelta(days=day.weekday())][day] = amount
    rows = []
    for monday, of_week in sorted(weeks.items(), reverse=True):
        cells = {"week": monday, **_by_weekday(of_week), "together": sum(of_week.values())}
        leads = {WEEKDAYS[day.weekday()]: LeadsTo(page, _query(store_id, day, day)) for day in of_week}
        rows.append(ReportRow(cells, leads))
    return rows


def _to_its_weeks(scope: Scope, store_id: int, *, page: Page) -> LeadsTo:
    return LeadsTo(page, _query(store_id, scope.first, scope.last))


def _query(store_id: int, first: date, last: date) -> dict[str, str]:
    return {"store": str(store_id), "first": str(first), "last": str(last)}
