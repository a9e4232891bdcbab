"""Cache files as they are kept from request to agreement: looked at by the rules of the door, and without card data.

The file itself stays with whoever handed it in: it may hold card numbers, and those are stored nowhere (protocol §7).
What is kept of it is what would have been stored of each request, and the digest of the file.
"""

import hashlib
import zlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext

from backoffice.books.evidence.models import VerifierKey
from backoffice.books.models import CacheFile, Decision
from backoffice.books.refusals import NotDecided, read_uuid
from backoffice.domain.cache_files import (
    CacheContent,
    CachedBatch,
    CachedShift,
    CacheFileRefused,
    SignedCache,
    check_cache_file,
    read_cache,
)
from backoffice.domain.cards.masking import Finding, mask_cards
from backoffice.domain.decisions import Verb
from backoffice.domain.evidence.notes import CheckingKey
from backoffice.domain.orders import Order, Unreadable
from backoffice.domain.upload import Upload, open_upload
from backoffice.domain.wire.envelope import BodyMalformed, EnvelopeInvalid, TooManyOrders, decode_batch
from backoffice.domain.wire.members import read_order
from backoffice.domain.wire.messages import read_close_shift, read_open_shift
from backoffice.fleet.models import Credential, Terminal
from backoffice.inbox.packing import LEVEL
from backoffice.postgres.transactions import transaction_required

# As at the door (protocol §4).
MAX_OPENING_BYTES = 64 * 1024


class KeptBatch(msgspec.Struct, frozen=True):
    """A batch as it would have been stored, and what was masked in it."""

    batch_id: UUID
    body: str
    findings: tuple[Finding, ...]

    @property
    def upload(self) -> Upload:
        """As it was opened when it was kept."""
        body = self.body.encode()
        return Upload(body, None, decode_batch(body, max_orders=len(body), is_checked=True), self.findings)


class KeptShift(msgspec.Struct, frozen=True):
    """What is taken of one shift. `opening` and `close` are without card data, and null where there is none to take."""

    shift_id: UUID
    opening: str | None
    batches: list[KeptBatch]
    close: str | None


class NotTaken(msgspec.Struct, frozen=True):
    """A request of the file that the door would have refused, and why. Nothing of it is kept."""

    what: str
    identifier: UUID
    code: str
    detail: str


class KeptContent(msgspec.Struct, frozen=True):
    """What is kept of a file."""

    shifts: list[KeptShift]
    refused: list[NotTaken]


class KeptCache(NamedTuple):
    """A file that is kept, with its row and what is in it. `digest` is that of what is kept."""

    file: CacheFile
    content: KeptContent
    digest: bytes


Seen = Callable[[KeptShift, Order | Unreadable], None]

_READ = msgspec.json.Decoder(KeptContent).decode


@transaction_required
def keep_cache(file: bytes, *, now: datetime, most_unpacked: int | None = None) -> CacheFile:
    """Keeps a file once, if its terminal signed it. Raises CacheFileRefused: then nothing is kept."""
    signed = check_cache_file(file)
    signer = _signer(signed)
    content = read_cache(signed, most_bytes=most_unpacked)
    _check_place(content, signer)
    kept = _Door().taken(content)
    row = CacheFile(
        digest=hashlib.sha256(file).digest(),
        terminal=signer.terminal,
        signed_with=signed.key,
        saved_at=content.saved_at,
        kept_at=now,
        content=zlib.compress(msgspec.json.encode(kept), LEVEL),
    )
    # Another may keep the same file at this moment.
    CacheFile.objects.bulk_create([row], ignore_conflicts=True)
    return CacheFile.objects.select_related("terminal__store").get(digest=row.digest)


def find_cache(name: Any) -> KeptCache:
    """A file that is kept, by its identifier. Raises NotDecided."""
    file_id = read_uuid(
        name, code="unknown-file", detail=gettext("{name} is no file that is kept.").format(name=f"{name!r}")
    )
    file = CacheFile.objects.select_related("terminal__store").filter(pk=file_id).first()
    if file is None:
        raise NotDecided("unknown-file", gettext("No file {file_id} is kept.").format(file_id=file_id))
    return _opened(file, zlib.decompress(file.content))


def import_decisions(terminal: Terminal) -> QuerySet[Decision]:
    """Every request and decision to take in a file of a terminal; which file, its `arguments` say."""
    return Decision.objects.filter(about="terminal", subject=str(terminal.uuid), verb=Verb.IMPORT_CACHE.value)


def open_cache(file: CacheFile, *, most_unpacked: int) -> KeptCache | None:
    """What is in a file that is kept; None where it is more than so many bytes: then no more of it is unpacked."""
    text = zlib.decompressobj().decompress(file.content, most_unpacked + 1)
    return None if len(text) > most_unpacked else _opened(file, text)


def _opened(file: CacheFile, text: bytes) -> KeptCache:
    return KeptCache(file, _READ(text), hashlib.sha256(text).digest())


def count_cache(content: KeptContent, *, seen: Seen = lambda _shift, _order: None) -> dict[str, int]:
    """How much a file holds; `total` is that of its paid orders that can be read, in minor units.

    Each order is read once, shown to `seen` with its shift, and let go: together they take far more memory than the file.
    """
    orders = movements = total = 0
    for shift in content.shifts:
        for batch in shift.batches:
            envelope = batch.upload.envelope
            movements += len(envelope.movements)
            for raw in envelope.orders:
                order = read_order(raw)
                orders += 1
                total += order.total if isinstance(order, Order) and order.status == "paid" else 0
                seen(shift, order)
    return {
        "shifts": len(content.shifts),
        "closes": sum(shift.close is not None for shift in content.shifts),
        "batches": sum(len(shift.batches) for shift in content.shifts),
        "orders": orders,
        "cash_movements": movements,
        "total": total,
    }


def _signer(signed: SignedCache) -> Credential:
    """The credential whose key signed it, also one that is revoked by now."""
    credentials = Credential.objects.filter(terminal__uuid=signed.terminal_id).select_related("terminal__store")
    if not credentials.exists():
        raise CacheFileRefused("unknown-terminal", f"There is no terminal {signed.terminal_id} here.")
    signer = credentials.filter(cache_key=signed.key).first()
    if signer is None:
        raise CacheFileRefused("wrong-signature", "It is signed with a key that its terminal never had.")
    return signer


def _check_place(content: CacheContent, signer: Credential) -> None:
    if content.store_id != signer.terminal.store.uuid:
        raise CacheFileRefused("wrong-store", "Its terminal belongs to another store.")
    ours = {CheckingKey.read(text).name for text in VerifierKey.objects.values_list("text", flat=True)}
    if content.books is not None and ours and content.books not in ours:
        raise CacheFileRefused("other-installation", f"Its terminal worked with the books of {content.books!r:.80}.")


class _Door:
    """What the door of an upload does with each request, but for storing it."""

    def __init__(self) -> None:
        self._refused: list[NotTaken] = []

    def taken(self, content: CacheContent) -> KeptContent:
        return KeptContent([self._shift(shift) for shift in content.shifts], self._refused)

    def _shift(self, shift: CachedShift) -> KeptShift:
        opening, close = self._opening(shift), self._close(shift)
        batches = [kept for batch in shift.batches if (kept := self._batch(batch)) is not None]
        return KeptShift(shift.shift_id, opening, batches, close)

    def _opening(self, shift: CachedShift) -> str | None:
        try:
            body = _within(shift.opening, most=MAX_OPENING_BYTES)
            masked = mask_cards(body).body
            read_open_shift(masked)
        except (CacheFileRefused, BodyMalformed, EnvelopeInvalid) as error:
            self._refuse("opening", shift.shift_id, error)
            return None
        return masked.decode()

    def _close(self, shift: CachedShift) -> str | None:
        if shift.close is None:
            return None
        try:
            masked = mask_cards(_within(shift.close, most=settings.MAX_DECODED_BYTES)).body
            read_close_shift(masked)
        except (CacheFileRefused, BodyMalformed, EnvelopeInvalid) as error:
            self._refuse("close", shift.shift_id, error)
            return None
        return masked.decode()

    def _batch(self, batch: CachedBatch) -> KeptBatch | None:
        try:
            body = _within(batch.body, most=settings.MAX_DECODED_BYTES)
            upload = open_upload(body, gzip=None, max_orders=settings.MAX_BATCH_ORDERS)
        except (CacheFileRefused, BodyMalformed, EnvelopeInvalid, TooManyOrders) as error:
            self._refuse("batch", batch.batch_id, error)
            return None
        return KeptBatch(batch.batch_id, upload.body.decode(), upload.findings)

    def _refuse(self, what: str, identifier: UUID, error: Exception) -> None:
        codes = {BodyMalformed: "body-malformed", EnvelopeInvalid: "envelope-invalid"}
        self._refused.append(NotTaken(what, identifier, codes.get(type(error), "too-large"), str(error)))


def _within(text: str, *, most: int) -> bytes:
    body = text.encode()
    if len(body) > most:
        raise CacheFileRefused("too-large", f"{len(body)} bytes; at most {most} are taken.")
    return body
