"""Which terminals have told us everything: their sync state, derived from what is waiting, held or open.

Everything here reads partial indexes of what is unsettled: the cost grows with what is wrong, not with sales.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from django.db import connection

from backoffice.domain.numbers import missing_ranges
from backoffice.fleet.models import Terminal
from backoffice.review.formats import counted
from backoffice.review.words import Label

SIGNS = """
SELECT terminal_id, sum(waiting)::int, sum(failed)::int, min(oldest), sum(held)::int, sum(open)::int, sum(closing)::int,
    sum(discrepant)::int
FROM (
    SELECT terminal_id, count(*) FILTER (WHERE state = 'received') AS waiting,
        count(*) FILTER (WHERE state = 'failed') AS failed, min(received_at) AS oldest, 0 AS held, 0 AS open, 0 AS closing,
        0 AS discrepant
    FROM inbox_batch WHERE state <> 'processed' GROUP BY terminal_id
    UNION ALL
    SELECT terminal_id, 0, 0, NULL, count(*), 0, 0, 0 FROM sales_helditem WHERE decision_id IS NULL GROUP BY terminal_id
    UNION ALL
    SELECT terminal_id, 0, 0, NULL, 0, count(*) FILTER (WHERE state = 'open'), count(*) FILTER (WHERE state = 'closing'),
        count(*) FILTER (WHERE state = 'discrepant')
    FROM sales_shift WHERE state NOT IN ('reconciled', 'approved') GROUP BY terminal_id
) AS signs GROUP BY terminal_id
"""

LAST_HEARD = """
SELECT t.id,
    (SELECT max(number) FROM sales_identity WHERE terminal_id = t.id),
    (SELECT received_at FROM inbox_batch b WHERE terminal_id = t.id
        AND NOT EXISTS (SELECT FROM books_decision d WHERE d.id = b.batch_id) ORDER BY received_at DESC LIMIT 1),
    (SELECT processed_at FROM inbox_batch WHERE terminal_id = t.id AND state = 'processed' ORDER BY received_at DESC LIMIT 1)
FROM fleet_terminal t WHERE t.id = ANY(%s)
"""

# Of each terminal the oldest few, here and below: a broken one may have thousands.
OPEN_SHIFTS = """
SELECT terminal_id, shift_id, number, opened_at FROM (
    SELECT *, row_number() OVER (PARTITION BY terminal_id ORDER BY opened_at) AS place
    FROM sales_shift WHERE state = 'open' AND terminal_id = ANY(%s)
) AS s WHERE place <= %s ORDER BY opened_at
"""

# One row per closing shift: the numbers that it declared, and the first of them that have arrived.
CLOSING_NUMBERS = """
SELECT terminal_id, first, last, ARRAY(
    SELECT number FROM sales_identity i WHERE i.terminal_id = s.terminal_id AND number BETWEEN first AND last
    ORDER BY number LIMIT %s
) FROM (
    SELECT terminal_id, (declared ->> 'first_number')::bigint AS first, (declared ->> 'last_number')::bigint AS last,
        opened_at, row_number() OVER (PARTITION BY terminal_id ORDER BY opened_at) AS place
    FROM sales_shift WHERE state = 'closing' AND declared IS NOT NULL AND terminal_id = ANY(%s)
) AS s WHERE place <= %s ORDER BY opened_at
"""

SHIFTS_READ, NUMBERS_READ = 10, 5_000


class SyncState(Enum):
    """How far a terminal's sales have arrived, the most urgent state first."""

    ATTENTION = Label("Needs attention", "red")
    RECEIVING = Label("Receiving", "blue")
    WAITING = Label("Waiting for upload", "amber")
    NEW = Label("Not activated yet", "grey")
    IN_SYNC = Label("In sync", "green")


class Signs(NamedTuple):
    """Counts of what is unsettled at one terminal; `oldest` is when the oldest unprocessed batch was received."""

    waiting: int = 0
    failed: int = 0
    oldest: datetime | None = None
    held: int = 0
    open: int = 0
    closing: int = 0
    discrepant: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether all sales of this terminal have arrived and been read. Held orders have: they wait for a decision."""
        return not (self.waiting or self.failed or self.open or self.closing)


NOTHING_UNSETTLED = Signs()


def read_signs() -> dict[int, Signs]:
    """The signs of every terminal with something unsettled, by terminal id. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(SIGNS)
        return {row[0]: Signs(*row[1:]) for row in cursor.fetchall()}


def unsettled_state(signs: Signs) -> SyncState | None:
    """The most urgent state that the signs call for; None if nothing is unsettled."""
    if signs.failed or signs.held or signs.discrepant:
        return SyncState.ATTENTION
    if signs.waiting:
        return SyncState.RECEIVING
    return SyncState.WAITING if signs.open or signs.closing else None


def sync_state(terminal: Terminal, signs: Signs) -> SyncState:
    """The state of a terminal, whether or not anything is unsettled."""
    if (state := unsettled_state(signs)) is not None:
        return state
    return SyncState.NEW if terminal.activated_at is None else SyncState.IN_SYNC


def signs_in_words(signs: Signs) -> str:
    """Why a terminal is in its state, in one sentence."""
    phrases = [
        phrase
        for count, phrase in (
            (signs.failed, f"{counted(signs.failed, 'upload')} could not be processed"),
            (signs.held, f"{counted(signs.held, 'order')} held"),
            (signs.discrepant, f"{counted(signs.discrepant, 'shift')} not adding up"),
            (signs.waiting, f"{counted(signs.waiting, 'upload')} waiting to be processed"),
            (signs.closing, f"{counted(signs.closing, 'closed shift')} with something missing"),
            (signs.open, f"{counted(signs.open, 'shift')} open"),
        )
        if count
    ]
    return f"{', '.join(phrases)}." if phrases else "Everything that it sold is here and settled."


class OpenShiftRow(NamedTuple):
    """An open shift of a terminal."""

    shift_id: str
    number: int
    opened_at: datetime


class SyncStanding(NamedTuple):
    """How far one terminal's sales have arrived: all that the console shows of it."""

    state: SyncState
    signs: Signs
    last_number: int | None
    last_upload: datetime | None
    last_processed: datetime | None
    open_shifts: list[OpenShiftRow]
    missing: list[tuple[int, int]]


def read_standings(terminals: Iterable[Terminal], *, signs: Mapping[int, Signs]) -> dict[int, SyncStanding]:
    """The standing of each terminal, by its id. Three statements, however many terminals there are."""
    listed = {terminal.pk: terminal for terminal in terminals}
    heard, open_shifts, missing = _last_heard(listed), _open_shifts(listed), _missing_numbers(listed)
    standings = {}
    for key, terminal in listed.items():
        mine = signs.get(key, NOTHING_UNSETTLED)
        last_number, last_upload, last_processed = heard[key]
        standings[key] = SyncStanding(
            state=sync_state(terminal, mine),
            signs=mine,
            last_number=last_number,
            last_upload=last_upload,
            last_processed=last_processed,
            open_shifts=open_shifts.get(key, []),
            missing=missing.get(key, []),
        )
    return standings


def _last_heard(ids: Iterable[int]) -> dict[int, tuple[int | None, datetime | None, datetime | None]]:
    with connection.cursor() as cursor:
        cursor.execute(LAST_HEARD, [list(ids)])
        return {row[0]: row[1:] for row in cursor.fetchall()}


def _open_shifts(ids: Iterable[int]) -> dict[int, list[OpenShiftRow]]:
    found: dict[int, list[OpenShiftRow]] = {}
    with connection.cursor() as cursor:
        cursor.execute(OPEN_SHIFTS, [list(ids), SHIFTS_READ])
        for terminal_id, shift_id, number, opened_at in cursor.fetchall():
            found.setdefault(terminal_id, []).append(OpenShiftRow(str(shift_id), number, opened_at))
    return found


def _missing_numbers(ids: Iterable[int]) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(CLOSING_NUMBERS, [NUMBERS_READ, list(ids), SHIFTS_READ])
        for terminal_id, first, last, used in cursor.fetchall():
            known = last if len(used) < NUMBERS_READ else used[-1]
            found.setdefault(terminal_id, []).extend(
                missing_ranges(declared_first=first, declared_last=known, used=used)
            )
    return found
