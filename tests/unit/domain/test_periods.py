"""On which day something is entered in the books (books, "Periods")."""

from datetime import date

import pytest

from backoffice.domain.periods import entry_date

MARCH_31, APRIL_1 = date(2026, 3, 31), date(2026, 4, 1)


@pytest.mark.parametrize(
    ("business_date", "locked_through", "entered"),
    [
        (date(2026, 3, 1), None, date(2026, 3, 1)),
        (date(2026, 3, 1), MARCH_31, APRIL_1),
        (MARCH_31, MARCH_31, APRIL_1),
        (APRIL_1, MARCH_31, APRIL_1),
        (date(2031, 1, 1), MARCH_31, date(2031, 1, 1)),
        (date(2025, 12, 31), date(2025, 12, 31), date(2026, 1, 1)),
        (date(1999, 1, 1), date(2024, 2, 28), date(2024, 2, 29)),
    ],
)
def test_it_is_the_business_date_or_the_first_open_day(
    business_date: date, locked_through: date | None, entered: date
) -> None:
    assert entry_date(business_date, locked_through=locked_through) == entered
