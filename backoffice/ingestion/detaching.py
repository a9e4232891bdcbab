"""Taking an old month out of the tables that grow, and putting it back. For the tables' owner: the service may not.

A detached month's tables stay in the database beside the others, guarded as before; they can be dumped, dropped, and
brought back. What stays: identities, shifts, batches and the register of sources, so that a repeat is still a duplicate.
"""

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from psycopg import sql

from backoffice.domain.retention import last_day_of
from backoffice.domain.states import BatchState, ShiftState
from backoffice.inbox.models import Batch
from backoffice.ingestion.months import default_rows
from backoffice.sales.models import DetachedMonth, HeldItem, Shift

PARTITIONED = ("sales_order", "sales_orderline", "sales_payment", "ledger_journalentry", "ledger_journalline")
# Terminals send again for a week after a shift settled; head office corrects for longer.
MONTHS_KEPT = 3

SELECT_ATTACHED = """
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'sales_order'::regclass
AND inhrelid::regclass::text ~ '_[0-9]{6}$' ORDER BY 1
"""


class NotNow(Exception):
    """The month stays as it is; `reasons` are sentences."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


class MonthTable(NamedTuple):
    """One table of a month: how many rows, how many bytes with its indexes."""

    name: str
    rows: int
    size: int


def detach_month(*, month: date, now: datetime) -> list[MonthTable]:
    """Detaches the month that begins on `month` from all partitioned tables at once. Returns what they hold.

    Plainly, with a short lock: PostgreSQL does not detach concurrently where there is a default partition. Raises NotNow,
    and Django's OperationalError where the lock does not come free: then nothing has changed.
    """
    _check(reasons_against(month=month, today=now.date()))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("SELECT sales_leave_month(%s), ledger_leave_month(%s)", [month, month])
        _check(_undecided(month))  # under the locks nothing new can come between
        DetachedMonth.objects.create(first_day=month, last_day=last_day_of(month), detached_at=now)
    return tables_of(month)


def attach_month(*, month: date) -> list[MonthTable]:
    """Puts a detached month back, with whatever came late for it. Returns what it holds. Raises NotNow."""
    detached = list(DetachedMonth.objects.order_by("first_day").values_list("first_day", flat=True))
    if month not in detached:
        raise NotNow(f"{month:%Y-%m} is not detached.")
    if month != detached[-1]:
        raise NotNow(f"Months come back newest first: attach {detached[-1]:%Y-%m} before it.")
    if missing := [name for name in _names(month) if not _is_there(name)]:
        raise NotNow(f"These tables are not in the database: {', '.join(missing)}. Restore them from their dump first.")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("SELECT sales_join_month(%s), ledger_join_month(%s)", [month, month])
        DetachedMonth.objects.filter(first_day=month).delete()
    return tables_of(month)


def attached_months() -> list[date]:
    """The first days of the months that have tables of their own among orders and journal, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(SELECT_ATTACHED)
        suffixes = [row[0].rpartition("_")[2] for row in cursor.fetchall()]
    return [date(int(suffix[:4]), int(suffix[4:]), 1) for suffix in suffixes]


def reasons_against(*, month: date, today: date, leaving: Collection[date] = ()) -> list[str]:
    """Every reason why a month cannot be detached, as sentences; none where it can, once those of `leaving` have left."""
    attached = attached_months()
    if month not in attached:
        return [f"{month:%Y-%m} is not among the tables: it is detached already, or was never made."]
    reasons = []
    if (today.year - month.year) * 12 + today.month - month.month <= MONTHS_KEPT:
        reasons.append(f"It is too young: {MONTHS_KEPT} whole months are kept.")
    oldest = next(one for one in attached if one not in leaving)
    if oldest < month:
        reasons.append(f"{oldest:%Y-%m} is older: the oldest month leaves first.")
    return reasons + _undecided(month)


def tables_of(month: date) -> list[MonthTable]:
    """The month's tables, attached or not."""
    tables = []
    with connection.cursor() as cursor:
        for name in _names(month):
            counting = sql.SQL("SELECT count(*), pg_total_relation_size({}) FROM {}")
            cursor.execute(counting.format(sql.Literal(name), sql.Identifier(name)))
            rows, size = cursor.fetchone() or (0, 0)
            tables.append(MonthTable(name, rows, size))
    return tables


def is_detached_shift() -> Exists:
    """A condition on shifts: their month was detached after they were received, so their sales cannot be summed."""
    return Exists(_month_of_shift())


def detached_at_of_shift() -> Subquery:
    """When their month was detached, of such shifts; None of others."""
    return Subquery(_month_of_shift().values("detached_at")[:1])


def _month_of_shift() -> QuerySet[DetachedMonth]:
    return DetachedMonth.objects.filter(
        first_day__lte=OuterRef("business_date"),
        last_day__gte=OuterRef("business_date"),
        detached_at__gt=OuterRef("received_at"),
    )


def _undecided(month: date) -> list[str]:
    """What somebody or something still has to do with the month."""
    days = (month, last_day_of(month))
    settled = [ShiftState.RECONCILED.value, ShiftState.APPROVED.value]
    shifts = Shift.objects.filter(business_date__range=days).exclude(state__in=settled).count()
    held = HeldItem.objects.filter(shift__business_date__range=days, decision_id__isnull=True).count()
    waiting = Batch.objects.filter(shift__business_date__range=days).exclude(state=BatchState.PROCESSED.value).count()
    late = default_rows().get(month, 0)
    found = (
        (shifts, "shifts are not settled"),
        (held, "orders or cash movements are held"),
        (waiting, "uploads are not processed"),
        (late, "rows are in the default partition: they move within the hour"),
    )
    return [f"{count} {what}." for count, what in found if count]


def _check(reasons: list[str]) -> None:
    if reasons:
        raise NotNow(*reasons)


def _names(month: date) -> list[str]:
    return [f"{parent}_{month:%Y%m}" for parent in PARTITIONED]


def _is_there(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        return bool((cursor.fetchone() or (False,))[0])
