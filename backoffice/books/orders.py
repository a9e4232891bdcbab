"""Posted orders as decisions find them."""

from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext
from msgspec.structs import replace

from backoffice.books.models import Decision
from backoffice.books.refusals import NotDecided, read_uuid
from backoffice.domain import orders as domain
from backoffice.domain.decisions import Verb
from backoffice.domain.posting import post_order, post_reversal
from backoffice.domain.retender import standing_accounts
from backoffice.domain.wire.members import read_order
from backoffice.inbox.models import Batch
from backoffice.inbox.packing import unpack
from backoffice.ledger.models import PaymentAccount
from backoffice.ledger.writers import posted_lines
from backoffice.sales.models import Identity, Order, Payment


def find_order(name: Any) -> Order:
    """The order of this identifier, in the books of any store. Raises NotDecided."""
    order_id = read_uuid(name, code="unknown-order", detail=gettext("{name} is no order id.").format(name=f"{name!r}"))
    identity = Identity.objects.filter(item_id=order_id, version=0).first()
    if identity is not None:
        posted = Order.objects.select_related("store").filter(
            pk=identity.row_id, business_date=identity.business_date, order_id=order_id
        )
        order = posted.first()
        if order is not None:
            return order
    raise NotDecided("unknown-order", gettext("Order {order_id} is not in the books.").format(order_id=order_id))


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


def as_sold(order: Order, paid: PaymentsNow) -> dict[str, int]:
    """How it was paid before anything was moved, in minor units by method; `paid` is how it is paid now."""
    moves = Decision.objects.filter(about="order", subject=str(order.order_id), verb=Verb.RETENDER.value)
    first = moves.order_by("asked_at").values_list("before", flat=True).first()
    return paid.by_method if first is None else dict(first["payments"])


def payment_accounts(cursor: CursorWrapper, order: Order, paid: PaymentsNow) -> dict[str, str]:
    """The account of each method: of those by which it is paid the one where that stands, of others today's.

    A method may have been mapped to another account since it was posted. Raises NotDecided where it cannot be told.
    """
    today = dict(PaymentAccount.objects.filter(store=order.store_id).values_list("method", "account_id"))
    standing = standing_accounts(paid.by_method, _standing(cursor, order), accounts=today)
    if standing is None:
        raise NotDecided(
            "accounts-unclear",
            gettext(
                "Its payment methods were mapped to other accounts since, and nobody can tell which payment stands where:"
                " map them as they were, decide this, and map them again."
            ),
        )
    return today | standing


def _standing(cursor: CursorWrapper, order: Order) -> dict[str, int]:
    """What its payments left in the accounts: all that it posted, less what its lines, rounding and tip did."""
    batch = Batch.objects.only("body").get(batch_id=order.batch_id)
    sent = read_order(unpack(batch.body).orders[order.position])
    posted = posted_lines(cursor, source_kinds=["order", Verb.RETENDER.value], source_id=order.order_id)
    if isinstance(sent, domain.Order):
        unpaid = replace(sent, payments=[])
        inclusive = order.shift.prices_include_tax
        posted += post_reversal(post_order(unpaid, prices_include_tax=inclusive, accounts={}))
    sums: dict[str, int] = {}
    for line in posted:
        sums[line.account] = sums.get(line.account, 0) + line.debit - line.credit
    return sums
