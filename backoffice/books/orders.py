"""Posted orders as decisions find them."""

from typing import Any, NamedTuple

from backoffice.books.refusals import NotDecided, read_uuid
from backoffice.sales.models import Identity, Order, Payment


def find_order(name: Any) -> Order:
    """The order of this identifier, in the books of any store. Raises NotDecided."""
    order_id = read_uuid(name, code="unknown-order", detail=f"{name!r} is no order id.")
    identity = Identity.objects.filter(item_id=order_id, version=0).first()
    if identity is not None:
        posted = Order.objects.select_related("store").filter(
            pk=identity.row_id, business_date=identity.business_date, order_id=order_id
        )
        order = posted.first()
        if order is not None:
            return order
    raise NotDecided("unknown-order", f"Order {order_id} is not in the books.")


class PaymentsNow(NamedTuple):
    """How an order is paid now: sums by method in minor units, and the place of its last payment."""

    by_method: dict[str, int]
    last_position: int


def payments_of(order: Order) -> PaymentsNow:
    """Its payments with all that was moved between them."""
    sums: dict[str, int] = {}
    last = -1
    for payment in Payment.objects.filter(order_id=order.pk, business_date=order.business_date):
        sums[payment.method] = sums.get(payment.method, 0) + payment.amount
        last = max(last, payment.position)
    return PaymentsNow({method: amount for method, amount in sorted(sums.items()) if amount}, last)
