"""What is posted is voided, once, or its payment corrected. Entries stand: others are added beside them."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext, gettext_noop

from backoffice.books.orders import PaymentsNow, as_sold, find_order, payment_accounts, payments_of
from backoffice.books.payments import read_amounts
from backoffice.books.record import already_decided
from backoffice.books.refusals import NotDecided
from backoffice.books.rules import Deed, Subject, VerbRule
from backoffice.books.shifts import lock_terminals
from backoffice.domain.decisions import Verb
from backoffice.domain.posting import Posting, post_retender, post_reversal
from backoffice.domain.reasons import Reason
from backoffice.domain.retender import wrong_payments
from backoffice.ingestion.batch.named import orders_naming
from backoffice.ingestion.batch.refunds import lock_named
from backoffice.ingestion.reconcile import reconcile_unsettled, write_entry_of_shift
from backoffice.ledger.models import PaymentAccount
from backoffice.ledger.writers import Entry, entry_count, next_entry_id, posted_lines
from backoffice.sales.models import DecidedMember, Order, Payment, Shift

UNPAID = {
    "voided": gettext_noop("Order {order_id} is voided: it posted nothing."),
    "training": gettext_noop("Order {order_id} is training: it posted nothing."),
}


class OrderRule(VerbRule):
    """What the verbs about a posted order share."""

    def lock(
        self, cursor: CursorWrapper, subject: str, arguments: Mapping[str, Any], *, person: User | None
    ) -> Subject:
        """A paid order, with its terminal locked."""
        lock_terminals([find_order(subject).terminal_id])
        order = find_order(subject)
        if order.voided_by is not None:
            raise already_decided(order.voided_by)
        if order.status != "paid":
            raise NotDecided(
                "not-paid",
                gettext(UNPAID[order.status]).format(order_id=order.order_id),
            )
        paid = payments_of(order)
        before = {
            "status": order.status,
            "number": order.number,
            "total": order.total,
            "tip": order.tip,
            "payments": paid.by_method,
        }
        amount = self.at_stake(order, paid, arguments)
        return Subject("order", str(order.order_id), order.store, before, order, amount=amount, shift_id=order.shift_id)

    def at_stake(self, order: Order, paid: PaymentsNow, arguments: Mapping[str, Any]) -> int:
        """In minor units, with the tip if that is more."""
        return max(order.total, order.total + order.tip, key=abs)

    def write(self, cursor: CursorWrapper, order: Order, postings: list[Posting], deed: Deed, *, number: int) -> None:
        """The entry of this verb, if it has lines, and then the shift as it stands."""
        if postings:
            shift = Shift.objects.get(pk=order.shift_id)
            entry = Entry(next_entry_id(cursor), order.order_id, postings)
            kind = self.verb.value
            write_entry_of_shift(cursor, shift, entry, source_kind=kind, source_number=number, now=deed.now)
        reconcile_unsettled(
            cursor, terminal_id=order.terminal_id, shift_id=order.shift_id, batch_id=order.batch_id, now=deed.now
        )


class VoidOrder(OrderRule):
    """Everything that its entries posted is taken back. It stays readable, as posted and voided."""

    verb = Verb.VOID

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        order: Order = subject.row
        _check_nothing_stands_on(cursor, order)
        posted = posted_lines(cursor, source_kinds=["order", "retender"], source_id=order.order_id)
        where = Order.objects.filter(pk=order.pk, business_date=order.business_date)
        where.update(status="voided", voided_by=deed.decision_id)
        _tell(order, deed)
        self.write(cursor, order, post_reversal(posted), deed, number=0)
        return {"order_id": str(order.order_id), "status": "voided"}


def _check_nothing_stands_on(cursor: CursorWrapper, order: Order) -> None:
    """Raises NotDecided where the books have given something of it back, or adjusted it: it would be taken back twice.

    A refund at this very moment comes before it, or after it and is flagged.
    """
    lock_named(cursor, {order.order_id})
    by = orders_naming(cursor, order.order_id, store_id=order.store_id)
    if by:
        named = ", ".join(str(order_id) for order_id in by)
        raise NotDecided(
            "stood-on", gettext("It was given back or adjusted by {named}: void that first.").format(named=named)
        )


def _tell(order: Order, deed: Deed) -> None:
    """For the receipt of the batch that brought it; of what head office posted, that in which it was held."""
    brought = DecidedMember.objects.filter(decision_id=order.batch_id).first()
    DecidedMember.objects.create(
        decision_id=deed.decision_id,
        batch_id=order.batch_id if brought is None else brought.batch_id,
        what="order",
        position=order.position if brought is None else brought.position,
        item_id=order.order_id if brought is None else brought.item_id,
        verb=Verb.VOID.value,
        decided_at=deed.now,
        order_id=order.order_id,
    )


class RetenderOrder(OrderRule):
    """Amounts move between its payment methods. `payments` are all of them, as they should have been."""

    verb = Verb.RETENDER

    def at_stake(self, order: Order, paid: PaymentsNow, arguments: Mapping[str, Any]) -> int:
        """What moves."""
        return sum(amount for amount in _moved(order, paid, arguments).values() if amount > 0)

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        order: Order = subject.row
        paid = payments_of(order)
        moved = _moved(order, paid, deed.arguments)
        accounts = payment_accounts(cursor, order, paid)
        Payment.objects.bulk_create(
            Payment(
                order_id=order.pk,
                position=paid.last_position + place,
                business_date=order.business_date,
                method=method,
                amount=amount,
                reference="",
                store_id=order.store_id,
            )
            for place, (method, amount) in enumerate(moved.items(), start=1)
        )
        number = entry_count(cursor, source_kind="retender", source_id=order.order_id) + 1
        self.write(cursor, order, post_retender(moved, accounts=accounts), deed, number=number)
        return {"order_id": str(order.order_id), "payments": payments_of(order).by_method}


def _moved(order: Order, paid: PaymentsNow, arguments: Mapping[str, Any]) -> dict[str, int]:
    """What each method gets more or less, in the order of their names. Raises NotDecided, field by field."""
    known = set(PaymentAccount.objects.filter(store=order.store_id).values_list("method", flat=True))
    if unmapped := set(paid.by_method) - known:
        reasons = [
            Reason("unmapped-method", f"/payments/{each}", "It is paid so, and no account is mapped")
            for each in sorted(unmapped)
        ]
        raise NotDecided("cannot-be-posted", gettext("A method by which it is paid has no account."), reasons)
    wanted = read_amounts(arguments.get("payments"), known=known, name="payments")
    if reasons := list(wrong_payments(wanted, sold=as_sold(order, paid), due=order.total + order.tip)):
        raise NotDecided("cannot-be-posted", gettext("It cannot have been paid like this."), reasons)
    methods = sorted({*wanted, *paid.by_method})
    moved = {method: wanted.get(method, 0) - paid.by_method.get(method, 0) for method in methods}
    moved = {method: amount for method, amount in moved.items() if amount}
    if not moved:
        raise NotDecided("nothing-changes", gettext("It is paid just so already."))
    return moved
