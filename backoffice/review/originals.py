"""The originals: what a terminal sent, read from the stored body of its batch by position."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.utils.translation import gettext

from backoffice.inbox.models import Batch
from backoffice.inbox.packing import unpack
from backoffice.languages.formats import whole
from backoffice.sales.models import HeldItem

# Lists need the originals only for an asterisk, so they do not read batches larger than this.
READABLE_SIZE = 1024 * 1024
# A longer member is not read: as Python's objects it may be sixty times as large.
READABLE_MEMBER = 256 * 1024
# A page shows as much of it as somebody may read; an order of 500 ordinary lines is all there.
SHOWN_CHARACTERS = 200_000
# As many digits as any integer of PostgreSQL has.
READABLE_DIGITS = 19


class Place(NamedTuple):
    """Where an original is: batch, `order` or `movement`, and position."""

    batch_id: UUID
    what: str
    position: int


class _Made(msgspec.Struct):
    """As much of an order as its asterisk needs."""

    mode: Any = None


_READ_MODE = msgspec.json.Decoder(_Made)


class StoredOriginal:
    """A member as it was sent. It may be anything that is JSON, so it is read anew by whoever asks, and not kept."""

    def __init__(self, member: bytes) -> None:
        self.member = member

    @property
    def value(self) -> Any:
        """Its JSON value; None if it is too long to be read. Numbers that are no amounts are as they were written."""
        if len(self.member) > READABLE_MEMBER:
            return None
        return json.loads(self.member, parse_int=_integer, parse_float=str)

    @property
    def pretty(self) -> str:
        """Its text laid out for reading, or the beginning of it."""
        text = self._laid_out()
        left_out = len(text) - SHOWN_CHARACTERS
        return (
            text
            if left_out <= 0
            else f"{text[:SHOWN_CHARACTERS]}\n{gettext('… and %(count)s characters more') % {'count': whole(left_out)}}"
        )

    def _laid_out(self) -> str:
        if len(self.member) > READABLE_MEMBER:
            return self.member.decode()
        try:
            # Works on the text, so that numbers stay as they were written.
            return msgspec.json.format(self.member, indent=2).decode()
        except msgspec.DecodeError:  # half of a surrogate pair, which is valid JSON but not for msgspec
            return self.member.decode()

    @property
    def is_offline(self) -> bool:
        """Whether it says that it was made offline."""
        try:
            return bool(_READ_MODE.decode(self.member).mode == "offline")
        except msgspec.DecodeError:  # no object, or as below
            value = self.value
            return isinstance(value, dict) and value.get("mode") == "offline"


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
        envelope = unpack(body)
        for place in wanted[batch_id]:
            members = envelope.orders if place.what == "order" else envelope.movements
            found[place] = StoredOriginal(members[place.position])
    return found


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= READABLE_DIGITS else digits
