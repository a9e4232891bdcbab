"""Finding orders by what people know of them: through the identities' unique indexes, never through the sales tables."""

import contextlib
from collections.abc import Collection, Iterable
from uuid import UUID

from backoffice.fleet.models import Terminal
from backoffice.review.originals import READABLE_SIZE, mark_modes
from backoffice.sales.models import HeldItem, Identity, Order

MAX_NUMBER = 2**63 - 1
SOME = 200


def find_identities(term: str) -> list[Identity]:
    """Everything known under an order number (with or without its asterisk) or a UUID, of all terminals."""
    text = term.strip().rstrip("*").strip()
    if text.isdecimal() and int(text) <= MAX_NUMBER:
        # The index is by terminal and number: asked for every terminal it is a handful of look-ups.
        terminals = list(Terminal.objects.values_list("pk", flat=True))
        return list(Identity.objects.filter(terminal_id__in=terminals, number=int(text))[:SOME])
    with contextlib.suppress(ValueError):
        return list(Identity.objects.filter(item_id=UUID(text))[:SOME])
    return []


def held_among(identities: Iterable[Identity]) -> list[HeldItem]:
    """What of these is held for a person."""
    items = {identity.item_id for identity in identities}
    if not items:
        return []
    held = list(HeldItem.objects.filter(item_id__in=items).select_related("terminal__store", "shift")[:SOME])
    mark_modes(held, max_size=READABLE_SIZE)
    return held


def row_of(item_id: UUID) -> Identity | None:
    """The version that was received first, which says where its order is; None where nothing is known of it."""
    return Identity.objects.filter(item_id=item_id, version=0).first()


def order_of(item_id: UUID) -> Order | None:
    """The posted order of this identifier."""
    identity = row_of(item_id)
    if identity is None:
        return None
    return Order.objects.filter(pk=identity.row_id, business_date=identity.business_date).first()


def first_of_number(terminal_id: int, number: int | None, *, others_than: Collection[UUID]) -> Identity | None:
    """The order that took a number, unless it is one of `others_than`."""
    if number is None:
        return None
    return Identity.objects.filter(terminal_id=terminal_id, number=number).exclude(item_id__in=others_than).first()
