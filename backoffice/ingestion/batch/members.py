"""The members of a batch, read by the rules: what each is, whether it can be posted, and what it becomes in the books."""

from typing import Literal, NamedTuple
from uuid import UUID

from backoffice.domain.identity import Decision, Incoming, content_hash, movement_hash, unreadable_id
from backoffice.domain.orders import CashMovement, Order, Unreadable, read_movement, read_order
from backoffice.domain.posting import Posting, post_movement, post_order
from backoffice.domain.reasons import Reason
from backoffice.domain.rules import flags, holds, movement_flags, movement_holds
from backoffice.domain.wire.envelope import Envelope
from backoffice.ingestion.batch.lock import Work

What = Literal["order", "movement"]


class Member(NamedTuple):
    """One member of a batch as read, with the identity it is known by."""

    what: What
    position: int
    value: Order | CashMovement | Unreadable
    incoming: Incoming


class Judged(NamedTuple):
    """What becomes of a member: its outcome with reasons, and the postings of its entry."""

    member: Member
    outcome: Literal["posted", "duplicate", "conflict", "held"]
    reasons: tuple[Reason, ...]
    postings: list[Posting]


def read_members(envelope: Envelope, *, terminal_id: int) -> list[Member]:
    """Orders first, then cash movements, each in the order sent. Nothing that a member says raises."""
    members = [_member("order", position, read_order(raw), terminal_id) for position, raw in enumerate(envelope.orders)]
    members += [
        _member("movement", position, read_movement(raw), terminal_id)
        for position, raw in enumerate(envelope.movements)
    ]
    return members


def judge(member: Member, decision: Decision, *, work: Work) -> Judged:
    """Applies the rules to a member whose identity is decided."""
    if decision.version == "duplicate":
        return Judged(member, "duplicate", decision.reasons, [])
    if decision.version == "conflict":
        return Judged(member, "conflict", decision.reasons + _card_flags(member, work=work), [])
    if isinstance(member.value, Order):
        return _judge_order(member, member.value, work=work)
    if isinstance(member.value, CashMovement):
        return _judge_movement(member, member.value, work=work)
    return Judged(member, "held", member.value.reasons + _card_flags(member, work=work), [])


def _member(what: What, position: int, value: Order | CashMovement | Unreadable, terminal_id: int) -> Member:
    if isinstance(value, Order):
        return Member(what, position, value, Incoming(value.order_id, value.number, content_hash(value)))
    if isinstance(value, CashMovement):
        return Member(what, position, value, Incoming(value.movement_id, None, movement_hash(value)))
    item_id = value.order_id or unreadable_id(terminal_id=terminal_id, content_hash=value.content_hash)
    return Member(what, position, value, Incoming(item_id, None, value.content_hash))


def _judge_order(member: Member, order: Order, *, work: Work) -> Judged:
    held = holds(order, shift=work.shift, methods=work.payment_accounts)
    if held:
        return Judged(member, "held", held + _card_flags(member, work=work), [])
    postings = post_order(order, prices_include_tax=work.shift.prices_include_tax, accounts=work.payment_accounts)
    flagged = flags(order, shift=work.shift, settings=work.settings, circumstances=work.circumstances)
    return Judged(member, "posted", flagged + _card_flags(member, work=work), postings)


def _judge_movement(member: Member, movement: CashMovement, *, work: Work) -> Judged:
    held = movement_holds(movement)
    if held:
        return Judged(member, "held", held + _card_flags(member, work=work), [])
    postings = post_movement(movement, accounts=work.reason_accounts)
    flagged = movement_flags(movement, shift=work.shift, reasons=work.reason_accounts, circumstances=work.circumstances)
    return Judged(member, "posted", flagged + _card_flags(member, work=work), postings)


def _card_flags(member: Member, *, work: Work) -> tuple[Reason, ...]:
    """What was masked or removed in the member at the door."""
    if not work.card_flags:
        return ()
    members = "orders" if member.what == "order" else "cash_movements"
    return work.card_flags.get((members, member.position), ())


def member_order_id(member: Member) -> UUID | None:
    """The identifier the terminal sent, as far as it could be read."""
    if isinstance(member.value, Order):
        return member.value.order_id
    if isinstance(member.value, CashMovement):
        return member.value.movement_id
    return member.value.order_id


def member_number(member: Member) -> int | None:
    """The order's number, as far as it could be read."""
    return None if isinstance(member.value, CashMovement) else member.value.number
