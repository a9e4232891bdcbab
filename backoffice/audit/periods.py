"""Locked periods: which dates were locked when, by the decisions alone, and where entries must stand (books, "Periods").

The rows of `ledger_periodlock` say only when, as entries count: whoever posts draws its entry's number after it has announced
that it posts, and a lock draws its own once nobody does. So an entry with a higher number than a lock was posted under it, and
one with a lower number before it, whatever the clocks say.
"""

from bisect import bisect_left
from collections import defaultdict
from datetime import date, timedelta
from typing import NamedTuple

from django.db.backends.utils import CursorWrapper

from backoffice.audit.findings import Findings

SELECT_LOCKS = """
SELECT coalesce(p.id, 0), ps.code, p.locked_through, d.store_id, d.code, d.verb, d.day
FROM ledger_periodlock p JOIN fleet_store ps ON ps.id = p.store_id
FULL JOIN (
    SELECT d.id, d.verb, d.store_id, s.code, (d.arguments ->> 'date')::date AS day
    FROM books_decision d JOIN fleet_store s ON s.id = d.store_id LEFT JOIN books_decisionanswer a ON a.decision_id = d.id
    WHERE d.verb IN ('lock', 'unlock') AND (NOT d.needs_second_person OR a.answer = 'agreed')
) d ON d.id = p.decision_id
ORDER BY 1
"""
# Few: those that have a number of after a lock and a date of before its end.
SELECT_WITHIN = """
SELECT e.id, e.business_date, e.source_kind FROM ledger_journalentry e
WHERE e.id > %s AND e.id < %s AND e.store_id = %s AND e.business_date <= %s ORDER BY e.id LIMIT 100
"""
BEYOND_ALL = 2**63 - 1


class LockedSince(NamedTuple):
    """Through which day a store was locked from the entry of this number on, as a decision has it."""

    from_entry: int
    through: date


class LockedPeriods:
    """What was locked when, store by store."""

    def __init__(self) -> None:
        self._locks: dict[int, list[LockedSince]] = defaultdict(list)

    def add(self, store_id: int, lock: LockedSince) -> None:
        """In the order in which they came into force."""
        self._locks[store_id].append(lock)

    def entry_date(self, store_id: int, business_date: date, entry_id: int) -> date:
        """Where an entry of this number must stand: on its business date or, where that was locked, the day after the lock."""
        locks = self._locks.get(store_id)
        before = 0 if locks is None else bisect_left(locks, entry_id, key=lambda lock: lock.from_entry)
        if locks is None or before == 0:
            return business_date
        return max(business_date, locks[before - 1].through + timedelta(days=1))

    def check_entries(self, cursor: CursorWrapper, codes: dict[int, str], findings: Findings) -> None:
        """No entry stands in a period that was locked when it was posted, wherever it came from."""
        for store_id, locks in self._locks.items():
            ends = [lock.from_entry for lock in locks[1:]] + [BEYOND_ALL]
            for lock, end in zip(locks, ends, strict=True):
                cursor.execute(SELECT_WITHIN, [lock.from_entry, end, store_id, lock.through])
                for entry_id, day, kind in cursor.fetchall():
                    where = f"journal entry {entry_id} ({kind})"
                    what = "stands in a period that was locked when it was posted"
                    findings.add(codes.get(store_id, ""), where, what, expected=f"after {lock.through}", found=day)


def load_locked(cursor: CursorWrapper, findings: Findings) -> LockedPeriods:
    """The locks, each as its decision has it. A lock that no decision made is named, and holds for nothing."""
    periods = LockedPeriods()
    cursor.execute(SELECT_LOCKS)
    for row_id, code, through, decided_store, decided_code, verb, day in cursor.fetchall():
        if verb is None:
            findings.add(code, f"period lock {row_id} through {through}", "locked", expected="a decision", found=None)
            continue
        expected = day if verb == "lock" else day - timedelta(days=1)
        if row_id == 0:
            findings.add(
                decided_code, f"the decision to {verb} {decided_code}", "has no effect", expected=expected, found=None
            )
            continue
        for what, one, other in (("store", decided_code, code), ("locked through", expected, through)):
            if one != other:
                findings.add(code, f"period lock {row_id}", what, expected=one, found=other)
        periods.add(decided_store, LockedSince(row_id, expected))
    return periods
