"""What the rules say of the shifts of one terminal: their flags, their dates, and the numbers that they wait for."""

import json
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from backoffice.domain.numbers import missing_ranges
from backoffice.domain.openings import TerminalBefore, corrected_opening, opening_flags
from backoffice.domain.totals import settled_state
from backoffice.domain.wire.messages import OpenShift, read_open_shift
from tests.vectors.building import Json, ShiftInARow, ShiftsCase
from tests.vectors.judging import read_sound, totals_of


def judge_shifts(case: ShiftsCase) -> Iterator[Json]:
    """How each shift stands once all were sent."""
    named = {order["number"] for shift in case.shifts for order in (*shift.orders, *shift.unreadable)}
    shift_numbers: set[int] = set()
    order_numbers: set[int] = set()
    for shift, waits in zip(case.shifts, waited_for(case), strict=True):
        message = read_open_shift(json.dumps(shift.opening).encode())
        before = _before(shift, number_used=message.number in shift_numbers)
        before = before._replace(first_number_used=message.first_number in order_numbers)
        corrected = _corrected(shift, message, before)
        flags = opening_flags(message, before=before, float_left=None, is_corrected=corrected is not None)
        missing = ranges_of(waits - named)
        state = settled_state(
            waiting_batches=0, missing_numbers=len(missing), held=len(shift.unreadable), differences=0
        ).value
        opened = (corrected or message.opened_at).astimezone(ZoneInfo(case.at.timezone))
        yield {
            "flags": [{"code": flag.code, "pointer": flag.pointer} for flag in flags],
            "business_date": opened.date().isoformat(),
            "opened_at_corrected": None if corrected is None else opened.isoformat(),
            "state": "open" if shift.declared is None else state,
            "missing_numbers": [list(pair) for pair in missing],
        }
        shift_numbers.add(message.number)
        order_numbers |= {order["number"] for order in shift.orders}


def declaration_of_shift(shift: ShiftInARow) -> Json | None:
    """The close of a shift, without its batches."""
    if shift.declared is None:
        return None
    totals = totals_of([read_sound(order) for order in shift.orders])
    first = shift.opening["first_number"]
    numbers = [order["number"] for order in shift.orders if order["number"] >= first]
    usual = {
        "order_count": totals.pop("order_count"),
        "first_number": first,
        "last_number": max(numbers, default=first - 1),
        "carried_over": [],
        "cash_counted": shift.opening["opening_float"] + totals["payments"].get("cash", 0),
        "totals": totals,
    }
    return usual | shift.declared


def waited_for(case: ShiftsCase) -> list[set[int]]:
    """The numbers that each shift waits for, those that came since included (protocol §6, `carried_over`)."""
    found: list[set[int]] = []
    carried: set[int] = set()
    used: set[int] = set()
    for shift in case.shifts:
        used |= {order["number"] for order in shift.orders}
        close = declaration_of_shift(shift)
        if close is None:
            found.append(set())
            continue
        still_open = set(close["carried_over"])
        declared = set(range(close["first_number"], close["last_number"] + 1))
        # What was used is passed over, and what an earlier shift waits for stays that shift's.
        earlier = set().union(*found)
        found.append((declared | carried) - still_open)
        carried = still_open - used - earlier
    return found


def ranges_of(numbers: set[int]) -> list[tuple[int, int]]:
    """The same as inclusive ranges."""
    if not numbers:
        return []
    first, last = min(numbers), max(numbers)
    others = set(range(first, last + 1)) - numbers
    return missing_ranges(declared_first=first, declared_last=last, used=others)


def _before(shift: ShiftInARow, *, number_used: bool) -> TerminalBefore:
    if shift.heard is None:
        return TerminalBefore(number_used=number_used)
    told_at = datetime.fromisoformat(shift.heard.heartbeat_at)
    return TerminalBefore(skew_ms=shift.heard.clock_skew_ms, told_at=told_at, number_used=number_used)


def _corrected(shift: ShiftInARow, message: OpenShift, before: TerminalBefore) -> datetime | None:
    if shift.heard is None:
        return None
    return corrected_opening(message, before=before, received_at=datetime.fromisoformat(shift.heard.opening_at))
