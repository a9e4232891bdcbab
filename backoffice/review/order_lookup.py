"""Finding orders by number or identifier: through the unique indexes of identities, never through the sales tables."""

import contextlib
from collections.abc import Collection, Iterable
from uuid import UUID

from backoffice.books.people import EVERYWHERE, Reach
from backoffice.fleet.models import Terminal
from backoffice.review.originals import READABLE_SIZE, mark_modes
from backoffice.sales.models import HeldItem, Identity, Order

MAX_NUMBER = 2**63 - 1
MOST_DIGITS = 50  # with as many zeros before the number as anybody types
SOME = 200


def find_identities(term: str, reach: Reach) -> list[Identity]:
    """All identities with this order number (with or without its asterisk) or this UUID, of every terminal of these stores."""
    text = term.strip().rstrip("*").strip()
    if text.isdecimal() and len(text) <= MOST_DIGITS and int(text) <= MAX_NUMBER:
        # The index is by terminal and number: with every terminal named, this is a handful of look-ups.
        return list(Identity.objects.filter(terminal_id__in=_terminals(reach), number=int(text))[:SOME])
    with contextlib.suppress(ValueError):
        found = Identity.objects.filter(item_id=UUID(text))
        return list(found[:SOME] if reach == EVERYWHERE else found.filter(terminal_id__in=_terminals(reach))[:SOME])
    return []


def _terminals(reach: Reach) -> list[int]:
    return list(reach.of(Terminal.objects.all(), "store").values_list("pk", flat=True))


def held_among(identities: Iterable[Identity], reach: Reach) -> list[HeldItem]:
    """What is still held among these, in these stores: an identifier may be of two."""
    items = {identity.item_id for identity in identities}
    if not items:
        return []
    undecided = HeldItem.objects.filter(item_id__in=items, decision_id__isnull=True)
    held = list(reach.of(undecided, "store").select_related("terminal__store", "shift")[:SOME])
    mark_modes(held, max_size=READABLE_SIZE)
    return held


def first_version_of(item_id: UUID) -> Identity | None:
    """The version that was received first, which says where its order is; None if the identifier is unknown."""
    return Identity.objects.filter(item_id=item_id, version=0).first()


def orders_of(item_ids: Collection[UUID]) -> dict[UUID, Order]:
    """The posted orders with these identifiers, by them. Two statements, or none."""
    identities = list(Identity.objects.filter(item_id__in=item_ids, version=0)) if item_ids else []
    if not identities:
        return {}
    rows = Order.objects.filter(
        pk__in=[one.row_id for one in identities], business_date__in={one.business_date for one in identities}
    )
    return {row.order_id: row for row in rows.select_related("store", "terminal")}


def order_of(item_id: UUID) -> Order | None:
    """The posted order with this identifier."""
    identity = first_version_of(item_id)
    if identity is None:
        return None
    return Order.objects.filter(pk=identity.row_id, business_date=identity.business_date).first()


def first_of_number(terminal_id: int, number: int | None, *, others_than: Collection[UUID]) -> Identity | None:
    """The order that took a number, unless it is one of `others_than`."""
    if number is None:
        return None
    return Identity.objects.filter(terminal_id=terminal_id, number=number).exclude(item_id__in=others_than).first()
