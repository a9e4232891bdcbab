"""How each terminal of a page stands: what was heard of it last, its open shifts, and what its closes still lack.

A few statements for all of them together, each bounded by what it reads of one terminal.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from backoffice.domain.numbers import merged, missing_ranges, without, without_ranges
from backoffice.fleet.models import Heartbeat, Terminal
from backoffice.postgres.arrays import integer_array
from backoffice.review.sync import NOTHING_UNSETTLED, Signs, SyncState, sync_state

# What head office decides is a batch too, and nothing that the terminal sent.
LAST_HEARD = """
SELECT t.id,
    (SELECT max(number) FROM sales_identity WHERE terminal_id = t.id),
    (SELECT (declared ->> 'last_number')::bigint FROM sales_shift s
        WHERE s.terminal_id = t.id AND close_received_at IS NOT NULL ORDER BY close_received_at DESC LIMIT 1),
    (SELECT received_at FROM inbox_batch b WHERE terminal_id = t.id
        AND NOT EXISTS (SELECT FROM books_decision d WHERE d.id = b.batch_id) ORDER BY received_at DESC LIMIT 1),
    done.received_at, done.processed_at
FROM fleet_terminal t LEFT JOIN LATERAL (
    SELECT received_at, processed_at FROM inbox_batch b WHERE terminal_id = t.id AND state = 'processed'
        AND NOT EXISTS (SELECT FROM books_decision d WHERE d.id = b.batch_id) ORDER BY received_at DESC LIMIT 1
) AS done ON true
WHERE t.id = ANY(%(ids)s::integer[])
"""

# Of each terminal the oldest few, here and below: a broken one may have thousands.
OPEN_SHIFTS = """
SELECT terminal_id, shift_id, number, opened_at FROM (
    SELECT *, row_number() OVER (PARTITION BY terminal_id ORDER BY opened_at) AS place
    FROM sales_shift WHERE state = 'open' AND terminal_id = ANY(%(ids)s::integer[])
) AS s WHERE place <= %(shifts)s ORDER BY opened_at
"""

# One row for each closing shift: the numbers that it declared from the first that is missing, those of them that have
# arrived, and those that nobody waits for: carried over, held unread, explained by head office (protocol §6).
CLOSING_SHIFTS = """
SELECT terminal_id, shift_id, number, closed_at, awaits_batch IS NOT NULL, first, last,
    ARRAY(SELECT i.number FROM sales_identity i WHERE i.terminal_id = s.terminal_id AND i.number BETWEEN first AND last
        ORDER BY i.number LIMIT %(numbers)s),
    ARRAY(SELECT c.number FROM unnest(s.carried_in) AS c (number) WHERE NOT EXISTS (
        SELECT FROM sales_identity i WHERE i.terminal_id = s.terminal_id AND i.number = c.number)),
    ARRAY(SELECT jsonb_array_elements_text(declared -> 'carried_over')::bigint),
    ARRAY(SELECT h.number FROM sales_helditem h WHERE h.terminal_id = s.terminal_id AND h.number IS NOT NULL
        AND (h.number BETWEEN first AND last OR h.number = ANY(s.carried_in)) ORDER BY h.number LIMIT %(numbers)s),
    ARRAY(SELECT ARRAY[e.first, e.last] FROM sales_explainednumbers e WHERE e.terminal_id = s.terminal_id)
FROM (
    SELECT *, CASE WHEN awaits_number IS NOT NULL THEN greatest(awaits_number, (declared ->> 'first_number')::bigint) END
        AS first, (declared ->> 'last_number')::bigint AS last,
        row_number() OVER (PARTITION BY terminal_id ORDER BY opened_at) AS place
    FROM sales_shift WHERE state = 'closing' AND declared IS NOT NULL AND terminal_id = ANY(%(ids)s::integer[])
) AS s WHERE place <= %(shifts)s ORDER BY opened_at
"""

SHIFTS_READ, NUMBERS_READ = 10, 5_000


class OpenShiftRow(NamedTuple):
    """An open shift of a terminal."""

    shift_id: str
    number: int
    opened_at: datetime


class Gap(NamedTuple):
    """What a closed shift still lacks: inclusive ranges of order numbers, an upload that it declared, or both.

    `closed_at` is the time of its close by the till's clock, None where head office ended it. `is_more` says that there may be further numbers behind.
    """

    shift_id: str
    number: int
    closed_at: datetime | None
    missing: list[tuple[int, int]]
    lacks_upload: bool = False
    is_more: bool = False

    @property
    def how_many(self) -> int:
        """How many numbers are missing."""
        return sum(last - first + 1 for first, last in self.missing)


class Heard(NamedTuple):
    """What was last heard of a terminal; of its uploads the last one, and the last that is in the books."""

    last_number: int | None = None
    last_declared: int | None = None
    last_upload: datetime | None = None
    done_received: datetime | None = None
    done_processed: datetime | None = None

    @property
    def took(self) -> timedelta | None:
        """From the upload to the ledger, of the last one that is there."""
        if self.done_received is None or self.done_processed is None:
            return None
        return self.done_processed - self.done_received


class SyncStanding(NamedTuple):
    """How far one terminal's sales have arrived: all that the console shows of it."""

    state: SyncState
    signs: Signs
    heard: Heard
    heartbeat: Heartbeat | None
    open_shifts: list[OpenShiftRow]
    gaps: list[Gap]

    @property
    def missing(self) -> list[tuple[int, int]]:
        """The missing numbers of all its closed shifts."""
        return merged(numbers for gap in self.gaps for numbers in gap.missing)


def read_standings(terminals: Iterable[Terminal], *, signs: Mapping[int, Signs]) -> dict[int, SyncStanding]:
    """The standing of each terminal, by its id. Four statements, however many terminals there are."""
    listed = {terminal.pk: terminal for terminal in terminals}
    wanted: dict[str, Any] = {"ids": integer_array(listed), "shifts": SHIFTS_READ, "numbers": NUMBERS_READ}
    heartbeats = Heartbeat.objects.in_bulk(list(listed))
    with connection.cursor() as cursor:
        cursor.execute(LAST_HEARD, wanted)
        heard = {row[0]: Heard(*row[1:]) for row in cursor.fetchall()}
        cursor.execute(OPEN_SHIFTS, wanted)
        open_shifts: dict[int, list[OpenShiftRow]] = {}
        for terminal_id, shift_id, number, opened_at in cursor.fetchall():
            open_shifts.setdefault(terminal_id, []).append(OpenShiftRow(str(shift_id), number, opened_at))
        cursor.execute(CLOSING_SHIFTS, wanted)
        gaps: dict[int, list[Gap]] = {}
        for terminal_id, *row in cursor.fetchall():
            gaps.setdefault(terminal_id, []).append(_gap(row))
    return {
        key: SyncStanding(
            state=sync_state(terminal, signs.get(key, NOTHING_UNSETTLED)),
            signs=signs.get(key, NOTHING_UNSETTLED),
            heard=heard.get(key, Heard()),
            heartbeat=heartbeats.get(key),
            open_shifts=open_shifts.get(key, []),
            gaps=gaps.get(key, []),
        )
        for key, terminal in listed.items()
    }


def _gap(row: Sequence[Any]) -> Gap:
    shift_id, number, closed_at, lacks_upload, first, last, used, brought, carried, held, explained = row
    is_whole = len(used) < NUMBERS_READ
    declared: list[tuple[int, int]] = []
    if first is not None:
        declared = missing_ranges(declared_first=first, declared_last=last if is_whole else used[-1], used=used)
    owed = [*without(declared, carried), *((one, one) for one in brought)]
    missing = without_ranges(without(merged(owed), held), [(begin, end) for begin, end in explained])
    return Gap(str(shift_id), number, closed_at, missing, lacks_upload, not is_whole)
