"""How a batch's body is stored: as zlib (RFC 1950), which every reader undoes with `zlib.decompress`."""

import zlib

from backoffice.domain.wire.envelope import Envelope, decode_batch

LEVEL = 1
# Of a gzip member (RFC 1952): where it says which fields stand in its head, how long the head is without any, and what
# stands behind the compressed data.
FLAGS, HEAD, TAIL = 3, 10, 8
# 32 KiB of window, and no word on how hard it was compressed: 0x7801 is a multiple of 31, as it must be.
BEGINS = b"\x78\x01"


def pack(body: bytes, *, gzip: bytes | None) -> bytes:
    """`body` as it is stored. `gzip` is the one valid gzip member that it came as, if it did.

    Both formats wrap the same compressed data, so what a terminal has compressed is not compressed again.
    """
    if gzip is None or gzip[FLAGS]:
        return zlib.compress(body, LEVEL)
    return BEGINS + gzip[HEAD:-TAIL] + zlib.adler32(body).to_bytes(4, "big")


def unpack(packed: bytes | memoryview) -> Envelope:
    """The members of a stored batch. What was checked when it came is not checked again, and has no limits now."""
    body = zlib.decompress(packed)
    return decode_batch(body, max_orders=len(body), is_checked=True)
