"""The key that signs the head of the books: a file that the sealer's process may read, and nothing else.

It is neither in the database, where whoever could rewrite the books could sign them again, nor given to the web process.
"""

import os
import secrets
from pathlib import Path

from django.conf import settings

from backoffice.domain.evidence.notes import KEY_BYTES, CheckingKey, NoteRefused, SigningKey

OWNER_ONLY = 0o600
OTHERS = 0o077


class NoSealKey(Exception):
    """There is no key that could sign, or its file is not as it must be; the text says what to do."""


def signing_key() -> SigningKey:
    """The key of this installation. Raises NoSealKey."""
    if settings.SEAL_KEY_FILE is None:
        raise NoSealKey("SEAL_KEY_FILE names no file, so nothing can be signed. See docs/evidence.md, The key.")
    path = Path(settings.SEAL_KEY_FILE)
    try:
        if path.stat().st_mode & OTHERS:
            raise NoSealKey(f"{path} can be read by others than its owner: chmod 600, and think of who has read it.")
        return SigningKey.read(path.read_text())
    except FileNotFoundError:
        raise NoSealKey(f"{path} does not exist. Make a key once: manage.py create_seal_key --name NAME") from None
    except (OSError, UnicodeDecodeError) as error:
        raise NoSealKey(f"{path} cannot be read: {error}") from None
    except NoteRefused as error:
        raise NoSealKey(f"{path}: {error}") from None


def create_signing_key(path: Path, *, name: str) -> CheckingKey:
    """Makes a key and its file, which only its owner may read. Returns the public half. Raises NoSealKey.

    `name` tells these books from all others: a name of your own, and what is sealed there. It stands in every checkpoint.
    """
    if not name or "+" in name or not name.isprintable() or " " in name:
        raise NoSealKey("A key's name has neither spaces nor a plus, such as backoffice.example/books.")
    key = SigningKey(name, secrets.token_bytes(KEY_BYTES))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY)
    except FileExistsError:
        raise NoSealKey(f"{path} exists. A key is never replaced where it lies: move it away first.") from None
    except OSError as error:
        raise NoSealKey(f"{path} cannot be made: {error.strerror}.") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{key.secret_text}\n")
        file.flush()
        os.fsync(file.fileno())
    return key.checking
