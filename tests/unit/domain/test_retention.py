"""Until when a month is kept."""

from datetime import date

import pytest

from backoffice.domain.retention import kept_through, last_day_of


@pytest.mark.parametrize(
    ("month", "years", "last"),
    [
        (date(2026, 11, 1), 10, date(2036, 11, 30)),
        (date(2026, 12, 1), 1, date(2027, 12, 31)),
        (date(2024, 2, 1), 10, date(2034, 2, 28)),
        (date(2024, 2, 1), 4, date(2028, 2, 29)),
    ],
)
def test_a_month_is_kept_for_whole_years_after_its_last_day(month: date, years: int, last: date) -> None:
    assert kept_through(month=month, years=years) == last


def test_the_last_day_of_a_month_is_the_calendars() -> None:
    assert [last_day_of(date(2026, month, 1)).day for month in range(1, 13)] == [
        *(31, 28, 31, 30, 31, 30),
        *(31, 31, 30, 31, 30, 31),
    ]
