"""Whether a request of the console comes from somebody who is signed in.

This earns that the file of a till is read, and nothing else: who may hand one in is asked by Django, afterwards.
"""

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.http import parse_cookie

from backoffice.gate.environ import Environ


def session_key(environ: Environ) -> str | None:
    """The key in the cookie of the session; None where there is no such cookie, or nothing that could be a key."""
    key = parse_cookie(environ.get("HTTP_COOKIE", "")).get(settings.SESSION_COOKIE_NAME, "")
    return key if key.isascii() and key.isalnum() else None


def is_signed_in(key: str) -> bool:
    """Whether a session with this key has somebody in it. One statement."""
    return SESSION_KEY in SessionStore(key)
