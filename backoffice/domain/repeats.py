"""Whether an opening or a close is the one that is stored (protocol §2.3, §4, §6)."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from backoffice.domain.wire.messages import ADDED_TO_CLOSES, CloseShift, OpenShift


def message_hash(message: OpenShift | CloseShift) -> bytes:
    """32 bytes of the message as it was read: unknown fields, white space and the spelling of times make no difference.

    Stored for ever, so what it gives for a message must never change.
    """
    fields = {name: _in_utc(getattr(message, name)) for name in message.__struct_fields__}
    for name, unsaid in ADDED_TO_CLOSES.items():
        if fields.get(name, unsaid) == unsaid:
            fields.pop(name, None)
    return hashlib.sha256(msgspec.msgpack.encode(fields, order="sorted")).digest()


def is_same_opening(message: OpenShift, *, stored_hash: bytes) -> bool:
    """Also where the message now says when the shift ended: so it is sent after a restore (protocol §10)."""
    if message_hash(message) == stored_hash:
        return True
    return message.closed_at is not None and message_hash(without_end(message)) == stored_hash


def without_end(message: OpenShift) -> OpenShift:
    """The opening as it was sent when the shift began."""
    return msgspec.structs.replace(message, closed_at=None)


def is_same_close(message: CloseShift, *, stored_hash: bytes, stored: Mapping[str, Any]) -> bool:
    """`stored` is the declaration as it was kept. One from before there were the added fields is compared without them."""
    if not ADDED_TO_CLOSES.keys() & stored.keys():
        message = msgspec.structs.replace(message, **ADDED_TO_CLOSES)
    return message_hash(message) == stored_hash


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
