"""Coming in: what a test does to be somebody of head office. A password alone opens no console to who may decide."""

import base64
import hmac
import struct
import time

from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY,
    AUTHENTICATION_METHODS_SESSION_KEY,
)
from allauth.account.internal.userkit import user_id_to_str
from django.contrib.auth.models import User
from django.test import Client

PASSWORD = "correct horse battery staple"
STEP_S = 30


def sign_in(client: Client, user: User, *, factor: bool = True) -> Client:
    """Logs somebody in, in a session in which a second factor was shown (unless `factor` says otherwise)."""
    client.force_login(user)
    if factor:
        session = client.session
        session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "mfa", "type": "totp", "at": time.time()}]
        session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = user_id_to_str(user)
        session.save()
    return client


def code_now(secret: str, *, at: float | None = None) -> str:
    """The code that an authenticator app shows (RFC 6238: SHA-1, six digits, every 30 seconds)."""
    counter = int(time.time() if at is None else at) // STEP_S
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", counter), "sha1")
    place = digest[-1] & 0x0F
    value = struct.unpack(">I", digest[place : place + 4])[0] & 0x7FFFFFFF
    return f"{value % 1_000_000:06d}"
