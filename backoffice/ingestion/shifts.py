"""Opening and closing a shift (protocol §4, §6)."""

import hashlib
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection, transaction
from django.db.models import BigIntegerField, Case, F, When
from django.db.models.functions import Coalesce

from backoffice.domain.posting import post_opening
from backoffice.domain.states import ShiftState
from backoffice.domain.wire.answers import StandingClose
from backoffice.domain.wire.envelope import EnvelopeInvalid
from backoffice.domain.wire.messages import CloseShift, OpenShift
from backoffice.fleet.models import Terminal
from backoffice.ingestion.batch.accept import IdentifierReused
from backoffice.ingestion.detaching import is_detached_shift
from backoffice.ingestion.locks import lock_terminal
from backoffice.ingestion.reconcile import reconcile_shift, standing_close, write_entry_of_shift
from backoffice.ledger.writers import Entry, drawer_balance, next_entry_id
from backoffice.sales.models import Shift


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


def open_shift(*, terminal: Terminal, shift_id: UUID, message: OpenShift, now: datetime) -> tuple[Shift, bool]:
    """Opens a shift, once, and brings the drawer's account to its float. The shift, and whether it is new.

    Raises IdentifierReused, ShiftAlreadyOpen, and EnvelopeInvalid for a currency that is not the store's.
    """
    store = terminal.store
    content = _hash(message)
    with transaction.atomic(), connection.cursor() as cursor:
        lock_terminal(terminal.pk)
        existing = Shift.objects.filter(shift_id=shift_id).first()
        if existing is not None:
            if existing.terminal_id != terminal.pk or bytes(existing.opening_hash) != content:
                raise IdentifierReused
            return existing, False
        if message.currency not in (None, store.currency):
            raise EnvelopeInvalid(
                pointer="/currency", code="currency-not-of-store", detail=f"This store sells in {store.currency}."
            )
        other = open_shift_of(terminal)
        if other is not None and message.closed_at is None:
            raise ShiftAlreadyOpen(other.shift_id)
        shift = Shift(
            shift_id=shift_id,
            terminal=terminal,
            store=store,
            number=message.number,
            state=ShiftState.OPEN.value,
            business_date=message.opened_at.astimezone(ZoneInfo(store.timezone)).date(),
            currency=store.currency,
            prices_include_tax=(
                store.prices_include_tax if message.prices_include_tax is None else message.prices_include_tax
            ),
            cashier=message.cashier,
            opening_float=message.opening_float,
            first_number=message.first_number,
            opened_at=message.opened_at,
            opening_hash=content,
            opening_entry_id=next_entry_id(cursor),
            recorded_end=message.closed_at,
            received_at=now,
        )
        shift.save(force_insert=True)
        _post_opening(shift, now=now)
    return shift, True


def close_shift(*, terminal: Terminal, shift_id: UUID, message: CloseShift, now: datetime) -> tuple[Shift, bool]:
    """Stores a terminal's declaration, once, and reconciles what has arrived. The shift, and whether it was open.

    Raises NoSuchShift, IdentifierReused (another terminal's shift), AlreadyClosed (other content).
    """
    content = _hash(message)
    with transaction.atomic(), connection.cursor() as cursor:
        lock_terminal(terminal.pk)
        shift = Shift.objects.filter(shift_id=shift_id).first()
        if shift is None:
            raise NoSuchShift
        if shift.terminal_id != terminal.pk:
            raise IdentifierReused
        if shift.state != ShiftState.OPEN.value:
            if shift.closing_hash is None or bytes(shift.closing_hash) != content:
                raise AlreadyClosed(standing_close(shift))
            return shift, False
        shift.state = ShiftState.CLOSING.value
        shift.declared = msgspec.to_builtins(message)
        shift.closing_hash = content
        shift.closed_at = message.closed_at
        shift.close_received_at = now
        reconcile_shift(cursor, shift, now=now)
    return shift, True


def open_shift_of(terminal: Terminal) -> Shift | None:
    """The terminal's open shift; one recorded as already ended does not count."""
    return Shift.objects.filter(terminal=terminal, state=ShiftState.OPEN.value, recorded_end__isnull=True).first()


def _post_opening(shift: Shift, *, now: datetime) -> None:
    """Moves cash between drawer and safe, so that the drawer's account equals the float (ledger, "Cash").

    The drawer's balance is the float of the shift before, plus what was posted since: a sum over one shift. Where the month
    of that shift was detached, its cash as it was settled stands for both.
    """
    amount = BigIntegerField()
    left_at = F("expected_cash") + Coalesce("over_short", 0, output_field=amount)
    balance_then = Case(When(is_detached_shift(), then=left_at), default="opening_float", output_field=amount)
    before = (
        Shift.objects.filter(terminal_id=shift.terminal_id, opening_entry_id__lt=shift.opening_entry_id)
        .order_by("-opening_entry_id")
        .values_list("opening_entry_id", balance_then)
        .first()
    )
    after_entry_id, balance = before or (0, 0)
    with connection.cursor() as cursor:
        balance += drawer_balance(cursor, terminal_id=shift.terminal_id, after_entry_id=after_entry_id)
        postings = post_opening(opening_float=shift.opening_float, drawer_balance=balance)
        if not postings:
            return
        entry = Entry(shift.opening_entry_id, shift.shift_id, postings)
        write_entry_of_shift(cursor, shift, entry, source_kind="opening", source_number=0, now=now)


def _hash(message: OpenShift | CloseShift) -> bytes:
    """A hash of the message as it was read: unknown fields, white space and the spelling of times make no difference."""
    return hashlib.sha256(msgspec.msgpack.encode(_in_utc(message), order="sorted")).digest()


def _in_utc(message: OpenShift | CloseShift) -> OpenShift | CloseShift:
    times = {
        name: value.astimezone(UTC)
        for name in message.__struct_fields__
        if isinstance(value := getattr(message, name), datetime)
    }
    return msgspec.structs.replace(message, **times)
