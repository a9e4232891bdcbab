"""The head of the tree as a signed note: a checkpoint as witnesses of transparency logs read it.

C2SP: signed-note (text, a blank line, signatures) and tlog-checkpoint (origin, size, root). Keys are written as Go's
`golang.org/x/mod/sumdb/note` writes them, so that its tools can check what is signed here.
"""

import base64
import binascii
from hashlib import sha256
from typing import NamedTuple, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
KEY_BYTES = 32
ID_BYTES = 4
PRIVATE = "PRIVATE+KEY+"
DASH = "\N{EM DASH} "


class NoteRefused(Exception):
    """A note or key that cannot be read, or that was not signed with the key; the text says why."""


class TreeHead(NamedTuple):
    """What a checkpoint says: of which books, how many leaves the installation's tree has, and its root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class CheckingKey(NamedTuple):
    """The public half of a key: what checks a signature. `name` is the origin of the books."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes by which a signature names its key."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Reads a key as it is written. Raises NoteRefused."""
        name, _, rest = text.strip().partition("+")
        key_id, _, data = rest.partition("+")
        key = cls(name, _key_bytes(data))
        if not name or key.id.hex() != key_id:
            raise NoteRefused("The public key is damaged: its parts do not belong together.")
        return key


class SigningKey(NamedTuple):
    """A key that signs; `seed` is secret."""

    name: str
    seed: bytes

    @property
    def checking(self) -> CheckingKey:
        """Its public half."""
        public = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return CheckingKey(self.name, public.public_bytes_raw())

    @property
    def secret_text(self) -> str:
        """The key as its file holds it. Never print it."""
        return f"{PRIVATE}{self.name}+{self.checking.id.hex()}+{base64.b64encode(ED25519 + self.seed).decode()}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Reads a key's file. Raises NoteRefused; no part of the key stands in the words."""
        if not text.startswith(PRIVATE):
            raise NoteRefused("The key's file does not begin as one.")
        name, _, rest = text.strip().removeprefix(PRIVATE).partition("+")
        key_id, _, data = rest.partition("+")
        key = cls(name, _key_bytes(data))
        if not name or key.checking.id.hex() != key_id:
            raise NoteRefused("The key's file is damaged: its parts do not belong together.")
        return key


def sign(head: TreeHead, key: SigningKey) -> str:
    """The signed note of a head."""
    signature = Ed25519PrivateKey.from_private_bytes(key.seed).sign(head.text.encode())
    return f"{head.text}\n{DASH}{key.name} {base64.b64encode(key.checking.id + signature).decode()}\n"


def read_head(note: str) -> TreeHead:
    """What a note says, whoever signed it. Raises NoteRefused."""
    text, blank, _ = note.partition("\n\n")
    lines = text.split("\n")
    if not blank or len(lines) < 3 or not lines[0] or not lines[1].isascii() or not lines[1].isdecimal():  # noqa: PLR2004 - origin, size, root
        raise NoteRefused("This is no checkpoint: it needs an origin, a size, a root, a blank line and a signature.")
    head = TreeHead(lines[0], int(lines[1]), _decoded(lines[2]))
    if f"{text}\n" != head.text:
        raise NoteRefused("This is no checkpoint of ours: its text is written in another way.")
    return head


def check_note(note: str, key: CheckingKey) -> TreeHead:
    """What a note says that was signed with a key. Raises NoteRefused."""
    head = read_head(note)
    for line in note.partition("\n\n")[2].splitlines():
        name, _, signed = line.removeprefix(DASH).rpartition(" ")
        signature = _decoded(signed)
        if line.startswith(DASH) and name == key.name and signature[:ID_BYTES] == key.id:
            try:
                Ed25519PublicKey.from_public_bytes(key.public).verify(signature[ID_BYTES:], head.text.encode())
            except InvalidSignature:
                raise NoteRefused("The checkpoint's signature is wrong: it was changed after it was signed.") from None
            return head
    raise NoteRefused(f"The checkpoint is not signed with the key of {key.name}.")


def _key_bytes(text: str) -> bytes:
    data = _decoded(text)
    if len(data) != 1 + KEY_BYTES or data[:1] != ED25519:
        raise NoteRefused("The key is no Ed25519 key.")
    return data[1:]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteRefused("What should be base64 cannot be read.") from None
