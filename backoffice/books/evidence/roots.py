"""Whom time stamps are believed from: the authorities of a file."""

from pathlib import Path

from cryptography import x509
from django.conf import settings


def stamp_roots() -> list[x509.Certificate]:
    """The root certificates of TIMESTAMP_CA_FILE. Raises ValueError where they cannot be read."""
    if not settings.TIMESTAMP_CA_FILE:
        raise ValueError("TIMESTAMP_CA_FILE names no file: nobody's stamps are believed")
    try:
        return x509.load_pem_x509_certificates(Path(settings.TIMESTAMP_CA_FILE).read_bytes())
    except OSError as error:
        raise ValueError(f"TIMESTAMP_CA_FILE cannot be read: {error}") from None
