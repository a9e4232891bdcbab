"""The figures of one shift, read from what is posted: what terminals, reconciliation and the console compare with."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from backoffice.domain.numbers import MOST_RANGES, merged, without, without_ranges
from backoffice.domain.totals import ShiftTotals, expected_cash
from backoffice.domain.wire.messages import MAX_CLOSE_BATCHES
from backoffice.postgres.arrays import integer_array
from backoffice.postgres.pipeline import ask_together
from backoffice.sales.models import Shift

SUM_ORDERS = """
SELECT count(*),
    coalesce(sum(total) FILTER (WHERE kind = 'sale' AND status = 'paid'), 0)::bigint,
    coalesce(sum(total) FILTER (WHERE kind = 'refund' AND status = 'paid'), 0)::bigint,
    coalesce(sum(tax) FILTER (WHERE status = 'paid'), 0)::bigint,
    coalesce(sum(tip) FILTER (WHERE status = 'paid'), 0)::bigint,
    coalesce(sum(rounding) FILTER (WHERE status = 'paid'), 0)::bigint,
    count(*) FILTER (WHERE flags @> '[{"code": "late"}]')
FROM sales_order WHERE shift_id = %(shift_id)s AND business_date = %(business_date)s
"""

SUM_PAYMENTS = """
SELECT method, sum(amount)::bigint
FROM sales_order o JOIN sales_payment p ON p.order_id = o.id AND p.business_date = o.business_date
WHERE o.shift_id = %(shift_id)s AND o.business_date = %(business_date)s AND o.status = 'paid'
GROUP BY method ORDER BY method
"""

SUM_MOVEMENTS = """
SELECT coalesce(sum(amount) FILTER (WHERE kind = 'cash_in'), 0)::bigint,
    coalesce(sum(amount) FILTER (WHERE kind = 'cash_out'), 0)::bigint
FROM sales_cashmovement WHERE shift_id = %(shift_id)s
"""

MISSING_BATCHES = """
SELECT declared.batch_id FROM unnest(%(batches)s::uuid[]) WITH ORDINALITY AS declared (batch_id, position)
LEFT JOIN inbox_batch b ON b.batch_id = declared.batch_id AND b.terminal_id = %(terminal_id)s
WHERE b.state IS DISTINCT FROM 'processed' ORDER BY declared.position LIMIT %(most)s
"""

# What lies between two used numbers, and behind the last. In the order of the index, and no number leaves PostgreSQL: a
# close may declare as many as the terminal ever used.
MISSING_NUMBERS = """
(SELECT * FROM (
    SELECT lag(number, 1, %(first)s::bigint - 1) OVER (ORDER BY number) + 1 AS first, number - 1 AS last
    FROM sales_identity WHERE terminal_id = %(terminal_id)s AND number >= %(first)s AND number <= %(last)s
) AS between WHERE first <= last LIMIT %(most)s)
UNION ALL
SELECT * FROM (
    SELECT coalesce(max(number) + 1, %(first)s::bigint) AS first, %(last)s::bigint AS last
    FROM sales_identity WHERE terminal_id = %(terminal_id)s AND number >= %(first)s AND number <= %(last)s
) AS behind WHERE first <= last
"""

UNUSED_NUMBERS = """
SELECT listed.number FROM unnest(%(numbers)s::bigint[]) AS listed (number)
WHERE NOT EXISTS (SELECT FROM sales_identity i WHERE i.terminal_id = %(terminal_id)s AND i.number = listed.number)
"""

NUMBERS_OF_HELD = """
SELECT DISTINCT number FROM sales_helditem
WHERE terminal_id = %(terminal_id)s AND number >= %(first)s AND number <= %(last)s ORDER BY number LIMIT %(most)s
"""
# Whoever has more that nobody can read is told that the others are missing, until a person has decided.
MOST_HELD_NUMBERS = 10_000

EXPLAINED = """
SELECT first, last FROM sales_explainednumbers
WHERE terminal_id = %(terminal_id)s AND first <= %(last)s AND last >= %(first)s ORDER BY first
"""
EXPLAINED_OF_SHIFT = "SELECT first, last FROM sales_explainednumbers WHERE shift_id = %(shift_id)s ORDER BY first"
# What arrives all the same counts as ever: its explanation is superseded.
EXPLAINED_AND_USED = """
SELECT DISTINCT i.number FROM sales_explainednumbers e
JOIN sales_identity i ON i.terminal_id = %(terminal_id)s AND i.number BETWEEN e.first AND e.last
WHERE e.shift_id = %(shift_id)s
"""

# The orders of a failed batch count as held (protocol §5).
COUNT_HELD = """
SELECT (SELECT count(*) FROM sales_helditem WHERE shift_id = %(shift_id)s AND decision_id IS NULL)
    + (SELECT coalesce(sum(order_count + movement_count), 0) FROM inbox_batch WHERE shift_id = %(shift_id)s AND state = 'failed')
"""


class ShiftFigures(NamedTuple):
    """`computed` in minor units; `missing_*` is empty while nothing was declared; `held` and `late` count members."""

    computed: ShiftTotals
    expected_cash: int
    missing_batches: list[UUID]
    missing_numbers: list[tuple[int, int]]
    held: int
    late: int


def shift_figures(cursor: CursorWrapper, shift: Shift) -> ShiftFigures:
    """Adds up one shift. A handful of indexed statements over the orders of that shift, in one round trip."""
    key: dict[str, Any] = {"shift_id": shift.shift_id, "business_date": shift.business_date}
    summed = [(statement, key) for statement in (SUM_ORDERS, SUM_PAYMENTS, SUM_MOVEMENTS, COUNT_HELD)]
    orders, paid, moved, of_held, *missing = ask_together(*summed, *_declared_questions(shift))
    count, sold, refunds, tax, tips, rounding, late = orders.fetchone() or (0,) * 7
    payments = dict(paid.fetchall())
    cash_in, cash_out = moved.fetchone() or (0, 0)
    held = (of_held.fetchone() or (0,))[0]
    batches, numbers = (each.fetchall() for each in missing) if missing else ([], [])
    return ShiftFigures(
        computed=ShiftTotals(
            order_count=count, sales=sold, refunds=refunds, tax=tax, tips=tips, rounding=rounding, payments=payments
        ),
        expected_cash=expected_cash(
            opening_float=shift.opening_float,
            cash_payments=payments.get("cash", 0),
            cash_in=cash_in,
            cash_out=cash_out,
        ),
        missing_batches=[batch_id for (batch_id,) in batches],
        missing_numbers=_missing_numbers(cursor, shift, unused=sorted(numbers)[:MOST_RANGES]),
        held=int(held),
        late=late,
    )


def _declared_questions(shift: Shift) -> list[tuple[str, dict[str, Any]]]:
    """Which of the declared batches are not processed, and which of the declared numbers are not used; none of an open shift."""
    if shift.declared is None:
        return []
    batches = {"batches": shift.declared["batches"], "terminal_id": shift.terminal_id, "most": MAX_CLOSE_BATCHES}
    return [(MISSING_BATCHES, batches), (MISSING_NUMBERS, _declared_numbers(shift) | {"most": MOST_RANGES})]


def _declared_numbers(shift: Shift) -> dict[str, Any]:
    declared = shift.declared or {}
    return {
        "terminal_id": shift.terminal_id,
        "first": declared["first_number"],
        "last": declared["last_number"],
    }


def _missing_numbers(
    cursor: CursorWrapper, shift: Shift, *, unused: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """What was declared and is `unused`, and what the close before left to this one, less what is open, held, or used."""
    if shift.declared is None:
        return []
    brought = (
        unused_numbers(cursor, terminal_id=shift.terminal_id, numbers=shift.carried_in) if shift.carried_in else []
    )
    if not unused and not brought:
        return []
    missing = list(unused)
    declared = _declared_numbers(shift)
    passed = set(shift.declared.get("carried_over", ()))
    first = min(first for first, _ in (*missing, *brought))
    last = max(declared["last"], *(last for _, last in (*missing, *brought)))
    held = numbers_of_unreadable(cursor, terminal_id=shift.terminal_id, first=first, last=last)
    passed.update(held)
    explained = explained_ranges(cursor, terminal_id=shift.terminal_id, first=first, last=last)
    if passed or explained:
        missing = _left_of(cursor, declared, passed=passed, explained=explained)
    brought = without_ranges(without(brought, held), explained)
    return merged([*missing, *brought])[:MOST_RANGES]


def _left_of(
    cursor: CursorWrapper, declared: dict[str, Any], *, passed: set[int], explained: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The unused ranges without what is passed over and explained: as many are read as it takes to have enough left."""
    most = MOST_RANGES + len(passed) + len(explained)
    while True:
        unused = _unused_ranges(cursor, declared, most=most)
        left = without_ranges(without(unused, passed), explained)
        if len(unused) < most or len(left) >= MOST_RANGES:
            return left
        most *= 2


def _unused_ranges(cursor: CursorWrapper, declared: dict[str, Any], *, most: int) -> list[tuple[int, int]]:
    cursor.execute(MISSING_NUMBERS, declared | {"most": most})
    return sorted(cursor.fetchall())[:most]


def explained_ranges(cursor: CursorWrapper, *, terminal_id: int, first: int, last: int) -> list[tuple[int, int]]:
    """What head office explained of a terminal's numbers around `first … last`: nobody waits for them (protocol §6)."""
    cursor.execute(EXPLAINED, {"terminal_id": terminal_id, "first": first, "last": last})
    return list(cursor.fetchall())


def explained_numbers(cursor: CursorWrapper, shift: Shift) -> list[tuple[int, int]]:
    """What was explained of this shift and has not arrived since, at most 100 ranges."""
    cursor.execute(EXPLAINED_OF_SHIFT, {"shift_id": shift.shift_id})
    ranges = merged(cursor.fetchall())
    if not ranges:
        return []
    used: dict[str, Any] = {"terminal_id": shift.terminal_id, "shift_id": shift.shift_id}
    cursor.execute(EXPLAINED_AND_USED, used)
    return without(ranges, [number for (number,) in cursor.fetchall()])[:MOST_RANGES]


def unused_numbers(cursor: CursorWrapper, *, terminal_id: int, numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Those of `numbers` that no order of the terminal used, each as a range of one."""
    cursor.execute(UNUSED_NUMBERS, {"terminal_id": terminal_id, "numbers": integer_array(numbers)})
    return [(number, number) for (number,) in cursor.fetchall()]


def numbers_of_unreadable(cursor: CursorWrapper, *, terminal_id: int, first: int, last: int) -> list[int]:
    """Numbers within `first … last` that held members name which cannot be read, and so take none (protocol §6).

    Those of readable members are among them, and used as well.
    """
    cursor.execute(
        NUMBERS_OF_HELD, {"terminal_id": terminal_id, "first": first, "last": last, "most": MOST_HELD_NUMBERS}
    )
    return [number for (number,) in cursor.fetchall()]
