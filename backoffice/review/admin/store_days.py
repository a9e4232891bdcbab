"""Store days: which days are done, and what does the others wait for?"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import chain
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from backoffice.books.exports.sent import SentDay, sent_of_days
from backoffice.books.store_days import DayKey, StoreDay, export_of, held_by_shift, read_store_day, states_of_days
from backoffice.books.stores import store_today
from backoffice.domain.states import ShiftState, StoreDayState
from backoffice.domain.store_days import is_outstanding
from backoffice.fleet.models import Store, Terminal
from backoffice.languages.formats import some_of
from backoffice.languages.moments import written_day
from backoffice.review import cells
from backoffice.review.admin.deciding.asking import buttons_of
from backoffice.review.admin.filters import FilterForm, day_field, store_field
from backoffice.review.list_columns import in_currency
from backoffice.review.list_files import ListRow, csv_answer
from backoffice.review.noting import answer_note, notes_card
from backoffice.review.pages import console_page
from backoffice.review.reach import mine, own_choices
from backoffice.review.rights import may_see
from backoffice.review.words import DAY_WAITS, FIGURES, METHODS, STORE_DAY_STATES, Label, named
from backoffice.sales.models import Shift

LATE_DAY = Label(_("Late"), "red")
# What somebody has to see to comes first; what is done comes last.
RANKS = {
    StoreDayState.SUPERSEDED: 1,
    StoreDayState.TO_REVIEW: 2,
    StoreDayState.COLLECTING: 3,
    StoreDayState.AUDITED: 4,
    StoreDayState.EXPORTED: 5,
}
DAY_TITLES = (
    *(_("Business day"), _("Store"), _("Code"), _("State"), _("Waits for"), _("Exported"), _("Shifts"), _("Held")),
    *(*in_currency(_("Sales less refunds")), *in_currency(_("Over or short"))),
)
TILLS_NAMED = 3
DAYS_SHOWN = timedelta(days=14)
MOST_ROWS = 200


class DayFilters(FilterForm):
    """A store and a day: one of them narrows the list, both lead to the page of that day."""

    store = store_field()
    day = day_field(_("Business day, or the last of two weeks"))


class DayRow(NamedTuple):
    """One day in the list. `net` is in minor units, None while a shift of it never settled.

    `late` names the tills that it still waits for though it is over; `revisions` what each profile was sent of it.
    """

    store: Store
    day: date
    state: Label
    rank: int
    waits_for: str
    late: str
    shifts: int
    held: int
    net: int | None
    over_short: int
    currency: str
    revisions: list[SentDay]


class StateCount(NamedTuple):
    """How many of the days that are shown stand so."""

    label: Label
    days: int


class Asked(NamedTuple):
    """What the address of a page of store days asks for; a store is one of the reader's, or None."""

    form: DayFilters
    store: Store | None
    day: date | None


def _asked(request: HttpRequest) -> Asked:
    """The one place where this list is narrowed to the reader's stores. Raises PermissionDenied."""
    if not may_see(request)["shift"]:
        raise PermissionDenied
    form = own_choices(request, DayFilters(request.GET))
    return Asked(form, form.chosen.get("store"), form.chosen.get("day"))


def store_days_view(request: HttpRequest) -> HttpResponse:
    """The days of the last two weeks with a shift, late ones first; the page of one day where store and day are chosen.

    Raises PermissionDenied.
    """
    form, store, day = _asked(request)
    context: dict[str, Any] = {"filters": form, "is_narrowed": form.is_narrowed}
    if store is not None and day is not None:
        context |= day_page(read_store_day(store, day), store)
        context["revisions"] = sent_of_days([(store.pk, day)]).get((store.pk, day), [])
        context["buttons"] = buttons_of(store, person=request.user)
        address = f"{reverse('admin:sales_store_days_note')}?{urlencode({'store': store.pk, 'day': day})}"
        context |= notes_card(request, "day", day, store=store, address=address)
        return console_page(request, "console/store_day.html", context)
    rows = list_days(mine(request, Shift.objects.all()), store, until=day)
    context |= {"title": gettext("Store days"), "rows": rows[:MOST_ROWS], "has_more": len(rows) > MOST_ROWS}
    return console_page(request, "console/store_days.html", context | {"counts": count_day_states(rows)})


def store_day_note(request: HttpRequest) -> HttpResponse:
    """Keeps a note on the day of its address, or takes one back. Takes POST only. Raises Http404, PermissionDenied."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    _form, store, day = _asked(request)
    if store is None or day is None:
        raise Http404
    back = f"{reverse('admin:sales_store_days')}?{urlencode({'store': store.pk, 'day': day})}"
    return answer_note(request, "day", day, store=store, back=back)


def store_days_csv(request: HttpRequest) -> HttpResponse:
    """The list of days as a file. Raises PermissionDenied."""
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    _form, store, day = _asked(request)
    found = list_days(mine(request, Shift.objects.all()), store, until=day)
    rows = chain([ListRow(list(map(str, DAY_TITLES)))], map(_file_row, found))
    store_id = None if store is None else store.pk
    return csv_answer(request, rows, kind="store_day", title=_("Store days"), store_id=store_id)


def _file_row(row: DayRow) -> ListRow:
    waits = gettext("Late: %(tills)s") % {"tills": row.late} if row.late else row.waits_for
    sent = (
        f"{one.profile} r{one.revisions}" + (f", {gettext('changed since')}" if one.has_news else "")
        for one in row.revisions
    )
    cells_of_row = [
        *(cells.business_day(row.day), row.store.name, row.store.code, cells.label(row.state), waits, "; ".join(sent)),
        *(row.shifts, row.held, cells.amount(row.net, row.currency), cells.amount(row.over_short, row.currency)),
    ]
    return ListRow([part for cell in cells_of_row for part in cells.parts_of(cell)])


def list_days(shifts: QuerySet[Shift], store: Store | None, *, until: date | None) -> list[DayRow]:
    """The days of two weeks among these shifts, up to a day, or to the newest with a shift.

    Those that somebody has to see to come first.
    """
    shifts = shifts if store is None else shifts.filter(store=store)
    last = until or shifts.order_by("-opened_at").values_list("business_date", flat=True).first()
    last = last or timezone.now().date()
    rows = list(shifts.filter(business_date__gt=last - DAYS_SHOWN, business_date__lte=last).defer("declared"))
    stores = Store.objects.in_bulk({row.store_id for row in rows})
    held = held_by_shift([row.pk for row in rows])
    days: dict[DayKey, list[Shift]] = defaultdict(list)
    for row in rows:
        days[row.store_id, row.business_date].append(row)
    sent = sent_of_days(days.keys())
    exports = {key: export_of(sent.get(key, [])) for key in days}
    states = states_of_days(days, stores=stores, exports=exports)
    late = _late_tills(rows, stores)
    found = [
        _row(stores[key[0]], key[1], days[key], states[key], held)._replace(
            late=some_of(late.get(key, []), limit=TILLS_NAMED), revisions=sent.get(key, [])
        )
        for key in days
    ]
    ranked = [row._replace(rank=0) if row.late else row for row in found]
    return sorted(ranked, key=lambda row: (row.rank, -row.day.toordinal(), row.store.code))


def _late_tills(rows: Sequence[Shift], stores: Mapping[int, Store]) -> dict[DayKey, list[str]]:
    """The tills of days that are over at their store, and that have not closed or not sent everything. One statement."""
    now = timezone.now()
    late = [
        row
        for row in rows
        if is_outstanding(ShiftState(row.state)) and row.business_date < store_today(stores[row.store_id], now)
    ]
    names = Terminal.objects.in_bulk({row.terminal_id for row in late}) if late else {}
    found: dict[DayKey, list[str]] = defaultdict(list)
    for row in late:
        if names[row.terminal_id].name not in found[row.store_id, row.business_date]:
            found[row.store_id, row.business_date].append(names[row.terminal_id].name)
    return found


def count_day_states(rows: Sequence[DayRow]) -> list[StateCount]:
    """How many days are late, and how many stand in which state, in the order of the list."""
    counts = Counter(LATE_DAY if row.late else row.state for row in rows)
    return [StateCount(label, counts[label]) for label in (LATE_DAY, *STORE_DAY_STATES.values()) if counts[label]]


def _row(store: Store, day: date, shifts: Sequence[Shift], state: StoreDayState, held: dict[Any, int]) -> DayRow:
    computed = [shift.computed for shift in shifts]
    net = sum(said["sales"] + said["refunds"] for said in computed if said)
    return DayRow(
        store,
        day,
        STORE_DAY_STATES[state.value],
        RANKS[state],
        str(DAY_WAITS[state.value]),
        "",
        len(shifts),
        sum(held.get(shift.pk, 0) for shift in shifts),
        None if None in computed else net,
        sum(shift.over_short or 0 for shift in shifts),
        shifts[0].currency,
        [],
    )


def day_page(found: StoreDay, store: Store) -> dict[str, Any]:
    """What the page of a day shows."""
    return {
        "title": f"{store.name}, {written_day(found.date)}",
        "store": store,
        "found": found,
        "state": STORE_DAY_STATES[found.state],
        "waits_for": DAY_WAITS[found.state],
        "sums": [
            {
                "currency": sums["currency"],
                "orders": sums["order_count"],
                "rows": [
                    *((named(FIGURES | {"net": gettext("Sales less refunds")}, name), sums[name]) for name in SUMMED),
                    *((named(METHODS, method), amount) for method, amount in sums["payments"].items()),
                ],
            }
            for sums in found.sums
        ],
        "up_url": reverse("admin:sales_store_days"),
        "up_title": gettext("Store days"),
    }


SUMMED = ("sales", "refunds", "net", "tax", "tips", "rounding")
