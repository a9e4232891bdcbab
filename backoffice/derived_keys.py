"""Keys made of SECRET_KEY for what the database keeps encrypted: who reads a backup can use none of it."""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def derived_keys(*, purpose: bytes) -> MultiFernet:
    """The keys for one purpose: today's, which encrypts, and those of SECRET_KEY_BEFORE, which only read.

    What was encrypted for another purpose cannot be read with them.
    """
    return MultiFernet([_derived_key(secret, purpose) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_BEFORE)])


def is_of_today(token: bytes, *, purpose: bytes) -> bool:
    """Whether something was encrypted with today's key."""
    try:
        _derived_key(settings.SECRET_KEY, purpose).decrypt(token)
    except InvalidToken:
        return False
    return True


def _derived_key(secret: str, purpose: bytes) -> Fernet:
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(made))
