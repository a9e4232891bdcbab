"""Shifts that follow each other: tables that stay open over a close, numbers that come again, clocks that are wrong."""

from typing import Any

from tests.vectors.building import Heard, Json, ShiftInARow, ShiftsCase, goods, order

CARRIED = "protocol §6, `carried_over`"
CLOCK = "protocol §4, `clock-skew`"
THREE_DAYS_MS = 3 * 24 * 3600 * 1000
TEN_MINUTES_MS = 10 * 60 * 1000


def opening(number: int, first_number: int, opened_at: str, **fields: Any) -> Json:
    usual = {"number": number, "opened_at": opened_at, "cashier": "Anna", "opening_float": 0}
    return {**usual, "first_number": first_number, **fields}


def sold(name: str, number: int, hours: str = "16:30 16:40", day: str = "2026-03-01") -> Json:
    """An order by card, opened and closed at these hours."""
    opened, closed = (f"{day}T{hour}:00+01:00" for hour in hours.split())
    return order(f"{name}, {number}", goods(1000), by="card", number=number, opened_at=opened, closed_at=closed)


def morning(*orders: Json, first_number: int = 1001, **fields: Any) -> ShiftInARow:
    """From 8 to 17 o'clock, number 311."""
    declared = {"closed_at": "2026-03-01T17:00:00+01:00", **fields.pop("declared", {})}
    opened = opening(fields.pop("number", 311), first_number, "2026-03-01T08:00:00+01:00")
    return ShiftInARow(opening=opened, orders=orders, declared=declared, **fields)


def evening(*orders: Json, first_number: int, **fields: Any) -> ShiftInARow:
    """From half past 17 to 22 o'clock, number 312."""
    declared = {"closed_at": "2026-03-01T22:00:00+01:00", **fields.pop("declared", {})}
    opened = opening(fields.pop("number", 312), first_number, "2026-03-01T17:30:00+01:00")
    return ShiftInARow(opening=opened, orders=orders, declared=declared, **fields)


def night(*orders: Json, first_number: int, **fields: Any) -> ShiftInARow:
    """From half past 22 o'clock, number 313."""
    declared = {"closed_at": "2026-03-01T23:50:00+01:00", **fields.pop("declared", {})}
    opened = opening(fields.pop("number", 313), first_number, "2026-03-01T22:30:00+01:00")
    return ShiftInARow(opening=opened, orders=orders, declared=declared, **fields)


def carrying(*numbers: int, **declared: int) -> Json:
    return {"carried_over": list(numbers), **declared}


def scanned(name: str, number: int) -> Json:
    """An order of so many pieces as the code on a book says."""
    line = {"quantity": "9780201379624", "unit_price": 1000, "amount": 1000}
    return {**sold(name, number), "lines": [line]}


def row(name: str, *shifts: ShiftInARow, source: str) -> ShiftsCase:
    return ShiftsCase(name=name, shifts=shifts, source=source)


AT_NIGHT, AT_DINNER, LATE_TABLE = "22:40 22:50", "18:00 18:10", "16:30 18:20"

TABLES = (
    row("a table is paid in the next shift under its old number",
        morning(sold("t1", 1001), sold("t1", 1003), declared=carrying(1002)),
        evening(sold("t1", 1002, LATE_TABLE), sold("t1", 1004, AT_DINNER), first_number=1004), source=CARRIED),
    row("a table is carried over twice",
        morning(sold("t2", 1001), sold("t2", 1003), declared=carrying(1002)),
        evening(sold("t2", 1004, AT_DINNER), first_number=1004, declared=carrying(1002)),
        night(sold("t2", 1002, "16:30 22:50"), first_number=1005), source=CARRIED),
    row("a table is carried over, and the next close neither brings it nor carries it on",
        morning(sold("t3", 1001), sold("t3", 1003), declared=carrying(1002)),
        evening(sold("t3", 1004, AT_DINNER), first_number=1004, state="closing", missing=((1002, 1002),)),
        source=CARRIED),
    row("a table that is awaited comes one shift later",
        morning(sold("t4", 1001), sold("t4", 1003), declared=carrying(1002)),
        evening(sold("t4", 1004, AT_DINNER), first_number=1004),
        night(sold("t4", 1002, "16:30 22:50"), first_number=1005), source=CARRIED),
    row("the last number that was given is still open",
        morning(sold("t5", 1001), declared=carrying(1002, last_number=1002)),
        evening(sold("t5", 1002, LATE_TABLE), first_number=1003), source=CARRIED),
    row("a table has no number of the shift's own yet",
        morning(sold("t6", 1001), declared=carrying(1002)),
        evening(sold("t6", 1002, AT_DINNER), first_number=1002), source=CARRIED),
    row("a number is carried over that was used",
        morning(sold("t7", 1001), sold("t7", 1002), declared=carrying(1002)),
        evening(sold("t7", 1003, AT_DINNER), first_number=1003), source=CARRIED),
    row("what an earlier shift waits for stays that shift's",
        morning(sold("t8", 1001), sold("t8", 1003), state="closing", missing=((1002, 1002),)),
        evening(sold("t8", 1004, AT_DINNER), first_number=1004, declared=carrying(1002)),
        night(sold("t8", 1005, AT_NIGHT), first_number=1005), source=CARRIED),
    row("an order that cannot be read is held, and its number is not missing",
        morning(sold("t10", 1001), sold("t10", 1003), unreadable=(scanned("t10", 1002),),
                declared={"order_count": 3}, state="discrepant"), source="protocol §6, States"),
    row("a table among numbers that are missing",
        morning(sold("t9", 1001), declared=carrying(1003, last_number=1006), state="closing",
                missing=((1002, 1002), (1004, 1006))), source=CARRIED),
)  # fmt: skip

NUMBERS = (
    row("a shift's number comes again", morning(sold("n1", 1001)),
        evening(first_number=1002, number=311, flags=("number-used-before@/number",)), source="protocol §4"),
    row("a shift begins with the number of an order", morning(sold("n2", 1001)),
        evening(first_number=1001, flags=("number-used-before@/first_number",)), source="protocol §4"),
    row("a device counts from the beginning again", morning(sold("n3", 1001)),
        evening(first_number=1001, number=311,
                flags=("number-used-before@/number", "number-used-before@/first_number")), source="protocol §10"),
    row("a new device goes on with the numbers", morning(sold("n4", 1001)),
        evening(sold("n4", 1002, AT_DINNER), first_number=1002), source="protocol §10"),
)  # fmt: skip


def at_this_clock(
    name: str, opened_at: str, *, skew_ms: int, heartbeat_at: str, opening_at: str, orders: tuple[Json, ...] = (),
    corrected: str = "", on: str = "2026-03-01", **fields: Any,
) -> ShiftsCase:  # fmt: skip
    """One shift, still open, and what was known of the clock when it opened."""
    heard = Heard(clock_skew_ms=skew_ms, heartbeat_at=heartbeat_at, opening_at=opening_at)
    shift = ShiftInARow(
        opening=opening(311, 1001, opened_at, **fields),
        heard=heard,
        orders=orders,
        flags=("clock-skew@/opened_at",) if corrected else (),
        state="open",
        corrected=corrected,
        business_date=on,
    )
    return row(name, shift, source=CLOCK)


CLOCKS = (
    at_this_clock("three days behind by the heartbeat", "2026-03-01T08:00:00+01:00", skew_ms=-THREE_DAYS_MS,
        heartbeat_at="2026-03-04T07:59:00+01:00", opening_at="2026-03-04T08:00:02+01:00",
        orders=(sold("c1", 1001, "08:10 08:11"), sold("c1", 1002, "08:20 08:21")),
        corrected="2026-03-04T08:00:00+01:00", on="2026-03-04"),
    at_this_clock("fast over midnight", "2026-03-02T00:15:00+01:00", skew_ms=45 * 60 * 1000,
        heartbeat_at="2026-03-01T23:20:00+01:00", opening_at="2026-03-01T23:30:01+01:00",
        corrected="2026-03-01T23:30:00+01:00"),
    at_this_clock("ten minutes are nothing", "2026-03-02T00:05:00+01:00", skew_ms=TEN_MINUTES_MS,
        heartbeat_at="2026-03-01T23:50:00+01:00", opening_at="2026-03-01T23:55:00+01:00", on="2026-03-02"),
    at_this_clock("a millisecond more is not", "2026-03-02T00:05:00+01:00", skew_ms=TEN_MINUTES_MS + 1,
        heartbeat_at="2026-03-01T23:50:00+01:00", opening_at="2026-03-01T23:55:00+01:00",
        corrected="2026-03-01T23:54:59.999000+01:00"),
    at_this_clock("somebody set the clock since the heartbeat", "2026-03-04T08:00:00+01:00", skew_ms=-THREE_DAYS_MS,
        heartbeat_at="2026-03-04T07:59:00+01:00", opening_at="2026-03-04T08:00:02+01:00", on="2026-03-04"),
    at_this_clock("the heartbeat is of more than a day ago", "2026-03-01T08:00:00+01:00", skew_ms=-THREE_DAYS_MS,
        heartbeat_at="2026-03-03T07:59:00+01:00", opening_at="2026-03-04T08:00:02+01:00"),
    at_this_clock("a shift recorded as ended keeps its own date", "2026-03-01T08:00:00+01:00", skew_ms=-THREE_DAYS_MS,
        heartbeat_at="2026-03-04T07:59:00+01:00", opening_at="2026-03-04T08:00:02+01:00",
        closed_at="2026-03-01T17:00:00+01:00"),
)  # fmt: skip

CASES = (*TABLES, *NUMBERS, *CLOCKS)
