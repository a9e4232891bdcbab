"""What was taken in from the files of tills that died: batches that no terminal sent, and a decision did (protocol §12).

Their members are derived from their bytes as those of any other batch. Here: that each file is as it was when people
agreed to it, and that everything in it is in the inbox, in the same bytes.
"""

import hashlib
import json
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

from backoffice.audit.findings import Findings

SELECT_IMPORTS = """
SELECT s.code, d.subject, d.before::text, coalesce(a.after, d.after)::text, f.content, f.digest, t.id, t.uuid::text
FROM books_decision d JOIN fleet_store s ON s.id = d.store_id
LEFT JOIN books_decisionanswer a ON a.decision_id = d.id
LEFT JOIN books_cachefile f ON f.id::text = d.arguments ->> 'file'
LEFT JOIN fleet_terminal t ON t.id = f.terminal_id
WHERE d.verb = 'import-cache' AND (NOT d.needs_second_person OR a.answer = 'agreed')
ORDER BY d.asked_at
"""
SELECT_STORED = """
SELECT batch_id::text, shift_id::text, terminal_id, digest FROM inbox_batch WHERE batch_id = ANY(%s::uuid[])
"""


class Import(NamedTuple):
    """One file that was taken in, as its decision and its row say. `content` is None where its bytes are not there."""

    code: str
    where: str
    before: Any
    after: Any
    content: bytes | None
    digest: str | None
    terminal_id: int | None
    is_of_terminal: bool


def check_imports(cursor: CursorWrapper, findings: Findings) -> None:
    """Compares every file that was taken in with its decision, and with what is in the inbox."""
    for each in _load_imports(cursor):
        if each.content is None or each.digest != each.before.get("file") or not each.is_of_terminal:
            found = None if each.content is None else "another file"
            findings.add(each.code, each.where, "the file", expected="as it was agreed to", found=found)
        elif hashlib.sha256(each.content).hexdigest() != each.before.get("kept"):
            findings.add(each.code, each.where, "what the file holds", expected="as it was agreed to", found="changed")
        else:
            _check_batches(cursor, each, findings)


def _load_imports(cursor: CursorWrapper) -> Iterator[Import]:
    cursor.execute(SELECT_IMPORTS)
    for code, subject, before, after, packed, digest, terminal_id, terminal in cursor.fetchall():
        yield Import(
            code,
            f"the decision to import-cache {subject}",
            json.loads(before),
            json.loads(after),
            _unpacked(packed),
            None if digest is None else bytes(digest).hex(),
            terminal_id,
            terminal == subject,
        )


def _unpacked(packed: Any) -> bytes | None:
    try:
        return None if packed is None else zlib.decompress(packed)
    except zlib.error:
        return None


def _check_batches(cursor: CursorWrapper, each: Import, findings: Findings) -> None:
    """Each batch of the file is where the decision says, as its terminal's; what was new, in the bytes of the file."""
    taken = {batch["saved_as"]: batch for batch in each.after.get("batches", [])}
    cursor.execute(SELECT_STORED, [[batch["batch_id"] for batch in taken.values()]])
    stored = {row[0]: (row[1], row[2], bytes(row[3])) for row in cursor.fetchall()}
    for shift in json.loads(each.content or b"{}").get("shifts", []):
        for batch in shift["batches"]:
            as_taken = taken.get(batch["batch_id"], {})
            found = stored.get(as_taken.get("batch_id", ""))
            expected = (shift["shift_id"], each.terminal_id, hashlib.sha256(batch["body"].encode()).digest())
            # What its terminal had sent itself may have been stored by a version that masked less.
            if found is None or found[:2] != expected[:2] or (as_taken["is_new"] and found != expected):
                words = None if found is None else "another batch"
                findings.add(
                    each.code, each.where, f"batch {batch['batch_id']}", expected="as in the file", found=words
                )
