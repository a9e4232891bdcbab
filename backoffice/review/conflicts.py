"""What a conflicting order contradicts: the version that came first, wherever it is now."""

from typing import NamedTuple
from uuid import UUID

from backoffice.books.people import Reach
from backoffice.domain.reasons import NUMBER_ALREADY_USED
from backoffice.review.order_lookup import first_of_number, first_version_of
from backoffice.review.originals import Place
from backoffice.sales.models import CashMovement, HeldItem, Identity, Order


class FirstVersion(NamedTuple):
    """The version that came first: the place of its original, and the order or held item that has a page."""

    place: Place
    number: int | None
    order: Order | None
    held: HeldItem | None


def find_first_version(item: HeldItem, reach: Reach) -> FirstVersion | None:
    """The version that `item` contradicts; None if it is not in conflict, or came first itself.

    Two stores may send the same identifier: None as well where the first version is of none of these stores.
    """
    if item.outcome != "conflict":
        return None
    if item.what == "movement":
        return _movement(item.item_id, reach) or _held(item, item.item_id, reach)
    identity = _identity(item)
    if identity is None:
        return None
    order = Order.objects.filter(pk=identity.row_id, business_date=identity.business_date).first()
    if order is None:
        return _held(item, identity.item_id, reach)
    if not reach.holds(order.store_id):
        return None
    return FirstVersion(Place(order.batch_id, "order", order.position), order.number, order, None)


def _identity(item: HeldItem) -> Identity | None:
    codes = {reason["code"] for reason in item.reasons}
    if codes == {NUMBER_ALREADY_USED}:
        return first_of_number(item.terminal_id, item.number, others_than=[item.item_id])
    return first_version_of(item.item_id)


def _movement(item_id: UUID, reach: Reach) -> FirstVersion | None:
    movement = reach.of(CashMovement.objects.filter(movement_id=item_id), "shift__store").first()
    return (
        None
        if movement is None
        else FirstVersion(Place(movement.batch_id, "movement", movement.position), None, None, None)
    )


def _held(beside: HeldItem, item_id: UUID, reach: Reach) -> FirstVersion | None:
    """Another held version with the same identifier: nothing says which one is true."""
    others = reach.of(HeldItem.objects.filter(item_id=item_id), "store").exclude(pk=beside.pk)
    other = others.order_by("pk").first()
    if other is None:
        return None
    return FirstVersion(Place(other.batch_id, other.what, other.position), other.number, None, other)
