"""What a terminal reports about itself while it is online, and what it is told in return (protocol §4)."""

from datetime import datetime
from typing import Any

from django.db import connection

from backoffice.domain.numbers import MOST_RANGES, missing_ranges
from backoffice.domain.states import ShiftState
from backoffice.domain.wire.answers import HeartbeatTaken
from backoffice.domain.wire.messages import Heartbeat
from backoffice.fleet.models import Terminal
from backoffice.ingestion.figures import used_numbers
from backoffice.ingestion.shifts import open_shift_of
from backoffice.sales.models import Shift

STORE_HEARTBEAT = """
INSERT INTO fleet_heartbeat AS stood (terminal_id, received_at, sent_at, clock_skew_ms, offline_mode, offline_since,
    cached_orders, cached_total, oldest_cached_at, last_number, shift_id, app_version)
VALUES (%(terminal_id)s, %(now)s, %(sent_at)s, %(skew)s, %(offline)s, CASE WHEN %(offline)s THEN %(now)s::timestamptz END,
    %(cached_orders)s, %(cached_total)s, %(oldest)s, %(last_number)s, %(shift_id)s, %(app_version)s)
ON CONFLICT (terminal_id) DO UPDATE SET received_at = excluded.received_at, sent_at = excluded.sent_at,
    clock_skew_ms = excluded.clock_skew_ms, offline_mode = excluded.offline_mode,
    offline_since = CASE WHEN excluded.offline_mode THEN coalesce(stood.offline_since, excluded.offline_since) END,
    cached_orders = excluded.cached_orders, cached_total = excluded.cached_total,
    oldest_cached_at = excluded.oldest_cached_at, last_number = excluded.last_number, shift_id = excluded.shift_id,
    app_version = excluded.app_version
"""


def record_heartbeat(*, terminal: Terminal, message: Heartbeat, now: datetime) -> HeartbeatTaken:
    """Keeps the terminal's newest heartbeat. Returns the answer of `PUT /terminal/heartbeat`."""
    skew_ms = round((message.sent_at - now).total_seconds() * 1000)
    row: dict[str, Any] = {
        "terminal_id": terminal.pk,
        "now": now,
        "sent_at": message.sent_at,
        "skew": skew_ms,
        "offline": message.offline_mode,
        "cached_orders": message.cached_orders,
        "cached_total": message.cached_total,
        "oldest": message.oldest_cached_at,
        "last_number": message.last_number,
        "shift_id": message.shift_id,
        "app_version": message.app_version,
    }
    with connection.cursor() as cursor:
        cursor.execute(STORE_HEARTBEAT, row)
    shift = open_shift_of(terminal)
    return HeartbeatTaken(
        server_time=now,
        clock_skew_ms=skew_ms,
        missing_numbers=[list(numbers) for numbers in _missing_numbers(terminal)],
        open_shift_id=None if shift is None else shift.shift_id,
    )


def _missing_numbers(terminal: Terminal) -> list[tuple[int, int]]:
    # Of a closed shift all declared numbers count; of the open one, those below the highest that was used.
    ranges: list[tuple[int, int]] = []
    unsettled = Shift.objects.filter(
        terminal=terminal, state__in=[ShiftState.OPEN.value, ShiftState.CLOSING.value]
    ).order_by("first_number")
    with connection.cursor() as cursor:
        for shift in unsettled:
            if shift.declared is None:
                first = shift.first_number
                used = used_numbers(cursor, terminal_id=terminal.pk, first=first, last=_last_before_the_next(shift))
                last = max(used, default=first - 1)
            else:
                first, last = shift.declared["first_number"], shift.declared["last_number"]
                used = used_numbers(cursor, terminal_id=terminal.pk, first=first, last=last)
            ranges += missing_ranges(declared_first=first, declared_last=last, used=used)
    return sorted(set(ranges))[:MOST_RANGES]


def _last_before_the_next(shift: Shift) -> int | None:
    # None for the terminal's newest shift. A shift that was never closed ends where the next begins.
    following = Shift.objects.filter(terminal_id=shift.terminal_id, first_number__gt=shift.first_number)
    first = following.order_by("first_number").values_list("first_number", flat=True).first()
    return None if first is None else first - 1
