"""Batches: which members go into one, and its bytes."""

from collections.abc import Sequence

import msgspec

from backoffice_terminal.api import Limits, compressed

# Room for the envelope's braces, names and sent_at.
_ENVELOPE_BYTES = 256


def batch_body(sent_at: str, orders: Sequence[bytes], movements: Sequence[bytes]) -> bytes:
    """The bytes of a batch, made from its members' saved bytes: the same members always give the same bytes."""
    return b'{"sent_at":%b,"orders":[%b],"cash_movements":[%b]}' % (
        msgspec.json.encode(sent_at),
        b",".join(orders),
        b",".join(movements),
    )


def groups(sizes: Sequence[int], limits: Limits) -> list[slice]:
    """Groups neighbouring members, given their sizes in bytes, within the limits before compression.

    A member too large for any batch gets a group of its own.
    """
    found: list[slice] = []
    start, used = 0, _ENVELOPE_BYTES
    for index, size in enumerate(sizes):
        full = index - start >= limits.max_batch_orders or used + size + 1 > limits.max_decoded_bytes
        if full and index > start:
            found.append(slice(start, index))
            start, used = index, _ENVELOPE_BYTES
        used += size + 1
    if start < len(sizes):
        found.append(slice(start, len(sizes)))
    return found


def fits(body: bytes, orders: int, limits: Limits) -> bool:
    """Whether a finished batch is within all limits, including those after compression."""
    if orders > limits.max_batch_orders or len(body) > limits.max_decoded_bytes:
        return False
    return len(body) <= limits.max_batch_bytes or len(compressed(body)) <= limits.max_batch_bytes
