"""The charts of the dashboard as Unfold's chart components take them: Chart.js' data and options as JSON.

Amounts are in units of their currency here, since they are drawn. Beside each chart stand its figures as text.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from django.utils.translation import gettext as _

from backoffice.books.reports.cashier import CashierTrend
from backoffice.review.sync import SyncState
from backoffice.review.today import HourSold, StoreToday
from backoffice.review.waiting import HeldAtDay, Waited

TODAY, LAST_WEEK = "var(--c-chart)", "var(--c-chart-quiet)"
STATE_COLOURS = {"red": "var(--c-red)", "amber": "var(--c-amber)", "blue": "var(--c-blue)", "green": "var(--c-green)"}
CURRENCIES_DRAWN, STORES_DRAWN = 3, 12
# A till whose clock is wrong may close an order at any hour: the chart shows those of a business day and the night after.
HOURS_DRAWN = range(30)


class Chart(NamedTuple):
    """One chart: its title, what it says to whoever cannot see it, its data, and its figures as rows of a table."""

    key: str
    title: str
    said: str
    data: str
    options: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Any]]]
    currency: str = ""


def _options(*, sideways: bool = False, legend: bool = True, counts: bool = False, bare_up_to: int = 0) -> str:
    """Chart.js' options. `counts` are whole numbers; a bare chart is one stacked bar of so many, without its axes."""
    is_bare = bare_up_to > 0
    colour = {"color": "#8a8f98"}
    values = {"beginAtZero": True, "ticks": colour | ({"precision": 0} if counts else {}), "display": not is_bare}
    if is_bare:
        values["max"] = bare_up_to
    names = {"ticks": colour | {"autoSkip": not sideways}, "grid": {"display": False}, "display": not is_bare}
    if is_bare:
        values["stacked"] = names["stacked"] = True
    return json.dumps(
        {
            "animation": False,
            "responsive": True,
            "maintainAspectRatio": False,
            "indexAxis": "y" if sideways else "x",
            "interaction": {"mode": "index", "intersect": False},
            "plugins": {
                "legend": {"display": legend, "align": "end", "labels": colour | {"usePointStyle": True}},
                "tooltip": {"enabled": not is_bare},
            },
            "scales": {"x": values, "y": names} if sideways else {"x": names, "y": values},
        }
    )


def _set(label: str, values: Sequence[float | int | None], colour: str | list[str], **more: Any) -> dict[str, Any]:
    return {"label": label, "data": list(values), "backgroundColor": colour, "borderColor": colour, **more}


def _units(minor: int, currency: str) -> float:
    return float(Decimal(minor).scaleb(-get_currency_precision(currency)))


def sales_by_hour(sold: Sequence[HourSold]) -> list[Chart]:
    """For each of the currencies with the most orders: today by the hour, beside the same weekday last week."""
    sums: dict[str, dict[bool, dict[int, int]]] = defaultdict(lambda: {True: defaultdict(int), False: defaultdict(int)})
    orders: dict[str, int] = defaultdict(int)
    for one in sold:
        orders[one.currency] += one.orders
        if one.hour in HOURS_DRAWN:
            sums[one.currency][one.is_today][one.hour] += one.net
    charts = []
    for currency in sorted(sums, key=lambda name: -orders[name])[:CURRENCIES_DRAWN]:
        today, before = sums[currency][True], sums[currency][False]
        hours = range(min([*today, *before]), max([*today, *before]) + 1)
        names = [f"{hour % 24:02}:00" for hour in hours]
        data = {
            "labels": names,
            "datasets": [
                _set(
                    _("Today"),
                    [_units(today.get(hour, 0), currency) for hour in hours],
                    TODAY,
                    borderRadius=3,
                    order=2,
                    pointStyle="rect",
                ),
                _set(
                    _("Same weekday last week"),
                    [_units(before.get(hour, 0), currency) for hour in hours],
                    LAST_WEEK,
                    type="line",
                    borderDash=[5, 4],
                    pointRadius=0,
                    pointStyle="line",
                    order=1,
                ),
            ],
        }
        charts.append(
            Chart(
                f"hours-{currency}",
                _("Sold today by the hour, in %(currency)s") % {"currency": currency},
                _("Bars: today. Line: the same weekday last week."),
                json.dumps(data),
                _options(),
                [_("Hour"), _("Today"), _("Last week")],
                [(name, [today.get(hour, 0), before.get(hour, 0)]) for name, hour in zip(names, hours, strict=True)],
                currency,
            )
        )
    return charts


def sales_by_store(today: Sequence[StoreToday]) -> list[Chart]:
    """For each currency with several stores: those that sold the most, beside last week by this time of the day."""
    charts = []
    for currency in list(dict.fromkeys(row.currency for row in today))[:CURRENCIES_DRAWN]:
        rows = [row for row in today if row.currency == currency and (row.orders or row.last_week)]
        rows = sorted(rows, key=lambda row: -max(row.net, row.last_week))[:STORES_DRAWN]
        if len(rows) < 2:  # noqa: PLR2004 - one bar is no comparison
            continue
        data = {
            "labels": [row.store.name for row in rows],
            "datasets": [
                _set(_("Today"), [_units(row.net, currency) for row in rows], TODAY, borderRadius=3, pointStyle="rect"),
                _set(
                    _("Last week by this time"),
                    [_units(row.last_week, currency) for row in rows],
                    LAST_WEEK,
                    borderRadius=3,
                    pointStyle="rect",
                ),
            ],
        }
        charts.append(
            Chart(
                f"stores-{currency}",
                _("Sold today by store, in %(currency)s") % {"currency": currency},
                _("For each store two bars: today, and last week by this time of the day."),
                json.dumps(data),
                _options(sideways=True),
                [_("Store"), _("Today"), _("Last week by now")],
                [(row.store.name, [row.net, row.last_week]) for row in rows],
                currency,
            )
        )
    return charts


def terminals_by_state(states: Sequence[tuple[SyncState, int]]) -> Chart:
    """How many terminals are in each state; the list beside it leads to them."""
    data = {
        "labels": [""],
        "datasets": [
            _set(str(state.value.text), [count], STATE_COLOURS.get(state.value.colour, LAST_WEEK), borderRadius=3)
            for state, count in states
        ],
    }
    return Chart(
        "states",
        _("Terminals by state"),
        ", ".join(f"{state.value.text}: {count:,}" for state, count in states),
        json.dumps(data),
        _options(sideways=True, legend=False, bare_up_to=max(1, sum(count for _state, count in states))),
        (),
        (),
    )


def waiting_over_time(waited: Sequence[Waited], zone: str) -> Chart:
    """Uploads that waited at each hour of the last day."""
    names = [f"{one.at.astimezone(ZoneInfo(zone)):%H:%M}" for one in waited]
    counts = [one.number for one in waited]
    return Chart(
        "waiting",
        _("Uploads waiting, last 24 hours"),
        _("At most %(most)s at a full hour, %(now)s now.") % {"most": max(counts), "now": counts[-1]},
        json.dumps({"labels": names, "datasets": [_bars(_("Uploads waiting"), counts)]}),
        _options(legend=False, counts=True),
        [_("Time"), _("Uploads")],
        [(name, [count]) for name, count in zip(names, counts, strict=True)],
    )


def held_over_time(held: Sequence[HeldAtDay]) -> Chart:
    """What was held at the end of each of the last days."""
    names = [f"{one.day.day} {one.day:%b}" for one in held]
    counts = [one.number for one in held]
    return Chart(
        "held",
        _("Waiting for a decision, last 14 days"),
        _("At most %(most)s at the end of a day, %(now)s now.") % {"most": max(counts), "now": counts[-1]},
        json.dumps({"labels": names, "datasets": [_bars(_("Waiting for a decision"), counts)]}),
        _options(legend=False, counts=True),
        [_("Day"), _("Held")],
        [(name, [count]) for name, count in zip(names, counts, strict=True)],
    )


def over_short_by_shift(trend: CashierTrend) -> Chart:
    """The shifts of a cashier, the last at the right; beside each what the others of its day were over or short."""
    names = [f"{one.shift.business_date.day} {one.shift.business_date:%b}" for one in trend.shifts]
    own = [_units(one.over_short, trend.currency) for one in trend.shifts]
    others = [None if one.others is None else _units(one.others, trend.currency) for one in trend.shifts]
    line = {"type": "line", "borderDash": [5, 4], "pointRadius": 2, "pointStyle": "line", "spanGaps": True, "order": 1}
    data = {
        "labels": names,
        "datasets": [
            _set(trend.own.cashier, own, TODAY, borderRadius=3, order=2, pointStyle="rect"),
            _set(_("The others, on average"), others, LAST_WEEK, **line),
        ],
    }
    return Chart(
        "cashier",
        _("Over and short, shift by shift, in %(currency)s") % {"currency": trend.currency},
        _("Bars: this cashier; above the line over, below it short. Line: the others of the same day, on average."),
        json.dumps(data),
        _options(),
        (),
        (),
    )


def _bars(label: str, counts: Sequence[int]) -> dict[str, Any]:
    return _set(label, counts, TODAY, borderRadius=3)
