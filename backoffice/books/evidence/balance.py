"""The trial balance at any date: daily balances of what is sealed, and the lines of what is not yet. Always exact."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from backoffice.books.evidence.journal import Mark, entries_after, not_sealed
from backoffice.books.evidence.sealer import BEYOND_ALL, NO_MARK, SELECT_MARK
from backoffice.domain.evidence.leaves import ENTRY
from backoffice.fleet.models import Store
from backoffice.postgres.arrays import integer_array

MOST_AT_ONCE = 5_000

# Whatever is seen is of a transaction below this one; what a dump brought from another cluster may be above, and is sealed.
SELECT_NEXT = """
SELECT greatest(pg_snapshot_xmax(pg_current_snapshot())::text::bigint, coalesce(pg_current_xact_id_if_assigned()::text::bigint + 1, 0))
"""
SELECT_KEPT = """
SELECT store_id, CASE WHEN %(by_day)s THEN business_date END, account_id, currency, sum(debit)::bigint, sum(credit)::bigint
FROM evidence_dailybalance
WHERE (%(store_ids)s::integer[] IS NULL OR store_id = ANY(%(store_ids)s::integer[]))
    AND (%(since)s::date IS NULL OR business_date >= %(since)s::date)
    AND (%(at)s::date IS NULL OR business_date <= %(at)s::date)
    AND (%(accounts)s::text[] IS NULL OR account_id = ANY(%(accounts)s::text[]))
GROUP BY 1, 2, 3, 4
"""
SELECT_LINES = """
SELECT store_id, CASE WHEN %(by_day)s THEN business_date END, account_id, currency, sum(debit)::bigint, sum(credit)::bigint
FROM ledger_journalline
WHERE entry_id = ANY(%(ids)s) AND business_date = ANY(%(dates)s)
    AND (%(store_ids)s::integer[] IS NULL OR store_id = ANY(%(store_ids)s::integer[]))
    AND (%(since)s::date IS NULL OR business_date >= %(since)s::date)
    AND (%(at)s::date IS NULL OR business_date <= %(at)s::date)
    AND (%(accounts)s::text[] IS NULL OR account_id = ANY(%(accounts)s::text[]))
GROUP BY 1, 2, 3, 4
"""

Sums = dict[tuple[int, date | None, str, str], list[int]]
"""Debits and credits by (store, business date or none, account, currency)."""


class AccountMoved(NamedTuple):
    """What an account of a store moved, in minor units: on one business date, or in all where there is none."""

    store_id: int
    business_date: date | None
    account: str
    currency: str
    debit: int
    credit: int


class BalanceRow(NamedTuple):
    """One account of one store in one currency, in minor units; `balance` is debit less credit."""

    store: str
    account: str
    currency: str
    debit: int
    credit: int
    balance: int


def trial_balance_at(*, store: Store | None = None, at: date | None = None) -> list[BalanceRow]:
    """Every account that moved up to the end of a business date, of one store or of all. Months that were detached count."""
    codes = dict(Store.objects.values_list("pk", "code"))
    return sorted(
        BalanceRow(codes[row.store_id], row.account, row.currency, row.debit, row.credit, row.debit - row.credit)
        for row in accounts_moved(store=store, at=at)
    )


def accounts_moved(
    *,
    store: Store | None = None,
    among: Collection[int] | None = None,
    accounts: Sequence[str] | None = None,
    since: date | None = None,
    at: date | None = None,
    by_day: bool = False,
) -> list[AccountMoved]:
    """What accounts moved from one business date to the end of another, in all or day by day.

    Of one store, else of those `among` whose ids they are, else of all.
    """
    store_ids = among if store is None else [store.pk]
    wanted: dict[str, Any] = {
        "store_ids": None if store_ids is None else integer_array(store_ids),
        "since": since,
        "at": at,
        "by_day": by_day,
    }
    wanted["accounts"] = None if accounts is None else list(accounts)
    sums: Sums = defaultdict(lambda: [0, 0])
    with one_moment(), connection.cursor() as cursor:
        cursor.execute(SELECT_KEPT, wanted)
        _add(sums, cursor)
        for ids, dates in _unsealed(cursor):
            cursor.execute(SELECT_LINES, {**wanted, "ids": ids, "dates": dates})
            _add(sums, cursor)
    return [AccountMoved(*key, *both) for key, both in sums.items()]


def _unsealed(cursor: CursorWrapper) -> Iterator[tuple[list[int], list[date]]]:
    """The entries without a seal, and their business dates, some at a time: as a rule those of the last minute."""
    cursor.execute(SELECT_MARK, [ENTRY.name])
    mark = Mark(*(cursor.fetchone() or NO_MARK))
    cursor.execute(SELECT_NEXT)
    (following,) = cursor.fetchone()
    before = following
    if mark.xid >= following:  # transactions began again, and the sealer has not seen it yet
        mark, before = NO_MARK, BEYOND_ALL
    while found := entries_after(cursor, mark, before=before, most=MOST_AT_ONCE):
        mark = found[-1].mark
        if keys := not_sealed(cursor, found):
            yield [key.id for key in keys], list({key.business_date for key in keys})


def _add(sums: Sums, cursor: CursorWrapper) -> None:
    for store_id, day, account, currency, debit, credit in cursor.fetchall():
        both = sums[store_id, day, account, currency]
        both[0] += debit
        both[1] += credit


@contextmanager
def one_moment() -> Iterator[None]:
    """Sees what is sealed and what is not as of one moment; within a caller's transaction, as that transaction sees it."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
