"""Cash on its way to the bank: how much, and which deposits the bank has not got yet, since when."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

from django.db import connection
from django.db.backends.utils import CursorWrapper

from backoffice.domain.accounts import TO_THE_BANK
from backoffice.fleet.models import Store
from backoffice.postgres.arrays import integer_array

# The least that an account holds at the end of a day or of any later one. Of detached months there are the daily balances.
SELECT_LEAST = """
WITH moved AS (
    SELECT business_date, debit - credit AS amount FROM ledger_journalline
    WHERE store_id = %(store_id)s AND account_id = %(account)s AND currency = %(currency)s
    UNION ALL
    SELECT b.business_date, b.debit - b.credit FROM evidence_dailybalance b
    JOIN sales_detachedmonth m ON b.business_date BETWEEN m.first_day AND m.last_day
    WHERE b.store_id = %(store_id)s AND b.account_id = %(account)s AND b.currency = %(currency)s
    UNION ALL
    SELECT %(since)s::date, 0
), days AS (SELECT business_date, sum(sum(amount)) OVER (ORDER BY business_date) AS balance FROM moved GROUP BY 1)
SELECT min(balance)::bigint FROM days WHERE business_date >= %(since)s::date
"""
# What each slip said that the bank has not got, the newest deposits of a slip last; and below 0 what it got beyond its slips.
# Decisions of before name no currency: theirs is the store's.
SELECT_OPEN = """
WITH decided AS (
    SELECT d.store_id, d.verb, coalesce(a.after, d.after) AS after, s.currency
    FROM books_decision d JOIN fleet_store s ON s.id = d.store_id LEFT JOIN books_decisionanswer a ON a.decision_id = d.id
    WHERE d.about = 'store' AND d.verb IN ('bank', 'bank-received') AND coalesce(a.after, d.after) IS NOT NULL
        AND (%(store_ids)s::integer[] IS NULL OR d.store_id = ANY(%(store_ids)s::integer[]))
), said AS (
    SELECT store_id, verb, coalesce(after ->> 'currency', currency) AS currency, after ->> 'slip' AS slip,
        (after ->> 'date')::date AS day, (after ->> 'amount')::bigint AS amount
    FROM decided WHERE %(at)s::date IS NULL OR (after ->> 'entry_date')::date <= %(at)s::date
), brought AS (
    SELECT *, sum(amount) OVER (PARTITION BY store_id, currency, slip ORDER BY day) AS so_far FROM said WHERE verb = 'bank'
), received AS (
    SELECT store_id, currency, slip, sum(amount) AS amount FROM said WHERE verb = 'bank-received' GROUP BY 1, 2, 3
)
SELECT b.store_id, b.currency, b.slip, b.day, b.amount, least(b.amount, b.so_far - coalesce(r.amount, 0))::bigint
FROM brought b LEFT JOIN received r USING (store_id, currency, slip) WHERE b.so_far > coalesce(r.amount, 0)
UNION ALL
SELECT r.store_id, r.currency, r.slip, NULL, 0, (coalesce(sum(b.amount), 0) - r.amount)::bigint
FROM received r LEFT JOIN brought b USING (store_id, currency, slip)
GROUP BY r.store_id, r.currency, r.slip, r.amount HAVING r.amount > coalesce(sum(b.amount), 0)
ORDER BY 4 NULLS FIRST, 3
"""


class OpenDeposit(NamedTuple):
    """A deposit of which the bank has not got everything: when it was brought, and what of it is on its way still."""

    store_id: int
    currency: str
    slip: str
    day: date
    amount: int
    on_its_way: int


def cash_on_its_way(cursor: CursorWrapper, *, store: Store, since: date = date.max) -> int:
    """What the books of a store have on its way to the bank, in minor units; the least of it from a day on.

    One statement, so that a month that is detached meanwhile counts once.
    """
    wanted: dict[str, Any] = {"store_id": store.pk, "account": TO_THE_BANK, "currency": store.currency, "since": since}
    cursor.execute(SELECT_LEAST, wanted)
    (least,) = cursor.fetchone()
    return int(least)


def open_deposits(store_ids: Collection[int] | None, *, at: date | None = None) -> list[OpenDeposit]:
    """Deposits on their way at the end of a day, the oldest first; of all stores where `store_ids` is None.

    What the bank got under another number than any slip of the store has is taken for the oldest.
    """
    with connection.cursor() as cursor:
        cursor.execute(SELECT_OPEN, {"store_ids": None if store_ids is None else integer_array(store_ids), "at": at})
        rows = cursor.fetchall()
    unnamed: dict[tuple[int, str], int] = defaultdict(int)
    deposits = []
    for store_id, currency, slip, day, amount, left in rows:
        if day is None:
            unnamed[store_id, currency] -= left
            continue
        taken = min(left, unnamed[store_id, currency])
        unnamed[store_id, currency] -= taken
        if left > taken:
            deposits.append(OpenDeposit(store_id, currency, slip, day, amount, left - taken))
    return deposits
