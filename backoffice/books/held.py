"""What is held, as people name it and as its terminal sent it."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.utils.translation import gettext

from backoffice.books.refusals import NotDecided, read_uuid
from backoffice.domain.orders import CashMovement, Order
from backoffice.domain.upload import Upload, open_upload
from backoffice.domain.wire.envelope import BodyMalformed, EnvelopeInvalid
from backoffice.domain.wire.members import read_movement, read_order
from backoffice.inbox.models import Batch
from backoffice.inbox.packing import unpack
from backoffice.sales.models import HeldItem, Identity

# BATCH_ID:INDEX of an order, BATCH_ID:movements:INDEX of a cash movement.
PLACE = re.compile(r"([0-9a-fA-F-]{36}):(?:(orders|movements):)?(\d{1,9})")
LISTS: Mapping[str, str] = {"order": "orders", "movement": "cash_movements"}
IDENTIFIERS: Mapping[str, str] = {"order": "order_id", "movement": "movement_id"}


class SentHeld(NamedTuple):
    """A held member as it was sent. `card_flags` are those of its batch that are about it; `late`, if it came so."""

    raw: bytes
    card_flags: list[list[Any]]
    late: bool


def find_held(name: str) -> HeldItem:
    """The held order or movement of this name: its place, or an order id that is held once. Raises NotDecided."""
    place = PLACE.fullmatch(name)
    items = HeldItem.objects.select_related("store", "terminal", "shift")
    if place is not None:
        what = "movement" if place[2] == "movements" else "order"
        batches = Batch.objects.filter(batch_id=_uuid(place[1]))
        there = items.filter(received_at__in=batches.values("received_at"), batch_id=_uuid(place[1]))
        found = there.filter(what=what, position=int(place[3])).first()
    else:
        same = list(items.filter(item_id=_uuid(name)).order_by("decision_id", "id"))
        undecided = [item for item in same if item.decision_id is None]
        if len(undecided) > 1:
            places = ", ".join(name_of(item) for item in undecided)
            raise NotDecided(
                "ambiguous",
                gettext("{name} is held more than once: name one of {places}.").format(name=name, places=places),
            )
        found = next(iter(undecided or same), None)
    if found is None:
        raise NotDecided("not-held", gettext("Nothing is held under {name}.").format(name=name))
    return found


def name_of(item: HeldItem) -> str:
    """Its place, as commands name it."""
    return f"{item.batch_id}:{'movements:' if item.what == 'movement' else ''}{item.position}"


def as_sent(item: HeldItem) -> SentHeld:
    """Its own bytes, out of those of its batch."""
    batch = Batch.objects.only("body", "card_flags", "received_at").get(batch_id=item.batch_id)
    envelope = unpack(batch.body)
    raws = envelope.orders if item.what == "order" else envelope.movements
    flags = [
        [members, 0, code, pointer]
        for members, index, code, pointer in batch.card_flags
        if (members, index) == (LISTS[item.what], item.position)
    ]
    return SentHeld(raws[item.position], flags, _is_late(item, batch))


def _is_late(item: HeldItem, batch: Batch) -> bool:
    shift = item.shift
    if shift.close_received_at is None or shift.declared is None:
        return False
    return batch.received_at > shift.close_received_at and str(item.batch_id) not in shift.declared["batches"]


def is_first_version(item: HeldItem) -> bool:
    """Whether it came first under its identifier, so that it keeps that in the books."""
    versions = Identity.objects.filter(item_id=item.item_id, batch_id=item.batch_id, terminal_id=item.terminal_id)
    return versions.filter(content_hash=item.content_hash, version=0).exists()


def with_identifier(raw: bytes, item_id: UUID, *, what: str) -> bytes:
    """The same member under another identifier, all else as it was spelled. Raises NotDecided for what is no object."""
    try:
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        raise NotDecided("unreadable", gettext("It cannot be read: correct it, or discard it.")) from None
    fields[IDENTIFIERS[what]] = msgspec.Raw(msgspec.json.encode(item_id))
    return msgspec.json.encode(fields)


def opened(raw: bytes, *, what: str) -> Upload:
    """A member as an upload of its own, without card data. Raises NotDecided for what is no JSON."""
    try:
        return open_upload(b'{"%b":[%b]}' % (LISTS[what].encode(), raw), gzip=None, max_orders=1)
    except (BodyMalformed, EnvelopeInvalid) as error:
        raise NotDecided("unreadable", error.detail) from None


def number_of(raw: bytes) -> int | None:
    """The number of an order that can be read."""
    order = read_order(raw)
    return order.number if isinstance(order, Order) else None


def amount_of(raw: bytes, *, what: str) -> int | None:
    """What an order comes to, with its tip if that is more, or a movement moves; None of what cannot be read."""
    value = read_order(raw) if what == "order" else read_movement(raw)
    if isinstance(value, Order):
        return larger(value.total, value.total + value.tip)
    return value.amount if isinstance(value, CashMovement) else None


def larger(*amounts: int | None) -> int | None:
    """The one that is furthest from 0, of those that are known; None where none is."""
    return max((amount for amount in amounts if amount is not None), key=abs, default=None)


def _uuid(text: str) -> UUID:
    detail = gettext("{text} names nothing here: expected BATCH_ID:INDEX or an identifier.").format(text=f"{text!r}")
    return read_uuid(text, code="unknown-name", detail=detail)
