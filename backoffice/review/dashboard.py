"""The dashboard: whether everything has arrived, what was sold today, and what waits for a decision."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, Sum
from django.http import HttpRequest
from django.utils import timezone

from backoffice.books.stores import store_today
from backoffice.fleet.models import Store, Terminal
from backoffice.review.formats import counted
from backoffice.review.rights import may_see
from backoffice.review.sync import NOTHING_UNSETTLED, Signs, SyncState, read_signs, sync_state
from backoffice.sales.models import HeldItem

# The business days are worked out here: PostgreSQL may know other time zones. Whatever its zone, a store's day is at
# most one away from the date in UTC, so only the months of yesterday, today and tomorrow are read.
SOLD_TODAY = """
SELECT s.store_id, o.currency, count(*), count(*) FILTER (WHERE o.mode = 'offline'),
    coalesce(sum(o.total) FILTER (WHERE o.kind = 'sale' AND o.status = 'paid'), 0)::bigint,
    coalesce(sum(o.total) FILTER (WHERE o.kind = 'refund' AND o.status = 'paid'), 0)::bigint
FROM unnest(%(stores)s::int[], %(days)s::date[]) AS today (store_id, day)
JOIN sales_shift s ON s.store_id = today.store_id AND s.business_date = today.day
JOIN sales_order o ON o.shift_id = s.shift_id AND o.business_date = s.business_date
WHERE o.business_date BETWEEN %(first)s AND %(last)s
GROUP BY s.store_id, o.currency
"""


MOST_COUNTED = 1_000
PARTS = ("terminal", "helditem", "shift", "batch", "order")


class StoreToday(NamedTuple):
    """What a store has sold on its current business day, in minor units; refunds are negative."""

    store: Store
    day: date
    currency: str
    orders: int
    offline: int
    sales: int
    refunds: int

    @property
    def net(self) -> int:
        """Sales less refunds."""
        return self.sales + self.refunds


class Stake(NamedTuple):
    """Held orders in one currency; `amount` is the sum, in minor units, of those that could be read."""

    currency: str
    orders: int
    amount: int


def add_dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback for the index page. Five statements at most, however large the chain is.

    Each part is of one kind of row, and there for who may see that kind.
    """
    now, may = timezone.now(), may_see(request)
    context |= {"now": now, "is_fullwidth": "1", "sees_a_part": any(may[kind] for kind in PARTS)}
    terminals = list(Terminal.objects.all())
    context |= {"has_terminals": bool(terminals), "has_stores": Store.objects.all}  # asked where there is no terminal
    if any(may[kind] for kind in ("terminal", "helditem", "shift", "batch")):
        signs = read_signs()
        if may["terminal"]:
            context |= {**headline(terminals, signs), "states": count_states(terminals, signs)}
        context["oldest"] = _oldest(signs, now=now)
        context["held_count"] = sum(one.held for one in signs.values())
        context["discrepant"] = sum(one.discrepant for one in signs.values())
    if may["helditem"]:
        context["stakes"] = held_stakes()
    if may["order"]:
        context["today"] = sold_today(list(Store.objects.all()), now=now)
    return context


def headline(terminals: Sequence[Terminal], signs: Mapping[int, Signs]) -> dict[str, Any]:
    """Whether everything has arrived, and whether anything waits for a person: `answer` in one sentence, `is_complete`,
    `is_settled`, and `because` in short phrases.
    """
    activated = [terminal for terminal in terminals if terminal.activated_at is not None]
    found = [signs.get(one.pk, NOTHING_UNSETTLED) for one in activated]
    behind = [one for one in found if not one.is_complete]
    waiting = [one for one in found if one.held or one.discrepant]
    if not activated:
        return {"answer": "No terminal is activated yet", "is_complete": False, "is_settled": False, "because": []}
    return {
        "answer": _headline(len(activated), len(behind)) + _attention(len(activated), len(waiting), behind=len(behind)),
        "is_complete": not behind,
        "is_settled": not behind and not waiting,
        "because": _because(found),
    }


def _attention(count: int, waiting: int, *, behind: int) -> str:
    """What the headline must not be silent about."""
    if not waiting:
        return ""
    joined = "and" if behind else "but"
    if count == 1:
        return f", {joined} needs attention"
    return f", {joined} {waiting:,} {'needs' if waiting == 1 else 'need'} attention"


def _headline(count: int, behind: int) -> str:
    if count == 1:
        return "The only terminal has not told us everything" if behind else "The only terminal has told us everything"
    if not behind:
        return f"All {count:,} terminals have told us everything"
    return f"{behind:,} of {count:,} terminals {'has' if behind == 1 else 'have'} not told us everything"


def _because(found: Sequence[Signs]) -> list[str]:
    phrases = []
    for count, one, many in (
        (sum(1 for signs in found if signs.open), "has a shift open", "have a shift open"),
        (sum(1 for signs in found if signs.closing), "closed with orders missing", "closed with orders missing"),
        (sum(1 for signs in found if signs.waiting), "has uploads waiting here", "have uploads waiting here"),
        (
            sum(1 for signs in found if signs.failed),
            "sent what could not be processed",
            "sent what could not be processed",
        ),
        (sum(1 for signs in found if signs.held), "has orders held", "have orders held"),
        (
            sum(1 for signs in found if signs.discrepant),
            "has a shift that does not add up",
            "have shifts that do not add up",
        ),
    ):
        if count:
            phrases.append(f"{count:,} {one if count == 1 else many}")
    return phrases


def count_states(terminals: Sequence[Terminal], signs: Mapping[int, Signs]) -> list[tuple[SyncState, int]]:
    """How many terminals are in each state; "not activated" only if there are any."""
    counts = Counter(sync_state(one, signs.get(one.pk, NOTHING_UNSETTLED)) for one in terminals)
    return [(state, counts[state]) for state in SyncState if counts[state] or state is not SyncState.NEW]


def _oldest(signs: Mapping[int, Signs], *, now: datetime) -> dict[str, Any]:
    received = min((one.oldest for one in signs.values() if one.oldest), default=None)
    waiting = sum(one.waiting + one.failed for one in signs.values())
    return {"span": None if received is None else now - received, "uploads": counted(waiting, "upload")}


def held_stakes() -> list[Stake]:
    """What is held, by currency."""
    rows = (
        HeldItem.objects.filter(decision_id__isnull=True)
        .order_by()
        .values_list("shift__currency")
        .annotate(Count("id"), Sum("total"))
        .order_by("shift__currency")
    )
    return [Stake(currency, count, int(total or 0)) for currency, count, total in rows]


def sold_today(stores: Sequence[Store], *, now: datetime) -> list[StoreToday]:
    """Every store's current business day, the store with the most orders first."""
    around = timedelta(days=1)
    days = {store.pk: store_today(store, now) for store in stores}
    wanted: dict[str, Any] = {"stores": list(days), "days": list(days.values())}
    wanted |= {"first": (now - around).date(), "last": (now + around).date()}
    with connection.cursor() as cursor:
        cursor.execute(SOLD_TODAY, wanted)
        sold = {(row[0], row[1]): row[2:] for row in cursor.fetchall()}
    rows = []
    for store in stores:
        mine = {currency: sums for (store_id, currency), sums in sold.items() if store_id == store.pk}
        rows += [
            StoreToday(store, days[store.pk], currency, *sums)
            for currency, sums in (mine or {store.currency: (0,) * 4}).items()
        ]
    return sorted(rows, key=lambda row: -row.orders)


def held_badge() -> str:
    """How many items wait for a decision, for the menu of every page; empty if none do."""
    count = HeldItem.objects.filter(decision_id__isnull=True).order_by()[: MOST_COUNTED + 1].count()
    if count > MOST_COUNTED:
        return f"{MOST_COUNTED:,}+"
    return f"{count:,}" if count else ""
