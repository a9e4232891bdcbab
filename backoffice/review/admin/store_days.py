"""Store days: which days are done, and what does the others wait for?"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from backoffice.books.store_days import DayKey, StoreDay, exports_of_days, held_by_shift, read_store_day, states_of_days
from backoffice.domain.moments import day_in_words
from backoffice.domain.states import StoreDayState
from backoffice.domain.store_days import WAITS_FOR
from backoffice.fleet.models import Store
from backoffice.review.admin.filters import FilterForm, day_field, store_field
from backoffice.review.rights import may_see
from backoffice.review.words import FIGURES, METHODS, STORE_DAY_STATES, Label, named
from backoffice.sales.models import Shift

DAYS_SHOWN = timedelta(days=14)
MOST_ROWS = 200


class DayFilters(FilterForm):
    """A store and a day: one of them narrows the list, both lead to the page of that day."""

    store = store_field()
    day = day_field("Business day, or the last of two weeks")


class DayRow(NamedTuple):
    """One day in the list. `net` is in minor units, None while a shift of it never settled."""

    store: Store
    day: date
    state: Label
    waits_for: str
    shifts: int
    held: int
    net: int | None
    over_short: int
    currency: str


def store_days_view(request: HttpRequest, *, site: AdminSite) -> HttpResponse:
    """The days of the last two weeks with a shift, the latest first; the page of one day where store and day are chosen."""
    if not may_see(request)["shift"]:
        raise PermissionDenied
    form = DayFilters(request.GET)
    chosen = form.cleaned_data if form.is_valid() else {}
    store, day = chosen.get("store"), chosen.get("day")
    request.current_app = site.name
    context = {**site.each_context(request), "filters": form, "is_narrowed": form.is_narrowed, "is_fullwidth": "1"}
    if store is not None and day is not None:
        context |= day_page(read_store_day(store, day), store)
        return TemplateResponse(request, "console/store_day.html", context)
    rows = list_days(store, until=day)
    context |= {"title": "Store days", "rows": rows[:MOST_ROWS], "has_more": len(rows) > MOST_ROWS}
    return TemplateResponse(request, "console/store_days.html", context)


def list_days(store: Store | None, *, until: date | None) -> list[DayRow]:
    """The days of two weeks, the latest first: up to a day, or to the newest with a shift."""
    shifts = Shift.objects.all() if store is None else Shift.objects.filter(store=store)
    last = until or shifts.order_by("-opened_at").values_list("business_date", flat=True).first()
    last = last or timezone.now().date()
    rows = list(shifts.filter(business_date__gt=last - DAYS_SHOWN, business_date__lte=last).defer("declared"))
    stores = Store.objects.in_bulk({row.store_id for row in rows})
    held = held_by_shift([row.pk for row in rows])
    days: dict[DayKey, list[Shift]] = defaultdict(list)
    for row in rows:
        days[row.store_id, row.business_date].append(row)
    states = states_of_days(days, stores=stores, exports=exports_of_days(days.keys()))
    found = [_row(stores[key[0]], key[1], days[key], states[key], held) for key in days]
    return sorted(found, key=lambda row: (-row.day.toordinal(), row.store.code))


def _row(store: Store, day: date, shifts: Sequence[Shift], state: StoreDayState, held: dict[Any, int]) -> DayRow:
    computed = [shift.computed for shift in shifts]
    net = sum(said["sales"] + said["refunds"] for said in computed if said)
    return DayRow(
        store,
        day,
        STORE_DAY_STATES[state.value],
        WAITS_FOR[state],
        len(shifts),
        sum(held.get(shift.pk, 0) for shift in shifts),
        None if None in computed else net,
        sum(shift.over_short or 0 for shift in shifts),
        shifts[0].currency,
    )


def day_page(found: StoreDay, store: Store) -> dict[str, Any]:
    """What the page of a day shows."""
    return {
        "title": f"{store.name}, {day_in_words(found.date)}",
        "store": store,
        "found": found,
        "state": STORE_DAY_STATES[found.state],
        "sums": [
            {
                "currency": sums["currency"],
                "orders": sums["order_count"],
                "rows": [
                    *((named(FIGURES | {"net": "Net"}, name), sums[name]) for name in SUMMED),
                    *((named(METHODS, method), amount) for method, amount in sums["payments"].items()),
                ],
            }
            for sums in found.sums
        ],
        "up_url": reverse("admin:sales_store_days"),
        "up_title": "Store days",
    }


SUMMED = ("sales", "refunds", "net", "tax", "tips", "rounding")
