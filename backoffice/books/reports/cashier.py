"""Over and short of one cashier: their last counted shifts, beside what the others of the store had in the same days."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from backoffice.fleet.models import Store
from backoffice.sales.models import Shift

SHIFTS_SHOWN = 30
# Whoever has not worked there for half a year has no last shifts; and no more of a store's shifts are read.
DAYS_BACK = timedelta(days=183)


class ShiftBesideOthers(NamedTuple):
    """A counted shift, and what those of the others on its day were over or short on average; None where there was none."""

    shift: Shift
    over_short: int
    others: int | None


class CashierSums(NamedTuple):
    """What a cashier's counted shifts were over and short, in minor units; `differing` were either."""

    cashier: str
    shifts: int
    differing: int
    over: int
    short: int

    @property
    def together(self) -> int:
        """Over less short."""
        return self.over + self.short

    @property
    def average(self) -> int:
        """Of a shift, in minor units, half to even."""
        return round(self.together / self.shifts) if self.shifts else 0


class CashierTrend(NamedTuple):
    """The last shifts of a cashier, the first of them first, and the sums of everybody in these days, the shortest first."""

    currency: str
    shifts: Sequence[ShiftBesideOthers]
    everybody: Sequence[CashierSums]
    own: CashierSums
    others: CashierSums

    @property
    def first_day(self) -> date:
        """The business day of the first of these shifts."""
        return self.shifts[0].shift.business_date

    @property
    def last_day(self) -> date:
        """That of the last."""
        return self.shifts[-1].shift.business_date


def cashier_trend(store: Store, cashier: str, *, last: date) -> CashierTrend | None:
    """The last counted shifts of a cashier in a store until a day; None where there is none. Two statements.

    The cashier is who opened the shift, by the name that the till sent.
    """
    counted = Shift.objects.filter(store=store, over_short__isnull=False)
    own = counted.filter(business_date__range=(last - DAYS_BACK, last), cashier=cashier).select_related("terminal")
    latest = list(own.order_by("-business_date", "-opened_at")[:SHIFTS_SHOWN])
    if not latest:
        return None
    currency = latest[0].currency
    mine = [shift for shift in reversed(latest) if shift.currency == currency]
    days = (mine[0].business_date, mine[-1].business_date)
    by_day = _by_day(counted.filter(business_date__range=days, currency=currency).exclude(cashier=cashier))
    others = [one for sums in by_day.values() for one in sums]
    names = sorted({one.cashier for one in others})
    of_each = [_together(name, (one for one in others if one.cashier == name)) for name in names]
    own_sums = _together(cashier, (_of_shift(shift) for shift in mine))
    return CashierTrend(
        currency,
        [_beside_others(shift, by_day.get(shift.business_date, [])) for shift in mine],
        sorted([own_sums, *of_each], key=lambda one: (one.together, one.cashier)),
        own_sums,
        _together("", others),
    )


def _by_day(shifts: QuerySet[Shift]) -> dict[date, list[CashierSums]]:
    """The sums of each day and cashier. One statement."""
    over, short = Q(over_short__gt=0), Q(over_short__lt=0)
    rows = shifts.order_by().values_list("business_date", "cashier")
    found: dict[date, list[CashierSums]] = defaultdict(list)
    for day, *sums in rows.annotate(
        shifts=Count("pk"),
        differing=Count("pk", filter=over | short),
        over=Coalesce(Sum("over_short", filter=over), 0),
        short=Coalesce(Sum("over_short", filter=short), 0),
    ):
        found[day].append(CashierSums(*sums))
    return found


def _of_shift(shift: Shift) -> CashierSums:
    over_short = shift.over_short or 0
    return CashierSums(shift.cashier, 1, int(over_short != 0), max(over_short, 0), min(over_short, 0))


def _together(name: str, found: Iterable[CashierSums]) -> CashierSums:
    """The sums of several under one name."""
    sums = [one[1:] for one in found] or [(0, 0, 0, 0)]
    return CashierSums(name, *map(sum, zip(*sums, strict=True)))


def _beside_others(shift: Shift, others: Sequence[CashierSums]) -> ShiftBesideOthers:
    return ShiftBesideOthers(shift, shift.over_short or 0, _together("", others).average if others else None)
