"""Which order is which: content equality, and what a batch's members are against what is known (protocol §5)."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from backoffice.domain.orders import CashMovement, Order
from backoffice.domain.reasons import Reason

HASH_VERSION = 1


class Incoming(NamedTuple):
    """One member of a batch, in the order sent. `number` is None for movements and unreadable members."""

    order_id: UUID
    number: int | None
    content_hash: bytes


class KnownOrder(NamedTuple):
    """What is known of one order_id: who sent it first, and every content `terminal_id` of the batch sent for it."""

    terminal_id: int
    shift_id: UUID
    first_content: bytes
    contents: frozenset[bytes]


class Decision(NamedTuple):
    """`version` says what it is; `reasons` why; `takes_number` whether its number becomes its own."""

    version: Literal["new", "duplicate", "conflict"]
    reasons: tuple[Reason, ...] = ()
    takes_number: bool = False


def content_hash(order: Order) -> bytes:
    """33 bytes: the version of the hash, then SHA-256 of the order's content."""
    raise NotImplementedError


def movement_hash(movement: CashMovement) -> bytes:
    """33 bytes, as `content_hash`, of a cash movement."""
    raise NotImplementedError


def unreadable_id(*, terminal_id: int, content_hash: bytes) -> UUID:
    """The identifier of a member whose own could not be read."""
    raise NotImplementedError


def identify(
    *,
    incoming: Sequence[Incoming],
    known: Mapping[UUID, KnownOrder],
    numbers: Mapping[int, UUID],
    terminal_id: int,
    shift_id: UUID,
) -> list[Decision]:
    """One decision per member, in the order sent."""
    raise NotImplementedError
