"""Repeats of held members: their originals are looked up in the bytes, since no row has their content."""

import zlib
from functools import lru_cache

from django.db.backends.utils import CursorWrapper

from backoffice.audit.batches import SentMember, members_of
from backoffice.audit.findings import Findings
from backoffice.audit.fleet import AuditedTill
from backoffice.audit.unread import Unread
from backoffice.audit.values import same_content

SELECT_ORIGINALS = """
SELECT h.batch_id::text, h.position, i.hash_version IS NULL FROM sales_helditem h
LEFT JOIN sales_identity i ON i.item_id = h.item_id AND i.content_hash = h.content_hash AND i.terminal_id = h.terminal_id
WHERE h.item_id = %s::uuid AND h.what = %s AND h.terminal_id = %s
"""
SELECT_BODY = "SELECT body FROM inbox_batch WHERE batch_id = %s::uuid"

# Repeats come a whole batch at a time, so a few decoded bodies are enough.
BODIES_KEPT = 4


class Originals:
    """Finds the held members of one terminal that others repeat."""

    def __init__(self, cursor: CursorWrapper, till: AuditedTill) -> None:
        self._cursor = cursor
        self._till = till
        self._unreadable: set[bytes] = set()
        self._repeats: dict[bytes, str] = {}
        self._unread = Unread(till.id)
        self._members = lru_cache(maxsize=BODIES_KEPT)(self._load_members)

    def is_held(self, member: SentMember) -> bool:
        """Whether a held member of this terminal has the same identifier and content as `member`."""
        self._cursor.execute(SELECT_ORIGINALS, [member.item_id, member.what, self._till.id])
        for batch_id, position, of_before in self._cursor.fetchall():
            original = self._members(batch_id).get((member.what, position))
            if original is not None and same_member(original, member, of_before=of_before):
                return True
        return False

    def remember_unreadable(self, digest: bytes) -> None:
        """Records a held member that cannot be read. Its repeats may be processed here before it."""
        self._unreadable.add(digest)

    def expect_unreadable(self, digest: bytes, where: str) -> None:
        """Records a member without an identifier, which must repeat a held one."""
        self._repeats.setdefault(digest, where)

    def check_unreadable(self, findings: Findings) -> None:
        """After the terminal's last batch: checks that every expected member is held."""
        for digest, where in self._repeats.items():
            if digest not in self._unreadable:
                what = "is neither posted nor held, and repeats nothing"
                findings.add(self._till.store_code, where, what, expected="one of them", found=None)

    def original_at(self, batch_id: str, what: str, position: int) -> SentMember | None:
        """What a batch had at a place; None if there is no such place."""
        return self._members(batch_id).get((what, position))

    def _load_members(self, batch_id: str) -> dict[tuple[str, int], SentMember]:
        self._cursor.execute(SELECT_BODY, [batch_id])
        row = self._cursor.fetchone()
        members = members_of(zlib.decompress(row[0]), batch_id=batch_id, unread=self._unread) if row else []
        return {(member.what, member.position): member for member in members}


def same_member(original: SentMember, member: SentMember, *, of_before: bool = False) -> bool:
    """Whether two members have the same content; unreadable ones are compared as JSON values.

    With an original `of_before` orders adjusted others, it is what both were read as then.
    """
    one, other = original.read_as(of_before=of_before), member.read_as(of_before=of_before)
    if one is not None and other is not None:
        return same_content(one, other)
    if original.what != member.what or (one is None) != (other is None):
        return False
    return original.digest == member.digest
