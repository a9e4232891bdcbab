"""Standard Webhooks 1.0: secrets, and the signatures that receivers check (standardwebhooks.com, "Signature scheme")."""

import base64
import hmac
import secrets
from collections.abc import Iterable

from cryptography.fernet import InvalidToken

from backoffice.derived_keys import derived_keys, is_of_today

PREFIX = "whsec_"
PURPOSE = b"backoffice webhook secrets"
SECRET_BYTES = 32  # the specification asks for 24 to 64


class SecretUnreadable(Exception):
    """A secret was encrypted with a SECRET_KEY that is in neither setting: the endpoint needs a new one."""


def make_secret() -> str:
    """A new secret, as its receiver stores it: `whsec_` and base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign_message(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the base64 of an HMAC-SHA256 over `message_id.timestamp.body`; `timestamp` in seconds of Unix time."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.digest(key, b".".join((message_id.encode(), str(timestamp).encode(), body)), "sha256")
    return "v1," + base64.b64encode(digest).decode()


def signature_headers(secrets_of_it: Iterable[str], *, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers. While secrets rotate there are several signatures, and a receiver accepts any that it can check."""
    signatures = [
        sign_message(secret, message_id=message_id, timestamp=timestamp, body=body) for secret in secrets_of_it
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def seal_secret(secret: str) -> bytes:
    """A secret as it is kept: who reads a backup of the database cannot sign."""
    return derived_keys(purpose=PURPOSE).encrypt(secret.encode())


def open_secret(sealed: bytes) -> str:
    """Raises SecretUnreadable."""
    try:
        return derived_keys(purpose=PURPOSE).decrypt(sealed).decode()
    except InvalidToken as error:
        raise SecretUnreadable("The secret was made under another SECRET_KEY.") from error


def seal_anew(sealed: bytes) -> bytes:
    """A secret under today's SECRET_KEY; the very same bytes where it is under that already. Raises SecretUnreadable."""
    return sealed if is_of_today(sealed, purpose=PURPOSE) else seal_secret(open_secret(sealed))
