"""Records as leaves: a list of texts, each behind its length, so that nothing of it can be read in two ways.

A leaf begins with its kind and version, its store and its seal number. What follows is natural: identifiers that terminals
know, dates, amounts; never a row's id, a locale or JSON text. A version's encoding never changes: a golden vector holds it.

- A number is decimal digits, with a minus in front where it is negative.
- A UUID is its canonical lower-case form, a digest lower-case hexadecimal, a date is YYYY-MM-DD.
- A moment is in UTC with six decimals: 2026-03-01T09:01:00.000000Z.
- What is not there is "".
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from struct import Struct
from typing import NamedTuple

_length = Struct(">I").pack


class LeafKind(NamedTuple):
    """A kind of record that is sealed. Numbers are dense per store and name; a new encoding is a new version."""

    name: str
    version: int

    @property
    def tag(self) -> str:
        """The first text of each of its leaves."""
        return f"{self.name}/{self.version}"


ENTRY = LeafKind("entry", 1)
BATCH = LeafKind("batch", 1)
TRAIL = LeafKind("trail", 1)
DAY = LeafKind("day", 1)


class LineFacts(NamedTuple):
    """A journal line. `drawer` is a terminal's identifier, or None; money in minor units."""

    position: int
    business_date: date
    store: str
    account: str
    drawer: str | None
    tax_code: str
    debit: int
    credit: int
    currency: str


class EntryFacts(NamedTuple):
    """A journal entry; identifiers are those that terminals know."""

    business_date: date
    terminal: str | None
    shift: str | None
    source_kind: str
    source: str
    source_number: int
    currency: str
    posted_at: datetime
    lines: Sequence[LineFacts]


class BatchFacts(NamedTuple):
    """A stored batch. `digest` is the SHA-256 of its body, `size` its length in bytes."""

    batch: str
    terminal: str
    shift: str
    received_at: datetime
    size: int
    order_count: int
    movement_count: int
    digest: bytes


class FieldFacts(NamedTuple):
    """What a change made of one field, in PostgreSQL's text of the values; None where there was none."""

    name: str
    before: str | None
    after: str | None


class TrailFacts(NamedTuple):
    """A row of the audit trail. Its ids are what was noted of rows that may be gone: part of it, and leading nowhere."""

    at: datetime
    what: str
    about: str
    object_id: str
    object_name: str
    person_id: int | None
    person: str
    address: str
    via: str
    reason: str
    fields: Sequence[FieldFacts]


def encode(texts: Iterable[str]) -> bytes:
    """The bytes of a leaf: each text in UTF-8, behind its length as four bytes, the highest first."""
    return b"".join([_length(len(piece)) + piece for piece in map(str.encode, texts)])


def leaf_texts(kind: LeafKind, *, store: str, number: int, values: Sequence[str]) -> list[str]:
    """The texts of a leaf of any kind: `values` are what its record says."""
    return [kind.tag, store, str(number), *values]


def entry_values(entry: EntryFacts) -> list[str]:
    """What a journal entry says, with its lines by their position."""
    values = [
        entry.business_date.isoformat(),
        entry.terminal or "",
        entry.shift or "",
        entry.source_kind,
        entry.source,
        str(entry.source_number),
        entry.currency,
        moment_text(entry.posted_at),
        str(len(entry.lines)),
    ]
    for line in entry.lines:
        values += [
            str(line.position),
            line.business_date.isoformat(),
            line.store,
            line.account,
            line.drawer or "",
            line.tax_code,
            str(line.debit),
            str(line.credit),
            line.currency,
        ]
    return values


def batch_values(batch: BatchFacts) -> list[str]:
    """What is kept of a stored batch: where it came from, and the digest of its body."""
    return [
        batch.batch,
        batch.terminal,
        batch.shift,
        moment_text(batch.received_at),
        str(batch.size),
        str(batch.order_count),
        str(batch.movement_count),
        batch.digest.hex(),
    ]


def trail_values(trail: TrailFacts) -> list[str]:
    """What a row of the audit trail says, with its fields by their name."""
    values = [
        moment_text(trail.at),
        trail.what,
        trail.about,
        trail.object_id,
        trail.object_name,
        "" if trail.person_id is None else str(trail.person_id),
        trail.person,
        trail.address,
        trail.via,
        trail.reason,
        str(len(trail.fields)),
    ]
    for field in trail.fields:
        values += [field.name, field.before or "", field.after or ""]
    return values


def day_texts(*, store: str, day: date, size: int, root: bytes) -> list[str]:
    """A leaf of the installation's tree: how a store's tree of one day stands, with so many leaves."""
    return [DAY.tag, store, day.isoformat(), str(size), root.hex()]


def moment_text(at: datetime) -> str:
    """A moment as leaves write it."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
