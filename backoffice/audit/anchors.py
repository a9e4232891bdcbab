"""Signed heads of the books, and an anchor: one that somebody kept elsewhere, from which today's books must go on."""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db.backends.utils import CursorWrapper

SELECT_KEYS = "SELECT text FROM evidence_verifierkey ORDER BY text"
MOST_BYTES = 64 * 1024
MARK = "\N{EM DASH} "
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


class AnchorRefused(Exception):
    """An anchor that says nothing about these books; the text says why."""


class SignedHead(NamedTuple):
    """What a note says; `signed` is the text that its signatures are of, each with its name, key's id and bytes."""

    origin: str
    size: int
    root: bytes
    signed: bytes
    signatures: list[tuple[str, bytes, bytes]]


def load_keys(cursor: CursorWrapper) -> list[str]:
    """The public keys that have signed these books."""
    cursor.execute(SELECT_KEYS)
    return [text for (text,) in cursor.fetchall()]


def read_note(note: str) -> SignedHead:
    """Reads a signed note. Raises ValueError for what is none."""
    lines = note.split("\n")
    blank = lines.index("")
    if blank != 3 or not lines[1].isdecimal() or lines[-1]:  # noqa: PLR2004 - origin, size and root before it
        raise ValueError("it is no checkpoint")
    signatures = []
    for line in lines[4:-1]:
        name, _, text = line.removeprefix(MARK).rpartition(" ")
        data = _bytes(text)
        signatures.append((name, data[:4], data[4:]))
    signed = "".join(f"{line}\n" for line in lines[:3]).encode()
    return SignedHead(lines[0], int(lines[1]), _bytes(lines[2]), signed, signatures)


def is_signed(head: SignedHead, keys: Iterable[str]) -> bool:
    """Whether one of the keys made one of its signatures."""
    for key in keys:
        name, _, data = key.split("+", 2)
        public = _bytes(data)
        key_id = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
        for by, signed_id, signature in head.signatures:
            if (by, signed_id) == (name, key_id) == (head.origin, signed_id):
                try:
                    Ed25519PublicKey.from_public_bytes(public[1:]).verify(signature, head.signed)
                except InvalidSignature:
                    continue
                return True
    return False


def read_anchor(text: str, keys: list[str]) -> SignedHead:
    """An anchor of these books, as it was signed. Raises AnchorRefused.

    Lines may end as those of mails and of Windows do, and blank ones may stand around: none of that is signed.
    """
    lines = text.removeprefix(BYTE_ORDER_MARK).replace("\r\n", "\n").strip()
    try:
        head = read_note(f"{lines}\n")
    except (ValueError, IndexError) as error:
        raise AnchorRefused(f"The anchor cannot be read: {error}.") from None
    if not keys:
        raise AnchorRefused(f"The anchor is of {head.origin}, and these books were never signed.")
    names = sorted({key.partition("+")[0] for key in keys})
    if head.origin not in names:
        raise AnchorRefused(
            f"The anchor is of another installation: {head.origin}. These books are {', '.join(names)}."
        )
    if not is_signed(head, keys):
        raise AnchorRefused(
            f"The anchor's signature is wrong: it was changed, or signed with another key than that of {head.origin}."
        )
    return head


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("it holds what is no base64") from None
