"""Which months may leave, and what keeps the others: the longest retention of the stores that have something in a month
rules, and nothing leaves that somebody or something still needs (books, "Audit trail and retention")."""

from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import Min, Q

from backoffice.books.evidence.sealer import seal
from backoffice.books.exports.models import ExportJob, ExportRun
from backoffice.books.models import Decision
from backoffice.domain.retention import kept_through, last_day_of
from backoffice.fleet.models import RETENTION_YEARS, Store
from backoffice.ingestion.detaching import MonthTable, NotNow, attached_months, detach_month, reasons_against
from backoffice.sales.models import Shift
from backoffice.trail.events import DETACHED, record_event

SELECT_STORES = """
SELECT s.code, s.retention_years FROM fleet_store s
WHERE EXISTS (SELECT FROM sales_shift h WHERE h.store_id = s.id AND h.business_date BETWEEN %(first)s AND %(last)s)
    OR EXISTS (SELECT FROM ledger_journalentry e WHERE e.store_id = s.id AND e.business_date BETWEEN %(first)s AND %(last)s)
ORDER BY s.code
"""
COUNT_UNSEALED = """
SELECT count(*) FROM ledger_journalentry e WHERE e.business_date BETWEEN %(first)s AND %(last)s
    AND NOT EXISTS (SELECT FROM evidence_leaf f WHERE f.kind = 'entry' AND f.row_id = e.id)
"""


class MonthStanding(NamedTuple):
    """A month that is in the tables. It is due where the retention of any of its stores is over; `reasons` keep it."""

    month: date
    kept_through: date
    is_due: bool
    reasons: list[str]

    @property
    def may_leave(self) -> bool:
        return self.is_due and not self.reasons


def waiting_decisions(first: date, last: date) -> list[str]:
    """Requests that nobody has answered, about shifts of these days or, of a store, from before their end."""
    shifts = Shift.objects.filter(business_date__range=(first, last)).values("pk")
    about = Q(shift_id__in=shifts) | Q(shift_id__isnull=True, asked_at__date__lte=last)
    waiting = Decision.objects.filter(about, needs_second_person=True, answer__isnull=True).count()
    return [f"{waiting} decisions wait for a second person."] if waiting else []


def entries_without_seal(first: date, last: date) -> list[str]:
    """Journal entries of these days that the sealer has not come to."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT_UNSEALED, {"first": first, "last": last})
        (unsealed,) = cursor.fetchone() or (0,)
    return [f"{unsealed} journal entries are not sealed yet."] if unsealed else []


def unfinished_exports(first: date, last: date) -> list[str]:
    """Exports with days of these that were asked for or begun, and whose files are not whole."""
    concerns = Q(first_day__lte=last, last_day__gte=first)
    unwritten = ExportRun.objects.filter(concerns, written__isnull=True).count()
    asked = ExportJob.objects.filter(concerns, run__isnull=True, ended_at__isnull=True).count()
    return [f"{unwritten + asked} exports are not finished."] if unwritten + asked else []


# What still needs a month beside its own shifts, orders and uploads: each gets its first and last day, and answers in
# sentences. A further one is a line here.
OPEN_MATTERS: tuple[Callable[[date, date], list[str]], ...] = (
    waiting_decisions,
    entries_without_seal,
    unfinished_exports,
)


def review_months(*, today: date) -> list[MonthStanding]:
    """Every month in the tables, the oldest first, as it stands today. Changes nothing."""
    shortest = Store.objects.aggregate(years=Min("retention_years"))["years"] or RETENTION_YEARS
    leaving: list[date] = []
    standings = []
    for month in attached_months():
        standing = _standing(month, today=today, shortest=shortest, leaving=leaving)
        standings.append(standing)
        if standing.may_leave:
            leaving.append(month)
    return standings


def let_go(*, month: date, now: datetime) -> list[MonthTable]:
    """Detaches a month, sealed, once nothing needs it any more; what its tables hold. Raises NotNow.

    It does not ask how old the month is: `review_months` does. For the tables' owner.
    """
    seal(now=now)  # what leaves should leave sealed
    if reasons := _open_matters(month):
        raise NotNow(*reasons)
    tables = detach_month(month=month, now=now)
    record_event(DETACHED, about="month", object_id=f"{month:%Y-%m}", said={table.name: table.rows for table in tables})
    return tables


def _standing(month: date, *, today: date, shortest: int, leaving: Collection[date]) -> MonthStanding:
    if today <= kept_through(month=month, years=shortest):
        # Whatever stores it has: at least until then.
        return MonthStanding(month, kept_through(month=month, years=shortest), is_due=False, reasons=[])
    stores = _stores_of(month) or [("", shortest)]
    last_days = {code: kept_through(month=month, years=years) for code, years in stores}
    is_due = today > min(last_days.values())
    longest = max(last_days.values())
    if not is_due:
        return MonthStanding(month, longest, is_due=False, reasons=[])
    reasons = [
        f"{code} keeps its books for {years} years: until {last_days[code]}."
        for code, years in stores
        if today <= last_days[code]
    ]
    reasons += reasons_against(month=month, today=today, leaving=leaving) + _open_matters(month)
    return MonthStanding(month, longest, is_due=True, reasons=reasons)


def _open_matters(month: date) -> list[str]:
    return [reason for matter in OPEN_MATTERS for reason in matter(month, last_day_of(month))]


def _stores_of(month: date) -> list[tuple[str, int]]:
    """The stores that have something in a month: code, and years of their retention."""
    with connection.cursor() as cursor:
        cursor.execute(SELECT_STORES, {"first": month, "last": last_day_of(month)})
        return list(cursor.fetchall())
