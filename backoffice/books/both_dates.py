"""What a store posted, by business date and by the date on which it stands in the books (books, "Periods").

The two differ where something came for a locked period. For every account:
of the business dates, less what was entered later, and what was entered of earlier days = the ledger.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from django.db import connection

from backoffice.domain.accounts import DISCOUNTS, RETURNS, SALES, SERVICE_CHARGES
from backoffice.fleet.models import Store
from backoffice.postgres.rows import rows_as

# Net of tax: what accountants call sales.
SALES_ACCOUNTS = frozenset({SALES, SERVICE_CHARGES, DISCOUNTS, RETURNS})

# Whatever is entered later than on its business date stands on a day that was the first open one at some time: only on those
# days is it looked for. A safe's business date is what its decision says.
SELECT_BY_BOTH_DATES = """
WITH open_days AS (
    SELECT DISTINCT locked_through + 1 AS day FROM ledger_periodlock WHERE store_id = %(store_id)s
), entries AS (
    SELECT id, business_date AS entered, shift_id, source_kind, source_id FROM ledger_journalentry
    WHERE store_id = %(store_id)s AND (
        business_date BETWEEN %(first)s AND %(last)s
        OR business_date > %(last)s AND business_date = ANY(ARRAY(SELECT day FROM open_days))
    )
), dated AS (
    SELECT e.id, e.entered,
        coalesce(s.business_date, (coalesce(a.after, d.after) ->> 'date')::date, e.entered) AS business
    FROM entries e LEFT JOIN sales_shift s ON s.shift_id = e.shift_id
    LEFT JOIN books_decision d ON e.source_kind = 'safe' AND d.id = e.source_id
    LEFT JOIN books_decisionanswer a ON a.decision_id = d.id
), moved AS (
    SELECT l.account_id, l.currency, l.debit - l.credit AS amount,
        business BETWEEN %(first)s AND %(last)s AS is_of_days, business < %(first)s AS is_of_earlier, entered > %(last)s AS is_later
    FROM dated JOIN ledger_journalline l ON l.entry_id = dated.id AND l.business_date = dated.entered
    WHERE entered <= %(last)s OR business BETWEEN %(first)s AND %(last)s
)
SELECT account_id AS account, currency,
    coalesce(sum(amount) FILTER (WHERE is_of_days), 0)::bigint AS of_business_dates,
    coalesce(sum(amount) FILTER (WHERE is_of_days AND is_later), 0)::bigint AS entered_later,
    coalesce(sum(amount) FILTER (WHERE is_of_earlier AND NOT is_later), 0)::bigint AS of_earlier_days,
    coalesce(sum(amount) FILTER (WHERE NOT is_later), 0)::bigint AS in_ledger
FROM moved GROUP BY account_id, currency ORDER BY currency, account_id
"""


class BothDates(NamedTuple):
    """One account over some days, debits less credits in minor units.

    `of_business_dates` - `entered_later` + `of_earlier_days` = `in_ledger`, which is what the trial balance moves.
    """

    account: str
    currency: str
    of_business_dates: int
    entered_later: int
    of_earlier_days: int
    in_ledger: int

    @property
    def differs(self) -> bool:
        """Whether anything of it has two dates, one of them in these days and the other not."""
        return bool(self.entered_later or self.of_earlier_days)


def by_both_dates(*, store: Store, first: date, last: date) -> list[BothDates]:
    """Every account of a store that moved from `first` to `last`, by either date; by currency and account."""
    days: dict[str, Any] = {"store_id": store.pk, "first": first, "last": last}
    with connection.cursor() as cursor:
        cursor.execute(SELECT_BY_BOTH_DATES, days)
        return rows_as(BothDates, cursor)


def net_sales(rows: Iterable[BothDates]) -> list[BothDates]:
    """Sales less discounts and returns, net of tax: one row for each currency, credits less debits, under the name "sales"."""
    sums: dict[str, list[int]] = {}
    for account, currency, *amounts in rows:
        if account in SALES_ACCOUNTS:
            before = sums.setdefault(currency, [0] * len(amounts))
            sums[currency] = [one - other for one, other in zip(before, amounts, strict=True)]
    return [BothDates("sales", currency, *amounts) for currency, amounts in sorted(sums.items())]
