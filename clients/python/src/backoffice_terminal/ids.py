"""Identifiers that a terminal generates itself, so that every write may be repeated."""

import secrets
import time
from uuid import UUID


def uuid7(unix_ms: int) -> UUID:
    """A version 7 UUID (RFC 9562 §5.7): the given milliseconds since 1970, and 74 random bits."""
    value = (unix_ms & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def mint() -> str:
    """A new identifier in the canonical 36-character form. Save it before sending anything that carries it."""
    return str(uuid7(time.time_ns() // 1_000_000))
