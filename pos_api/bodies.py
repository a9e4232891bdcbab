"""Reads a request's body. Framing, size, compression and digest are checked before anything looks inside (protocol §9)."""

import base64
import binascii
import hashlib
import math
import re
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

from django.conf import settings
from rest_framework.request import Request

from backoffice.domain.cards.masking import mask_cards
from backoffice.short_turns import short_turns
from pos_api.budget import BudgetSpent, ByteBudget
from pos_api.costs import Costs
from pos_api.limits import MAX_SMALL_BODY, current_limits
from pos_api.problems import Problem

CHUNK = 64 * 1024
GZIP = 16 + zlib.MAX_WBITS
# Of a gzip member (RFC 1952): how many bytes at its end say how long it is decoded.
GZIP_LENGTH = 4
MEBIBYTE = 1024 * 1024
RETRY_AFTER_S = 2
SHA256_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]*):\s*(?:,|$)")


SMALL_BODY = MEBIBYTE
"""Bytes of a decoded body that always finds room, however many large ones there are."""

# Decoded bodies of all requests of this process, until they are answered: what is made of one is several times as large
# (ADR 22). Three of the largest have room, one of each terminal, and beside them a small one for each of many threads.
SMALL_ONES = 32 * MEBIBYTE
decoded_bytes = ByteBudget(
    3 * settings.MAX_DECODED_BYTES + SMALL_ONES,
    kept=SMALL_ONES,
    small=SMALL_BODY,
    share=settings.MAX_DECODED_BYTES + SMALL_BODY,
)


LIVE_ORDER = 16 * 1024
"""Bytes of a decoded body that is taken from a terminal whatever its others cost."""

costs = Costs()


class Body(NamedTuple):
    """A decoded body, and the gzip in which it came, if any."""

    text: bytes
    gzip: bytes | None


@contextmanager
def open_body(request: Request, *, small: bool = False) -> Iterator[Body]:
    """The body, checked, within what this process may hold. `small` sets the limit of activations, openings and heartbeats.

    Raises `Problem`: length-required, too-large, media-type, digest-mismatch, body-malformed, and unavailable where too
    much is held at the moment, or this terminal's bodies have cost too much; nothing is decoded then.
    """
    began = time.thread_time()
    length = _content_length(request)
    encoding = _check_media(request)
    limit = MAX_SMALL_BODY if small else settings.MAX_BATCH_BYTES
    if length > limit:
        raise Problem("too-large", f"At most {limit} bytes are accepted, as sent.", limits=current_limits(small=small))
    sent = _read_exactly(request, length)
    _check_digest(request, sent)
    is_gzip = encoding == "gzip"
    most = _decoded_length(sent, small=small) if is_gzip else length
    owner = getattr(request.user, "terminal", None)
    if most > LIVE_ORDER and (rest_s := costs.rest_s(owner)):
        raise _busy("This terminal's last bodies took long to read", retry_after_s=math.ceil(rest_s))
    try:
        decoded_bytes.acquire(most, owner=owner)
    except BudgetSpent:
        raise _busy("Too many large bodies are being read", retry_after_s=RETRY_AFTER_S) from None
    try:
        with short_turns() if most > LIVE_ORDER else nullcontext():
            yield Body(_gunzip(sent, most=most, small=small), sent) if is_gzip else Body(sent, None)
    finally:
        decoded_bytes.release(most, owner=owner)
        if owner is not None and most > LIVE_ORDER:
            costs.count(owner, time.thread_time() - began)


@contextmanager
def open_message(request: Request, *, small: bool = True) -> Iterator[bytes]:
    """The decoded body of a message other than a batch, without card data; otherwise as `open_body`."""
    with open_body(request, small=small) as body:
        yield mask_cards(body.text).body


def _busy(why: str, *, retry_after_s: int) -> Problem:
    again = f"{why}. Send again with the same identifiers."
    return Problem("unavailable", again, headers={"Retry-After": str(retry_after_s)})


def _content_length(request: Request) -> int:
    text = request.META.get("CONTENT_LENGTH") or ""
    if not (text.isascii() and text.isdigit()) or request.META.get("HTTP_TRANSFER_ENCODING"):
        raise Problem("length-required", "Send Content-Length; chunked bodies are not accepted.")
    return int(text)


def _check_media(request: Request) -> str:
    media = (request.META.get("CONTENT_TYPE") or "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise Problem("media-type", "Send application/json.")
    encoding = (request.headers.get("Content-Encoding") or "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise Problem("media-type", "Send the body uncompressed, or with Content-Encoding: gzip.")
    return encoding


def _stream(request: Request) -> Any:
    return request._request.environ["wsgi.input"]  # type: ignore[attr-defined]  # noqa: SLF001 - DRF has no other way to it


def _read_exactly(request: Request, length: int) -> bytes:
    stream, chunks, missing = _stream(request), [], length
    while missing > 0:
        chunk = stream.read(min(missing, CHUNK * 16))
        if not chunk:
            raise Problem("body-malformed", f"The body ended {missing} bytes early.")
        chunks.append(chunk)
        missing -= len(chunk)
    return b"".join(chunks)


def _check_digest(request: Request, sent: bytes) -> None:
    header = request.headers.get("Content-Digest")
    if header is None:
        return
    found = SHA256_DIGEST.search(header)
    if found is None:
        return  # RFC 9530: the recipient ignores algorithms that it does not know
    try:
        expected = base64.b64decode(found[1], validate=True)
    except binascii.Error:
        expected = b""
    if expected != hashlib.sha256(sent).digest():
        raise Problem("digest-mismatch", "The bytes that arrived are not the bytes that were sent. Send them again.")


def _decoded_length(sent: bytes, *, small: bool) -> int:
    """How long a gzip body is at most when it is decoded: as it says itself, which is checked, and within the limit."""
    limit = MAX_SMALL_BODY if small else settings.MAX_DECODED_BYTES
    return min(int.from_bytes(sent[-GZIP_LENGTH:], "little"), limit)


def _gunzip(sent: bytes, *, most: int, small: bool) -> bytes:
    limit = MAX_SMALL_BODY if small else settings.MAX_DECODED_BYTES
    decoder = zlib.decompressobj(GZIP)
    try:
        # A gzip bomb costs no more memory than the limit, and one that lies about its length than it says.
        decoded = decoder.decompress(sent, most + 1)
    except zlib.error as error:
        raise Problem("body-malformed", "The body is not valid gzip.") from error
    if len(decoded) > limit:
        raise Problem(
            "too-large", f"At most {limit} bytes are accepted after decoding.", limits=current_limits(small=small)
        )
    if not decoder.eof or decoder.unused_data:
        raise Problem("body-malformed", "The gzip body is truncated, or other bytes follow it.")
    return decoded
