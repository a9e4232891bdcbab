"""Where the audit says that an entry must stand: by the numbers of locks and entries alone."""

from datetime import date

import pytest

from backoffice.audit.periods import LockedPeriods, LockedSince

DAY = date(2026, 3, 15)
LOCKED = [(100, date(2026, 3, 31)), (200, date(2026, 3, 14)), (300, date(2026, 4, 30))]


@pytest.mark.parametrize(
    ("entry_id", "stands"),
    [(99, DAY), (101, date(2026, 4, 1)), (199, date(2026, 4, 1)), (201, DAY), (299, DAY), (301, date(2026, 5, 1))],
)
def test_the_lock_before_it_says_where_it_stands(entry_id: int, stands: date) -> None:
    periods = LockedPeriods()
    for from_entry, through in LOCKED:
        periods.add(7, LockedSince(from_entry, through))
    assert periods.entry_date(7, DAY, entry_id) == stands
    assert periods.entry_date(8, DAY, entry_id) == DAY
