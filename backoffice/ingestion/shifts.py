"""Opening and closing a shift (protocol §4, §6)."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from backoffice.domain.limits import MAX_CODE
from backoffice.domain.openings import TerminalBefore, corrected_opening, opening_flags
from backoffice.domain.reasons import reasons_json
from backoffice.domain.repeats import is_same_close, is_same_opening, message_hash
from backoffice.domain.states import ShiftState
from backoffice.domain.wire.answers import StandingClose
from backoffice.domain.wire.envelope import EnvelopeInvalid
from backoffice.domain.wire.messages import ADDED_TO_CLOSES, CloseShift, OpenShift, read_close_of_before
from backoffice.fleet.models import Terminal
from backoffice.ingestion.batch.accept import IdentifierReused
from backoffice.ingestion.carried import carry_over
from backoffice.ingestion.drawers import DrawerBefore, drawer_before, move_to_safe, write_opening
from backoffice.ingestion.locks import lock_terminal
from backoffice.ingestion.reconcile import reconcile_shift, standing_close
from backoffice.ledger.writers import next_entry_id
from backoffice.postgres.rows import rows_as
from backoffice.sales.models import Shift

SELECT_TERMINAL_BEFORE = """
SELECT h.clock_skew_ms AS skew_ms, h.received_at AS told_at,
    EXISTS (SELECT FROM sales_shift WHERE terminal_id = t.id AND number = %(number)s) AS number_used,
    EXISTS (SELECT FROM sales_identity WHERE terminal_id = t.id AND number = %(first_number)s) AS first_number_used
FROM (SELECT %(terminal_id)s::integer AS id) AS t LEFT JOIN fleet_heartbeat h ON h.terminal_id = t.id
"""


class ShiftAlreadyOpen(Exception):
    """Another shift of this terminal is open."""

    def __init__(self, shift_id: UUID) -> None:
        super().__init__(str(shift_id))
        self.shift_id = shift_id


class AlreadyClosed(Exception):
    """The shift was closed with other content; `declared` is what stands."""

    def __init__(self, declared: StandingClose | None) -> None:
        super().__init__()
        self.declared = declared


class NoSuchShift(Exception):
    """No shift of this identifier was opened."""


def open_shift(
    *, terminal: Terminal, shift_id: UUID, message: OpenShift, ended_at: datetime | None = None, now: datetime
) -> tuple[Shift, bool]:
    """Opens a shift, once, and brings the drawer's account to its float. The shift, and whether it is new.

    `ended_at` records it as ended, where others than its terminal know so; for its terminal the opening is as it sent it.
    Raises IdentifierReused, ShiftAlreadyOpen, and EnvelopeInvalid for a currency that is not the store's.
    """
    store = terminal.store
    with transaction.atomic(), connection.cursor() as cursor:
        lock_terminal(terminal.pk)
        existing = Shift.objects.filter(shift_id=shift_id).first()
        if existing is not None:
            _check_repeated(existing, terminal=terminal, message=message)
            return existing, False
        if message.currency not in (None, store.currency):
            raise EnvelopeInvalid(
                pointer="/currency", code="currency-not-of-store", detail=f"This store sells in {store.currency}."
            )
        opening_hash = message_hash(message)
        if message.closed_at is None:
            message = msgspec.structs.replace(message, closed_at=ended_at)
        other = open_shift_of(terminal)
        if other is not None and message.closed_at is None:
            raise ShiftAlreadyOpen(other.shift_id)
        shift = Shift(
            shift_id=shift_id,
            terminal=terminal,
            store=store,
            number=message.number,
            state=ShiftState.OPEN.value,
            currency=store.currency,
            prices_include_tax=(
                store.prices_include_tax if message.prices_include_tax is None else message.prices_include_tax
            ),
            cashier=message.cashier[:MAX_CODE],
            opening_float=message.opening_float,
            first_number=message.first_number,
            opened_at=message.opened_at.astimezone(UTC),
            opening_hash=opening_hash,
            opening_entry_id=next_entry_id(cursor),
            recorded_end=message.closed_at,
            received_at=now,
        )
        drawer = drawer_before(cursor, terminal_id=terminal.pk)
        _date_and_flag(cursor, shift, message, drawer=drawer, timezone=store.timezone, now=now)
        write_opening(cursor, shift, before=drawer, now=now)
        shift.save(force_insert=True)
    return shift, True


def _check_repeated(shift: Shift, *, terminal: Terminal, message: OpenShift) -> None:
    """An open shift that has ended, by what the repeat says of it, is recorded as ended: the next may open beside it.

    Raises IdentifierReused where it is no repeat.
    """
    if shift.terminal_id != terminal.pk or not is_same_opening(message, stored_hash=bytes(shift.opening_hash)):
        raise IdentifierReused
    if message.closed_at is not None and shift.recorded_end is None and shift.state == ShiftState.OPEN.value:
        shift.recorded_end = message.closed_at
        shift.save(update_fields=["recorded_end"])


def _date_and_flag(
    cursor: CursorWrapper, shift: Shift, message: OpenShift, *, drawer: DrawerBefore, timezone: str, now: datetime
) -> None:
    """The business date is the store-local date of the true time of the opening (protocol §4)."""
    asked: dict[str, Any] = {
        "terminal_id": shift.terminal_id,
        "number": message.number,
        "first_number": message.first_number,
    }
    cursor.execute(SELECT_TERMINAL_BEFORE, asked)
    (before,) = rows_as(TerminalBefore, cursor)
    corrected = corrected_opening(message, before=before, received_at=now)
    shift.opened_at_corrected = corrected
    shift.business_date = (corrected or message.opened_at).astimezone(ZoneInfo(timezone)).date()
    flags = opening_flags(message, before=before, float_left=drawer.float_left, is_corrected=corrected is not None)
    # A list, be it empty: NULL is of the version before, which opened shifts by its own rule (ADR 28).
    shift.flags = reasons_json(flags)


def close_shift(*, terminal: Terminal, shift_id: UUID, message: CloseShift, now: datetime) -> tuple[Shift, bool]:
    """Stores a terminal's declaration, once, and reconciles what has arrived. The shift, and whether it was open.

    Raises NoSuchShift, IdentifierReused (another terminal's shift), AlreadyClosed (other content).
    """
    with transaction.atomic(), connection.cursor() as cursor:
        lock_terminal(terminal.pk)
        shift = Shift.objects.select_related("terminal", "store").filter(shift_id=shift_id).first()
        if shift is None:
            raise NoSuchShift
        if shift.terminal_id != terminal.pk:
            raise IdentifierReused
        if shift.state != ShiftState.OPEN.value:
            if not _is_repeat(shift, message):
                raise AlreadyClosed(standing_close(shift))
            return shift, False
        carry_over(cursor, shift, listed=message.carried_over)
        shift.state = ShiftState.CLOSING.value
        shift.declared = msgspec.to_builtins(message)
        shift.closing_hash = message_hash(message)
        shift.closed_at = message.closed_at
        shift.close_received_at = now
        shift.max_over_short = terminal.store.max_over_short
        shift.awaits_count = message.cash_counted is None
        move_to_safe(cursor, shift, now=now)
        reconcile_shift(cursor, shift, now=now)
    return shift, True


def repeated_close_of_before(*, terminal: Terminal, shift_id: UUID, body: bytes) -> Shift | None:
    """The shift that an earlier version closed with this very message, which cannot be read today for what it says in
    fields that were unknown then; None where it is no such repeat.
    """
    message = read_close_of_before(body)
    shift = Shift.objects.filter(shift_id=shift_id, terminal=terminal).first()
    if message is None or shift is None or shift.declared is None or ADDED_TO_CLOSES.keys() & shift.declared.keys():
        return None
    return shift if _is_repeat(shift, message) else None


def open_shift_of(terminal: Terminal) -> Shift | None:
    """The terminal's open shift; one recorded as already ended does not count."""
    return Shift.objects.filter(terminal=terminal, state=ShiftState.OPEN.value, recorded_end__isnull=True).first()


def _is_repeat(shift: Shift, message: CloseShift) -> bool:
    if shift.closing_hash is None or shift.declared is None:
        return False
    return is_same_close(message, stored_hash=bytes(shift.closing_hash), stored=shift.declared)
