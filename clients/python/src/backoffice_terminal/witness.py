"""A terminal as a witness: it keeps the newest seal of the books, and notices a history that does not go on from it.

A seal is a signed checkpoint: origin, size and root, each on a line. The terminal checks no signature, since it has
no key. It compares: books only grow, and of one size there is one root. What does not fit is kept with what it
contradicts; both are signed, so that an auditor can tell who is wrong. After Back Office was restored to an earlier
moment this is expected, and those who restored it say so.
"""

from typing import NamedTuple

import msgspec

from backoffice_terminal.journal import Journal

CHECKPOINT, DOUBT = "checkpoint", "doubt_of_the_books"


class Seal(NamedTuple):
    """What a checkpoint says."""

    origin: str
    size: int
    root: str


def read_seal(checkpoint: str) -> Seal | None:
    """What a checkpoint says; None for a text of another form, which a newer Back Office may send."""
    lines = checkpoint.split("\n")
    if len(lines) < 4 or lines[3] or not lines[1].isascii() or not lines[1].isdecimal():
        return None
    return Seal(lines[0], int(lines[1]), lines[2])


def contradicts(given: str, kept: str) -> bool:
    """Whether books that gave one checkpoint earlier cannot honestly give the other now."""
    new, old = read_seal(given), read_seal(kept)
    if new is None or old is None or new.origin != old.origin:
        return False  # other books, or a text that cannot be compared
    return new.size < old.size or (new.size == old.size and new.root != old.root)


def keep_checkpoint(journal: Journal, checkpoint: str) -> None:
    """Keeps the newest seal and, once, the first pair of which the second does not go on from the first."""
    kept = journal.fact(CHECKPOINT)
    facts: dict[str, str | None] = {CHECKPOINT: checkpoint}
    if kept is not None and contradicts(checkpoint, kept) and journal.fact(DOUBT) is None:
        facts[DOUBT] = msgspec.json.encode([kept, checkpoint]).decode()
    journal.change_facts(facts)


def doubt_of_the_books(journal: Journal) -> tuple[str, str] | None:
    """That pair, None while all is well. Show it to head office: Back Office was restored, or its history changed."""
    kept = journal.fact(DOUBT)
    return None if kept is None else msgspec.json.decode(kept, type=tuple[str, str])
