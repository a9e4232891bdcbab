"""How long books are kept: whole months, each until the years of its store have passed since its end."""

from datetime import date, timedelta


def kept_through(*, month: date, years: int) -> date:
    """The last day on which the month that begins on `month` is kept: so many years after its own last day."""
    end = last_day_of(month)
    try:
        return end.replace(year=end.year + years)
    except ValueError:  # 29 February
        return end.replace(year=end.year + years, day=28)


def last_day_of(month: date) -> date:
    """The last day of the month that begins on `month`."""
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
