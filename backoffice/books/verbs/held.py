"""What is held is posted as sent, corrected, discarded, or moved to another shift of its store."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper
from django.utils import timezone
from django.utils.translation import gettext

from backoffice.books.cards import flags_of_typed
from backoffice.books.changes import changed_fields
from backoffice.books.claims import check_unclaimed
from backoffice.books.held import (
    IDENTIFIERS,
    SentHeld,
    amount_of,
    as_sent,
    find_held,
    is_first_version,
    larger,
    name_of,
    number_of,
    opened,
    with_identifier,
)
from backoffice.books.orders import find_order
from backoffice.books.record import already_decided
from backoffice.books.refusals import NotDecided
from backoffice.books.rules import Deed, Subject, VerbRule
from backoffice.books.shifts import find_shift, lock_terminals
from backoffice.domain.decisions import Verb
from backoffice.domain.orders import Order
from backoffice.domain.reasons import NUMBER_ALREADY_USED, Reason
from backoffice.domain.upload import Upload
from backoffice.domain.wire.members import read_order
from backoffice.failpoints import failpoint
from backoffice.ingestion.batch.decided import CannotPost, DecidedUpload, post_held
from backoffice.ingestion.reconcile import reconcile_unsettled
from backoffice.ledger.models import EntrySource
from backoffice.sales.models import DecidedMember, HeldItem, Identity, Shift


class HeldAsSent(NamedTuple):
    """What is held, and what its terminal sent. Its batch is unpacked once."""

    item: HeldItem
    sent: SentHeld


class HeldRule(VerbRule):
    """What the four verbs share."""

    def lock(
        self, cursor: CursorWrapper, subject: str, arguments: Mapping[str, Any], *, person: User | None
    ) -> Subject:
        """The held item, with its terminal locked and that of the shift it may go to."""
        item = find_held(subject)
        lock_terminals({item.terminal_id, self.target(item, arguments).terminal_id})
        item = find_held(name_of(item))
        if item.decision_id is not None:
            raise already_decided(item.decision_id)
        if person is not None:
            check_unclaimed(item, person=person, now=timezone.now())
        held = HeldAsSent(item, as_sent(item))
        amount = self.at_stake(held, arguments)
        stands = Subject("held", name_of(item), item.store, _before(item), held, amount=amount, shift_id=item.shift_id)
        return stands._replace(asks_for_two=self.asks_for_two(amount))

    def at_stake(self, held: HeldAsSent, arguments: Mapping[str, Any]) -> int | None:
        """In minor units, as it was sent. None of what cannot be read."""
        return amount_of(held.sent.raw, what=held.item.what)

    def asks_for_two(self, amount: int | None) -> bool:
        """Whether it takes two people, whatever the store says."""
        return False

    def target(self, item: HeldItem, arguments: Mapping[str, Any]) -> Shift:
        """The shift to which it goes: its own, unless it is moved."""
        return item.shift

    def post(self, cursor: CursorWrapper, item: HeldItem, upload: Upload, deed: Deed, **how: Any) -> dict[str, Any]:
        """Posts the one member of `upload` in its place; `how` are further fields of the upload."""
        target = self.target(item, deed.arguments)
        _check_number_free(item, upload)
        self.settle(item, deed)
        failpoint("decide-settled")
        decided = DecidedUpload(deed.decision_id, target.terminal_id, target.pk, upload, **how)
        try:
            judged = post_held(cursor, decided, item_id=item.item_id, now=deed.now)
        except CannotPost as error:
            raise NotDecided("cannot-be-posted", gettext("The rules do not post it."), error.reasons) from None
        failpoint("decide-posted")
        order_id = judged.member.incoming.item_id
        self.tell(item, deed, order_id=order_id)
        if target.pk != item.shift_id:
            self.reconcile(cursor, item, deed)
        return {IDENTIFIERS[item.what]: str(order_id), "shift_id": str(target.pk)}

    def settle(self, item: HeldItem, deed: Deed) -> None:
        """It is held no more: whoever reconciles from here on sees it so."""
        HeldItem.objects.filter(pk=item.pk).update(decision_id=deed.decision_id)

    def tell(self, item: HeldItem, deed: Deed, *, order_id: UUID | None) -> None:
        """For the receipt of its batch."""
        DecidedMember.objects.create(
            decision_id=deed.decision_id,
            batch_id=item.batch_id,
            what=item.what,
            position=item.position,
            item_id=item.item_id,
            verb=self.verb.value,
            decided_at=deed.now,
            order_id=order_id,
        )

    def reconcile(self, cursor: CursorWrapper, item: HeldItem, deed: Deed) -> None:
        """The shift under which it was held."""
        reconcile_unsettled(
            cursor, terminal_id=item.terminal_id, shift_id=item.shift_id, batch_id=item.batch_id, now=deed.now
        )


class PostHeld(HeldRule):
    """As sent. What contradicts another version gets an identifier of its own."""

    verb = Verb.POST

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        item, sent = subject.row
        raw = sent.raw if is_first_version(item) else with_identifier(sent.raw, uuid4(), what=item.what)
        late = sent.late and self.target(item, deed.arguments).pk == item.shift_id
        upload = opened(raw, what=item.what)
        return self.post(cursor, item, upload, deed, card_flags=sent.card_flags, late=late)


class MoveHeld(PostHeld):
    """As sent, to another shift of the same store."""

    verb = Verb.MOVE

    def target(self, item: HeldItem, arguments: Mapping[str, Any]) -> Shift:
        """The shift named `to`. Raises NotDecided for its own, and for one of another store."""
        shift = find_shift(arguments.get("to"))
        if shift.store_id != item.store_id:
            raise NotDecided("other-store", gettext("Shift {pk} is of another store.").format(pk=shift.pk))
        if shift.pk == item.shift_id:
            raise NotDecided("same-shift", gettext("It is held in this very shift: post it there."))
        return shift


class CorrectHeld(HeldRule):
    """A new version of an order, by the rules of an upload. The original stays as it was sent."""

    verb = Verb.CORRECT

    def at_stake(self, held: HeldAsSent, arguments: Mapping[str, Any]) -> int | None:
        """The larger of what was sent and what is posted: a small mistake is not corrected into a large one alone."""
        item = held.item
        sent, wanted = super().at_stake(held, arguments), arguments.get(item.what)
        if not isinstance(wanted, dict):
            return sent
        raw = json.dumps({**wanted, IDENTIFIERS[item.what]: str(item.item_id)}).encode()
        return larger(sent, amount_of(raw, what=item.what))

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        item, sent = subject.row
        wanted = deed.arguments.get(item.what)
        if not isinstance(wanted, dict):
            raise NotDecided("unreadable", gettext("The corrected version must be a JSON object."))
        raw = json.dumps(self._identified(item, wanted)).encode()
        self._check_number(item, sent.raw, raw)
        upload = opened(raw, what=item.what)
        after = self.post(
            cursor, item, upload, deed, card_flags=flags_of_typed(deed.arguments, what=item.what), late=sent.late
        )
        return after | {"changed": changed_fields(sent.raw, raw)}

    def _identified(self, item: HeldItem, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Under its own identifier or, where that is another's, a new one."""
        name = IDENTIFIERS[item.what]
        given = wanted.get(name, str(item.order_id or item.item_id))
        if str(given).lower() != str(item.order_id or item.item_id):
            reason = Reason("identifier-stays", f"/{name}", f"It is {item.order_id or item.item_id}, and stays that")
            raise NotDecided("cannot-be-posted", gettext("Its identifier stays."), [reason])
        return {**wanted, name: str(item.item_id if is_first_version(item) else uuid4())}

    def _check_number(self, item: HeldItem, sent: bytes, corrected: bytes) -> None:
        number = number_of(sent) if item.what == "order" else None
        if number is not None and number_of(corrected) not in (None, number):
            reason = Reason("number-stays", "/number", f"It is {number}, and stays that")
            raise NotDecided("cannot-be-posted", gettext("Its number stays."), [reason])


class DiscardHeld(HeldRule):
    """It goes into no book: it is one that is there already, or never was a sale."""

    verb = Verb.DISCARD

    def asks_for_two(self, amount: int | None) -> bool:
        """What cannot be read: nobody knows what it was worth."""
        return amount is None

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        item, _ = subject.row
        named = deed.arguments.get("duplicate_of")
        if named is not None:
            _check_in_books(item, named)
        self.settle(item, deed)
        self.tell(item, deed, order_id=None)
        self.reconcile(cursor, item, deed)
        return {"order_id": None, "duplicate_of": named}


def _check_in_books(item: HeldItem, named: str) -> None:
    """Raises NotDecided unless an order of this identifier stands in the books of the store: posted, and not voided."""
    order = find_order(named)
    if order.store_id != item.store_id:
        raise NotDecided(
            "unknown-order", gettext("Order {named} is not in the books of this store.").format(named=named)
        )
    has_entry = EntrySource.objects.filter(source_kind="order", source_id=order.order_id).exists()
    if order.status != "paid" or not has_entry:
        if order.status == "paid":
            why = gettext("Order {named} posted nothing: what is a duplicate of it would be in no book at all.")
        else:
            why = gettext("Order {named} is voided or training: what is a duplicate of it would be in no book at all.")
        raise NotDecided("not-in-books", why.format(named=named))


def _check_number_free(item: HeldItem, upload: Upload) -> None:
    """Raises NotDecided where another order has its number, and nobody was told: an upload would not be posted either.

    Where that is why it is held, a person has judged it. Of what could not be read, nobody knew its number.
    """
    if item.what != "order" or any(reason["code"] == NUMBER_ALREADY_USED for reason in item.reasons):
        return
    order = read_order(upload.envelope.orders[0])
    if not isinstance(order, Order):
        return
    used = Identity.objects.filter(terminal_id=item.terminal_id, number=order.number).exclude(item_id=item.item_id)
    if used.exists():
        reason = Reason(NUMBER_ALREADY_USED, "/number", f"Another order of this terminal has the number {order.number}")
        raise NotDecided("cannot-be-posted", gettext("The rules do not post it."), [reason])


def _before(item: HeldItem) -> dict[str, Any]:
    return {
        "what": item.what,
        "outcome": item.outcome,
        "reasons": item.reasons,
        "order_id": None if item.order_id is None else str(item.order_id),
        "number": item.number,
        "total": item.total,
        "content_hash": bytes(item.content_hash).hex(),
        "shift_id": str(item.shift_id),
    }
