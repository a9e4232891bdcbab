"""The members of a batch: what each is, whether it can be posted, and what it becomes in the books."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple
from uuid import UUID

from backoffice.domain.identity import Incoming, Recognition, incoming_order, movement_hash, unreadable_id
from backoffice.domain.orders import CashMovement, Order, Unreadable
from backoffice.domain.posting import Posting, post_movement, post_order
from backoffice.domain.reasons import Reason
from backoffice.domain.returns import NONE_NAMED, named_orders
from backoffice.domain.rules import card_references, flags, holds, movement_flags, movement_holds
from backoffice.domain.wire.envelope import Envelope
from backoffice.domain.wire.members import read_movement, read_order
from backoffice.ingestion.batch.lock import LockedBatch

What = Literal["order", "movement"]


class ReadMember(NamedTuple):
    """One member of a batch as read, before anything is known of its batch. What cannot be read is known by its terminal too."""

    what: What
    position: int
    value: Any
    incoming: Incoming | None = None
    named: frozenset[UUID] = NONE_NAMED


class Member(NamedTuple):
    """One member of a batch as read, with the identity it is known by and the id that its rows will have.

    `named` are the orders that it gives back or adjusts.
    """

    what: What
    position: int
    row_id: int
    value: Order | CashMovement | Unreadable
    incoming: Incoming
    named: frozenset[UUID] = NONE_NAMED

    @property
    def item_id(self) -> UUID | None:
        """The identifier that the terminal sent, as far as it could be read."""
        return None if isinstance(self.value, Unreadable) and self.value.item_id is None else self.incoming.item_id

    @property
    def number(self) -> int | None:
        """The order's number, as far as it could be read."""
        return None if isinstance(self.value, CashMovement) else self.value.number


class Judged(NamedTuple):
    """What becomes of a member: its outcome with reasons, and the lines of its entry."""

    member: Member
    outcome: Literal["posted", "duplicate", "conflict", "held"]
    reasons: tuple[Reason, ...] = ()
    postings: Sequence[Posting] = ()


@dataclass(frozen=True)
class JudgedBatch:
    """A batch, and what becomes of each of its members. `awaited` are orders that rows of it name, and that are not here."""

    batch: LockedBatch
    judged: Sequence[Judged]
    awaited: Sequence[tuple[int, UUID]] = ()

    @cached_property
    def posted_orders(self) -> list[tuple[Judged, Order]]:
        """Orders that go into the books."""
        return [(item, value) for item in self._posted if isinstance(value := item.member.value, Order)]

    @cached_property
    def posted_movements(self) -> list[tuple[Judged, CashMovement]]:
        """Cash movements that go into the books."""
        return [(item, value) for item in self._posted if isinstance(value := item.member.value, CashMovement)]

    @cached_property
    def naming(self) -> list[tuple[Judged, Order, frozenset[UUID]]]:
        """Orders that go into the books and give back or adjust others, with those that they name."""
        return [(item, order, item.member.named) for item, order in self.posted_orders if item.member.named]

    @cached_property
    def paid_by_card(self) -> list[tuple[Judged, Order, frozenset[str]]]:
        """Orders that go into the books and were paid by card, with the references of those payments."""
        pairs = [(item, order, card_references(order)) for item, order in self.posted_orders]
        return [(item, order, references) for item, order, references in pairs if references]

    @property
    def _posted(self) -> Iterator[Judged]:
        return (item for item in self.judged if item.outcome == "posted")


def read_members(envelope: Envelope) -> list[ReadMember]:
    """Orders first, then cash movements, each in the order sent. Nothing that a member says raises."""
    orders = [_read("order", position, read_order(raw)) for position, raw in enumerate(envelope.orders)]
    return orders + [_read("movement", position, read_movement(raw)) for position, raw in enumerate(envelope.movements)]


def _read(what: What, position: int, value: Order | CashMovement | Unreadable) -> ReadMember:
    if isinstance(value, Order):
        return ReadMember(what, position, value, incoming_order(value), named_orders(value))
    if isinstance(value, CashMovement):
        return ReadMember(what, position, value, Incoming(value.movement_id, None, movement_hash(value)))
    return ReadMember(what, position, value)


def number_members(batch: LockedBatch, read: Sequence[ReadMember]) -> list[Member]:
    """The members of a batch as they will be known and stored."""
    return [
        Member(what, position, row_id, value, incoming or _unreadable(value, terminal_id=batch.terminal_id), named)
        for (what, position, value, incoming, named), row_id in zip(read, batch.row_ids, strict=True)
    ]


def _unreadable(value: Unreadable, *, terminal_id: int) -> Incoming:
    item_id = value.item_id or unreadable_id(terminal_id=terminal_id, content_hash=value.content_hash)
    return Incoming(item_id, None, value.content_hash, value.older_hash)


def judge(member: Member, recognition: Recognition, *, batch: LockedBatch) -> Judged:
    """Applies the rules to a member that has been recognised."""
    value, at_the_door = member.value, _card_flags(member, batch=batch)
    if recognition.version == "duplicate":
        return Judged(member, "duplicate", recognition.reasons)
    if recognition.version == "conflict":
        return Judged(member, "conflict", recognition.reasons + at_the_door)
    if isinstance(value, Order):
        held = holds(value, shift=batch.shift, methods=batch.payment_accounts)
    elif isinstance(value, CashMovement):
        held = movement_holds(value)
    else:
        held = value.reasons
    if held or isinstance(value, Unreadable):
        return Judged(member, "held", held + at_the_door)
    flagged, postings = _post(value, batch=batch)
    return Judged(member, "posted", flagged + at_the_door, postings)


def _post(value: Order | CashMovement, *, batch: LockedBatch) -> tuple[tuple[Reason, ...], list[Posting]]:
    shift, circumstances = batch.shift, batch.circumstances
    if isinstance(value, Order):
        flagged = flags(value, shift=shift, settings=batch.settings, circumstances=circumstances)
        accounts = batch.payment_accounts
        return flagged, post_order(value, prices_include_tax=shift.prices_include_tax, accounts=accounts)
    flagged = movement_flags(value, shift=shift, reasons=batch.reason_accounts, circumstances=circumstances)
    return flagged, post_movement(value, accounts=batch.reason_accounts)


def _card_flags(member: Member, *, batch: LockedBatch) -> tuple[Reason, ...]:
    """What was masked or removed in the member at the door."""
    if not batch.card_flags:
        return ()
    members = "orders" if member.what == "order" else "cash_movements"
    return batch.card_flags.get((members, member.position), ())
