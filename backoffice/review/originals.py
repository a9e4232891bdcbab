"""The originals: what a terminal sent, read from the stored body of its batch by position."""

import json
import zlib
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from backoffice.domain.wire.envelope import decode_batch
from backoffice.inbox.models import Batch
from backoffice.sales.models import HeldItem

# Lists need the originals only for an asterisk, so they do not read batches larger than this.
READABLE_SIZE = 1024 * 1024


class Place(NamedTuple):
    """Where an original is: batch, `order` or `movement`, and position."""

    batch_id: UUID
    what: str
    position: int


class StoredOriginal(NamedTuple):
    """A member as it was sent: its JSON value, and the text laid out for reading."""

    value: Any
    pretty: str

    @property
    def is_offline(self) -> bool:
        """Whether it says that it was made offline."""
        return isinstance(self.value, dict) and self.value.get("mode") == "offline"


def mark_modes(items: Iterable[Any], *, max_size: int | None = None) -> None:
    """Sets `mode` and `original` (None if it was not read) on held items; the tables have neither. One statement."""
    listed = list(items)
    originals = read_originals((place_of(item) for item in listed), max_size=max_size)
    for item in listed:
        item.original = originals.get(place_of(item))
        item.mode = "offline" if item.original is not None and item.original.is_offline else "online"


def place_of(item: HeldItem) -> Place:
    """Where the original of a held item is."""
    return Place(item.batch_id, item.what, item.position)


def read_originals(places: Iterable[Place], *, max_size: int | None = None) -> dict[Place, StoredOriginal]:
    """The originals at these places. One statement; batches larger than `max_size` decoded bytes are left out."""
    wanted: dict[UUID, list[Place]] = {}
    for place in places:
        wanted.setdefault(place.batch_id, []).append(place)
    batches = Batch.objects.filter(batch_id__in=wanted)
    if max_size is not None:
        batches = batches.filter(size__lte=max_size)
    found: dict[Place, StoredOriginal] = {}
    for batch_id, body in batches.values_list("batch_id", "body"):
        text = zlib.decompress(body)
        envelope = decode_batch(text, max_orders=len(text))
        for place in wanted[batch_id]:
            members = envelope.orders if place.what == "order" else envelope.movements
            found[place] = _original(members[place.position])
    return found


def _original(member: bytes) -> StoredOriginal:
    try:
        value = json.loads(member)
    except ValueError:  # an integer of more digits than Python converts
        value = None
    try:
        # Works on the text, so that numbers stay as they were written.
        pretty = msgspec.json.format(member, indent=2).decode()
    except msgspec.DecodeError:  # half of a surrogate pair, which is valid JSON but not for msgspec
        pretty = member.decode()
    return StoredOriginal(value, pretty)
