"""Keys made of SECRET_KEY for what the database keeps encrypted: who reads a backup can use none of it."""

import base64

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derived_key(secret: str, *, purpose: bytes) -> Fernet:
    """The key of a secret for one purpose. What was encrypted for another cannot be read with it."""
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(made))
