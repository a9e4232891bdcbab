"""A cache file: what a till that is going to die has not sent, signed with the till's own key (protocol §12).

One line in ASCII, then one gzip member. The line names the terminal and its key, and signs itself and what follows. The
key is derived from the terminal's token, so that whoever reads the database, where tokens are hashed, cannot sign (ADR 46).
"""

import base64
import binascii
import hmac
import zlib
from hashlib import sha256
from typing import Annotated, NamedTuple
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from backoffice.domain.scalars import Instant

NAME = "backoffice-cache"
VERSION = "1"
MARK = f"{NAME}/{VERSION}".encode()
MAX_LINE = 512
MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_UNPACKED_BYTES = 128 * 1024 * 1024
MAX_SHIFTS = 1_000
MAX_SHIFT_BATCHES = 10_000
KEY_BYTES, SIGNATURE_BYTES = 32, 64
GZIP = 16 + zlib.MAX_WBITS


class CacheFileRefused(Exception):
    """The file cannot be taken as it is: a `code` for programs, words for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class SignedCache(NamedTuple):
    """A file whose signature is right: its bytes are those that the owner of `key` signed.

    Whose key that is, is not known here. `packed` is gzip, and nobody has looked into it yet.
    """

    terminal_id: UUID
    key: bytes
    packed: bytes


class CachedBatch(msgspec.Struct, frozen=True):
    """A batch as it would have been sent: `body` is the text of the request's body."""

    batch_id: UUID
    body: str


class CachedShift(msgspec.Struct, frozen=True):
    """What was not acknowledged of one shift. `opening` and `close` are bodies too; a close is null where there is none."""

    shift_id: UUID
    opening: str
    batches: Annotated[list[CachedBatch], Meta(max_length=MAX_SHIFT_BATCHES)] = []
    close: str | None = None


class CacheContent(msgspec.Struct, frozen=True):
    """What a file holds. `books` is the origin of the newest checkpoint that the terminal was given, null before the first."""

    terminal_id: UUID
    store_id: UUID
    saved_at: Instant
    shifts: Annotated[list[CachedShift], Meta(max_length=MAX_SHIFTS)]
    books: str | None = None


_DECODE = msgspec.json.Decoder(CacheContent).decode


def cache_key(token: str) -> bytes:
    """The public half (Ed25519, 32 bytes) of the key with which the owner of a token signs its cache files."""
    seed = hmac.digest(token.encode(), MARK, sha256)
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def check_cache_file(file: bytes) -> SignedCache:
    """The file, if it is one and was not changed since it was signed. Raises CacheFileRefused.

    Nothing is unpacked before the signature was checked.
    """
    if len(file) > MAX_FILE_BYTES:
        raise CacheFileRefused("too-large", f"A cache file has at most {MAX_FILE_BYTES} bytes.")
    line, end, _ = file[: MAX_LINE + 1].partition(b"\n")
    packed = file[len(line) + 1 :]
    words = line.split(b" ")
    _check_mark(words[0])
    if not end or len(words) != 4:  # noqa: PLR2004 - mark, terminal, key, signature
        raise CacheFileRefused("not-a-cache-file", "Its first line is cut off, or is none of a cache file.")
    key, signature = _decoded(words[2], length=KEY_BYTES), _decoded(words[3], length=SIGNATURE_BYTES)
    signed = b"%b\n%b" % (b" ".join(words[:3]), packed)
    try:
        terminal_id = UUID(words[1].decode("ascii"))
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except InvalidSignature:
        raise CacheFileRefused(
            "wrong-signature", "Its signature is wrong: it was changed or cut off after it was saved. Copy it again."
        ) from None
    except ValueError:
        raise CacheFileRefused("not-a-cache-file", "Its first line names no terminal.") from None
    return SignedCache(terminal_id, key, packed)


def _check_mark(mark: bytes) -> None:
    if mark == MARK:
        return
    if mark.startswith(f"{NAME}/".encode()):
        raise CacheFileRefused("unknown-version", f"It is a cache file of a version that is not known here: {mark!r}.")
    raise CacheFileRefused("not-a-cache-file", "It is no cache file of a terminal.")


def _decoded(word: bytes, *, length: int) -> bytes:
    try:
        data = base64.b64decode(word, validate=True)
    except binascii.Error:
        data = b""
    if len(data) != length:
        raise CacheFileRefused("not-a-cache-file", "Its first line is damaged.")
    return data


def read_cache(signed: SignedCache, *, most_bytes: int | None = None) -> CacheContent:
    """What a signed file holds, which unpacks to at most `most_bytes`, or what the protocol allows. Raises CacheFileRefused."""
    try:
        content = _DECODE(_unpacked(signed.packed, most_bytes=MAX_UNPACKED_BYTES if most_bytes is None else most_bytes))
    except (msgspec.DecodeError, RecursionError) as error:
        raise CacheFileRefused("unreadable", f"What it holds cannot be read: {error}.") from None
    if content.terminal_id != signed.terminal_id:
        raise CacheFileRefused("unreadable", "It names one terminal outside, and another inside.")
    return content


def _unpacked(packed: bytes, *, most_bytes: int) -> bytes:
    """At most `most_bytes`, whatever it pretends to be."""
    decoder = zlib.decompressobj(GZIP)
    try:
        text = decoder.decompress(packed, most_bytes + 1)
    except zlib.error:
        raise CacheFileRefused("unreadable", "What it holds is not gzip.") from None
    if len(text) > most_bytes:
        raise CacheFileRefused("too-large", f"It unpacks to more than {most_bytes} bytes.")
    if not decoder.eof or decoder.unused_data:
        raise CacheFileRefused("unreadable", "What it holds is cut off, or other bytes follow it.")
    return text
