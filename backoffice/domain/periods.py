"""Locked periods: on which day something is entered in the books (books, "Periods")."""

from datetime import date, timedelta


def entry_date(business_date: date, *, locked_through: date | None) -> date:
    """The date of an entry: its business date or, where the books are locked then, the first open day.

    `locked_through` is the last locked day of the store, None where nothing was ever locked.
    """
    if locked_through is None or business_date > locked_through:
        return business_date
    return first_open_day(locked_through)


def first_open_day(locked_through: date) -> date:
    """The day after the last locked one."""
    return locked_through + timedelta(days=1)
