"""What a terminal reports about itself while it is online, and what it is told in return (protocol §4)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.backends.utils import CursorWrapper

from backoffice.domain.numbers import MOST_RANGES, merged, missing_ranges, without, without_ranges
from backoffice.domain.wire.answers import HeartbeatTaken
from backoffice.domain.wire.messages import Heartbeat
from backoffice.fleet.models import Terminal
from backoffice.ingestion.figures import explained_ranges, numbers_of_unreadable, unused_numbers
from backoffice.ingestion.shifts import open_shift_of
from backoffice.postgres.arrays import integer_array

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

# Closed shifts from the first number that each is missing, the open one, and those recorded as ended that were never
# closed, which end where the next begins. Each in the order of an index. With what each carries over and must bring.
SELECT_SPANS = """
(SELECT true AS is_closed, greatest(awaits_number, (declared ->> 'first_number')::bigint) AS first,
    (declared ->> 'last_number')::bigint AS last,
    ARRAY(SELECT jsonb_array_elements_text(declared -> 'carried_over')::bigint) AS carried,
    coalesce(carried_in, '{}') AS brought
FROM sales_shift WHERE terminal_id = %(terminal_id)s AND state = 'closing' AND awaits_number IS NOT NULL
ORDER BY awaits_number LIMIT %(most)s)
UNION ALL
SELECT false, still_open.first_number, coalesce((
    SELECT next.first_number - 1 FROM sales_shift next
    WHERE next.terminal_id = %(terminal_id)s AND next.first_number > still_open.first_number
    ORDER BY next.first_number LIMIT 1
), 9223372036854775807), '{}', '{}'
FROM (
    (SELECT first_number FROM sales_shift WHERE terminal_id = %(terminal_id)s AND state = 'open' AND recorded_end IS NULL)
    UNION
    (SELECT first_number FROM sales_shift WHERE terminal_id = %(terminal_id)s AND state = 'open'
    ORDER BY first_number LIMIT %(most)s)
) AS still_open
"""
SELECT_NUMBERS = """
SELECT span.place, used.number
FROM unnest(%(firsts)s::bigint[], %(lasts)s::bigint[]) WITH ORDINALITY AS span (first, last, place)
CROSS JOIN LATERAL (
    SELECT number FROM sales_identity
    WHERE terminal_id = %(terminal_id)s AND number >= span.first AND number <= span.last ORDER BY number LIMIT %(most)s
) AS used
"""
# By one heartbeat, shared by the shifts that it looks at.
MOST_NUMBERS_READ = 50_000


class Span(NamedTuple):
    """Numbers that an unsettled shift declared, or an open one began with: an inclusive range.

    `carried` are not waited for by this shift; `brought` are, and need not be in the range.
    """

    is_closed: bool
    first: int
    last: int
    carried: Sequence[int] = ()
    brought: Sequence[int] = ()


def record_heartbeat(
    *, terminal: Terminal, message: Heartbeat, checkpoint: str | None, now: datetime
) -> HeartbeatTaken:
    """Keeps the terminal's newest heartbeat. Returns the answer of `PUT /terminal/heartbeat`, with the checkpoint given."""
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
        checkpoint=checkpoint,
    )


def _missing_numbers(terminal: Terminal) -> list[tuple[int, int]]:
    """Of closed shifts all declared numbers count; of an open one, those below the highest that was used.

    What is read is bounded, however many shifts are unsettled and whatever they declared: where a shift has more numbers
    than are read, those behind them are left to a later heartbeat.
    """
    terminal_id: int = terminal.pk
    with connection.cursor() as cursor:
        cursor.execute(SELECT_SPANS, {"terminal_id": terminal_id, "most": MOST_RANGES})
        shifts = [Span(*row) for row in cursor.fetchall()]
        still_open = {(shift.first, shift.last) for shift in shifts if not shift.is_closed}
        closed = merged((shift.first, shift.last) for shift in shifts if shift.is_closed)
        spans = [Span(is_closed=False, first=first, last=last) for first, last in sorted(still_open)]
        spans += [Span(is_closed=True, first=first, last=last) for first, last in closed]
        if not spans:
            return []
        used = _used_numbers(cursor, spans, terminal_id=terminal_id)
        owed = {number for shift in shifts for number in shift.brought}
        brought = unused_numbers(cursor, terminal_id=terminal_id, numbers=sorted(owed)) if owed else []
        missing = _gaps(spans, used, passed=()) + brought
        if not missing:
            return []
        first, last = min(missing)[0], max(span.last for span in spans)
        held = numbers_of_unreadable(cursor, terminal_id=terminal_id, first=first, last=last)
        explained = explained_ranges(cursor, terminal_id=terminal_id, first=first, last=last)
    gaps = _gaps(spans, used, passed={*held, *_carried_over(shifts)}, most=MOST_RANGES + len(explained))
    return without_ranges(merged({*gaps, *without(brought, held)}), explained)[:MOST_RANGES]


def _used_numbers(cursor: CursorWrapper, spans: Sequence[Span], *, terminal_id: int) -> list[list[int]]:
    """The first numbers that the terminal used in each of the spans: as many as one heartbeat may read of each."""
    read: dict[str, Any] = {
        "terminal_id": terminal_id,
        "firsts": integer_array(span.first for span in spans),
        "lasts": integer_array(span.last for span in spans),
        "most": MOST_NUMBERS_READ // len(spans),
    }
    cursor.execute(SELECT_NUMBERS, read)
    used: list[list[int]] = [[] for _ in spans]
    for place, number in cursor.fetchall():
        used[place - 1].append(number)
    return used


def _gaps(
    spans: Sequence[Span], used: Sequence[list[int]], *, passed: Collection[int], most: int = MOST_RANGES
) -> list[tuple[int, int]]:
    """What is missing in spans of which these numbers were used, the first `most` ranges of each.

    Those that are passed over are not missing.
    """
    ranges: set[tuple[int, int]] = set()
    read = MOST_NUMBERS_READ // len(spans)
    for span, numbers in zip(spans, used, strict=True):
        is_whole = span.is_closed and len(numbers) < read
        end = span.last if is_whole else max(numbers, default=span.first - 1)
        there = [*numbers, *passed] if passed else numbers
        ranges.update(missing_ranges(declared_first=span.first, declared_last=end, used=there, limit=most))
    return sorted(ranges)


def _carried_over(shifts: Sequence[Span]) -> set[int]:
    """Numbers that closed shifts carry over, without those that another of them still waits for."""
    carried = {number for shift in shifts for number in shift.carried}
    if not carried:
        return carried
    for shift in shifts:
        carried.difference_update(shift.brought)
        if shift.is_closed:
            own = set(shift.carried)
            carried -= {number for number in carried if shift.first <= number <= shift.last and number not in own}
    return carried
