"""What a till that is going to die has not sent, saved as a signed file that head office takes in (protocol §12).

The file is made without a connection. What it holds is what would be sent, under the same identifiers: should the till
live after all, it sends the same again, and Back Office knows it.
"""

import base64
import hashlib
import hmac
import os
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backoffice_terminal.api import Store, compressed
from backoffice_terminal.closing import declaration
from backoffice_terminal.journal import Journal
from backoffice_terminal.learning import learn_types
from backoffice_terminal.problems import NotActivated
from backoffice_terminal.saved import SavedBatch, SavedShift
from backoffice_terminal.uplink import Uplink
from backoffice_terminal.witness import CHECKPOINT, read_seal

MARK = b"backoffice-cache/1"


class CacheSaved(NamedTuple):
    """How much a file holds, to show to whoever carries it to head office."""

    shifts: int
    orders: int
    movements: int


class _Batch(msgspec.Struct, frozen=True):
    batch_id: str
    body: str


class _Shift(msgspec.Struct, frozen=True):
    shift_id: str
    opening: str
    batches: list[_Batch]
    close: str | None


class _Content(msgspec.Struct, frozen=True):
    terminal_id: str
    store_id: str
    books: str | None
    saved_at: str
    shifts: list[_Shift]


def save_cache(
    path: Path, *, journal: Journal, uplink: Uplink, token: str | None, store: Store, now: datetime
) -> CacheSaved:
    """Writes the file, wholly or not at all. Raises NotActivated where there never was a token to sign with."""
    terminal_id = journal.fact("terminal_id")
    if token is None or terminal_id is None:
        raise NotActivated("this terminal has never had a credential, so it cannot sign what it saves")
    unsent = [(shift, uplink.packed(shift)) for shift in _unsent(journal)]
    content = _Content(
        terminal_id=terminal_id,
        store_id=store.id,
        books=_books(journal),
        saved_at=now.isoformat(),
        shifts=[_shift(journal, shift, batches) for shift, batches in unsent],
    )
    _write(path, signed(msgspec.json.encode(content), terminal_id=terminal_id, token=token))
    batches = [batch for _, packed in unsent for batch, _ in packed]
    orders = sum(len(batch.orders) for batch in batches)
    return CacheSaved(len(unsent), orders, sum(len(batch.movements) for batch in batches))


def signed(content: bytes, *, terminal_id: str, token: str) -> bytes:
    """A file: one line that names the terminal and its key and signs all of it, then the content as gzip."""
    key = Ed25519PrivateKey.from_private_bytes(hmac.digest(token.encode(), MARK, hashlib.sha256))
    public = base64.b64encode(key.public_key().public_bytes_raw())
    head = b"%b %b %b" % (MARK, terminal_id.encode(), public)
    packed = compressed(content)
    signature = base64.b64encode(key.sign(head + b"\n" + packed))
    return b"%b %b\n%b" % (head, signature, packed)


def _unsent(journal: Journal) -> list[SavedShift]:
    """Shifts of which something was not acknowledged, also what was refused: head office may look at it."""
    waiting = journal.undelivered_shifts()
    known = {shift.shift_id for shift in waiting}
    refused = {batch.shift_id for batch in journal.refused_batches()} - known
    return sorted([*waiting, *map(journal.shift, refused)], key=lambda shift: shift.number)


def _shift(journal: Journal, shift: SavedShift, packed: list[tuple[SavedBatch, bytes]]) -> _Shift:
    close = None
    if shift.closed_at is not None and not shift.declared:
        close = shift.declaration or declaration(journal, shift, with_sealed=True)
    batches = [_Batch(batch.batch_id, body.decode()) for batch, body in packed]
    return _Shift(shift.shift_id, shift.opening.decode(), batches, None if close is None else close.decode())


def _books(journal: Journal) -> str | None:
    """Which books it sent to: the origin of the newest checkpoint, if it was given any."""
    seal = read_seal(journal.fact(CHECKPOINT) or "")
    return None if seal is None else seal.origin


def _write(path: Path, content: bytes) -> None:
    """On the disk when this returns, under its name only if it is whole."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


learn_types(globals())
