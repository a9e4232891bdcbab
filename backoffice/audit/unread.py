"""Members that were held unread because they are too large, told from those that came before there was a limit.

No row says by which rule a large member was read, and none has to: what was held unread has the hash of its bytes.
"""

import hashlib

from django.db import connection

# What is read names itself, or is no object.
SELECT_UNREAD = """
SELECT batch_id::text, what, position, content_hash FROM sales_helditem
WHERE terminal_id = %s AND order_id IS NULL AND number IS NULL
"""
SELECT_IS_TAKEN = """
SELECT EXISTS (
    SELECT FROM sales_helditem h WHERE h.received_at = b.received_at AND h.batch_id = b.batch_id
        AND h.what = %(what)s AND h.position = %(position)s
) OR %(what)s = 'order' AND EXISTS (
    SELECT FROM sales_order o WHERE o.shift_id = b.shift_id AND o.batch_id = b.batch_id AND o.position = %(position)s
) OR %(what)s = 'movement' AND EXISTS (
    SELECT FROM sales_cashmovement m WHERE m.batch_id = b.batch_id AND m.position = %(position)s
) FROM inbox_batch b WHERE b.batch_id = %(batch_id)s::uuid
"""
HASH_VERSION = b"\x01"

Place = tuple[str, str, int]
"""A batch, `order` or `movement`, and a position."""


def hash_of_bytes(raw: bytes) -> bytes:
    """The content hash of a member that nobody reads."""
    return HASH_VERSION + hashlib.sha256(b"bytes:" + raw).digest()


class Unread:
    """Which large members of one terminal nobody read. Any other was read in its day, and must follow from its bytes."""

    def __init__(self, terminal_id: int) -> None:
        self._terminal_id = terminal_id
        self._held: dict[Place, bytes] | None = None
        self._hashes: frozenset[bytes] = frozenset()

    def has(self, place: Place, content_hash: bytes) -> bool:
        """Whether the member at `place` was held unread, or repeats one that was."""
        if self._held is None:
            self._held = self._load()
            self._hashes = frozenset(self._held.values())
        if self._held.get(place) == content_hash:
            return True
        return content_hash in self._hashes and not self._is_taken(place)

    def _load(self) -> dict[Place, bytes]:
        with connection.cursor() as cursor:
            cursor.execute(SELECT_UNREAD, [self._terminal_id])
            return {(batch_id, what, position): bytes(found) for batch_id, what, position, found in cursor.fetchall()}

    def _is_taken(self, place: Place) -> bool:
        """Whether something is posted or held at the place: then it is no repeat."""
        batch_id, what, position = place
        with connection.cursor() as cursor:
            cursor.execute(SELECT_IS_TAKEN, {"batch_id": batch_id, "what": what, "position": position})
            row = cursor.fetchone()
        return bool(row and row[0])
