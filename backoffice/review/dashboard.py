"""The dashboard: whether everything has arrived, what was sold today, and what waits for a decision."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone

from backoffice.books.models import Decision
from backoffice.books.people import NOWHERE
from backoffice.fleet.models import Store, Terminal
from backoffice.languages.formats import counted
from backoffice.review.charts import (
    Chart,
    held_over_time,
    sales_by_hour,
    sales_by_store,
    terminals_by_state,
    waiting_over_time,
)
from backoffice.review.decisions import waiting_requests
from backoffice.review.headline import count_states, headline
from backoffice.review.live import common_zone
from backoffice.review.reach import mine, my_reach, my_stores
from backoffice.review.rights import may_see
from backoffice.review.sync import Signs, read_signs
from backoffice.review.today import read_sold, sold_today
from backoffice.review.waiting import held_by_day, uploads_waiting
from backoffice.sales.models import HeldItem

MOST_COUNTED = 1_000
PARTS = ("terminal", "helditem", "shift", "batch", "order", "decision")


class Stake(NamedTuple):
    """Held orders in one currency; `amount` is the sum, in minor units, of those that could be read."""

    currency: str
    orders: int
    amount: int


def add_dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback for the index page. A dozen statements at most, however large the chain is.

    Each part is of one kind of row, and there for who may see that kind.
    """
    now, may = timezone.now(), may_see(request)
    stores, terminals = list(my_stores(request)), list(mine(request, Terminal.objects.all()))
    context |= {"now": now, "is_fullwidth": "1", "sees_a_part": any(may[kind] for kind in PARTS)}
    context["has_no_store_given"] = my_reach(request) == NOWHERE
    context |= first_steps(stores, terminals) | {"zone": (zone := common_zone(store.timezone for store in stores))}
    charts: list[Chart] = []
    if any(may[kind] for kind in ("terminal", "helditem", "shift", "batch")):
        signs = read_signs(now=now, only=[terminal.pk for terminal in terminals])
        if may["terminal"]:
            states = count_states(terminals, signs)
            names = {store.pk: store.name for store in stores}
            context |= {
                **headline(terminals, signs, names),
                "states": states,
                "states_chart": terminals_by_state(states),
            }
        context["oldest"] = _oldest(signs, now=now)
        context["held_count"] = sum(one.undecided for one in signs.values())
        context["discrepant"] = sum(one.discrepant for one in signs.values())
    if may["order"]:
        sold = read_sold(stores, now=now)
        context["today"] = sold_today(stores, sold, now=now)
        charts += [*sales_by_hour(sold), *sales_by_store(context["today"])]
    if may["batch"]:
        waited = uploads_waiting([terminal.pk for terminal in terminals], now=now)
        charts.append(waiting_over_time(waited, zone))
    if may["helditem"]:
        context["stakes"] = held_stakes(mine(request, HeldItem.objects.all()))
        held = held_by_day([store.pk for store in stores], held_now=context["held_count"], now=now)
        charts.append(held_over_time(held))
    if may["decision"]:
        context["requests"] = requests_waiting(mine(request, Decision.objects.all()), now=now)
    context["charts"] = charts
    return context


def first_steps(stores: Sequence[Store], terminals: Sequence[Terminal]) -> dict[str, Any]:
    """How far a new installation is: until a till is activated, the dashboard leads there."""
    is_new = not any(terminal.activated_at for terminal in terminals)
    return {
        "is_new": is_new,
        "first_store": stores[0] if stores else None,
        "waiting_for": list(terminals) if is_new else [],
    }


def requests_waiting(decisions: QuerySet[Decision], *, now: datetime) -> dict[str, Any]:
    """The requests that wait for a second person: how many, and for how long the oldest has."""
    asked = list(
        waiting_requests(decisions).order_by("asked_at").values_list("asked_at", flat=True)[: MOST_COUNTED + 1]
    )
    return {
        "count": f"{MOST_COUNTED:,}+" if len(asked) > MOST_COUNTED else f"{len(asked):,}" if asked else "",
        "span": now - asked[0] if asked else None,
    }


def _oldest(signs: Mapping[int, Signs], *, now: datetime) -> dict[str, Any]:
    received = min((one.oldest for one in signs.values() if one.oldest), default=None)
    waiting = sum(one.waiting + one.failed for one in signs.values())
    return {"span": None if received is None else now - received, "uploads": counted(waiting, "upload")}


def held_stakes(items: QuerySet[HeldItem]) -> list[Stake]:
    """What is held among these, by currency."""
    rows = (
        items.filter(decision_id__isnull=True)
        .order_by()
        .values_list("shift__currency")
        .annotate(Count("id"), Sum("total"))
        .order_by("shift__currency")
    )
    return [Stake(currency, count, int(total or 0)) for currency, count, total in rows]


def held_badge(request: HttpRequest) -> str:
    """How many items wait for a decision in the reader's stores, for the menu of every page; empty if none do."""
    count = mine(request, HeldItem.objects.filter(decision_id__isnull=True)).order_by()[: MOST_COUNTED + 1].count()
    if count > MOST_COUNTED:
        return f"{MOST_COUNTED:,}+"
    return f"{count:,}" if count else ""
