"""Activation codes and credentials: how head office lets a till in, and how the till proves itself afterwards.

Codes are 12 symbols of a 32-letter alphabet without look-alikes; 4 select the row, 8 (40 bits) are the secret.
Source: protocol §3.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import F
from django.utils.crypto import salted_hmac

from backoffice.domain.cache_files import cache_key
from backoffice.fleet.models import ActivationCode, Credential, Store, Terminal

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
SELECTOR_LENGTH, SECRET_LENGTH = 4, 8
STORE_FIELDS = [field.attname for field in Store._meta.concrete_fields]  # noqa: SLF001 - public by documentation
TERMINAL_FIELDS = ["id", "uuid", "store_id", "name"]
# Asked with every request, so it is spelled out: building it with the ORM costs more than running it.
SELECT_BEARER = f"""
SELECT c.used_at IS NOT NULL, c.cache_key IS NOT NULL, {", ".join(f"t.{field}" for field in TERMINAL_FIELDS)}, {", ".join(f"s.{field}" for field in STORE_FIELDS)}
FROM fleet_credential c
JOIN fleet_terminal t ON t.id = c.terminal_id
JOIN fleet_store s ON s.id = t.store_id
WHERE c.token_hash = %s AND c.revoked_at IS NULL
"""  # noqa: S608 - the names are those of the model's own columns  # nosec B608

CODE_LIFETIME = timedelta(minutes=15)
WRONG_TRIES_ALLOWED = 5


def issue_code(*, terminal: Terminal, now: datetime) -> str:
    """Makes a code for `terminal` and returns it, grouped for reading out. It cannot be read again."""
    ActivationCode.objects.filter(expires_at__lt=now - timedelta(days=1), used_at__isnull=True).delete()
    secret = _symbols(SECRET_LENGTH)
    selector = _symbols(SELECTOR_LENGTH)
    while ActivationCode.objects.filter(selector=selector).exists():
        selector = _symbols(SELECTOR_LENGTH)
    ActivationCode.objects.create(
        terminal=terminal,
        selector=selector,
        secret_hash=_secret_hash(selector, secret),
        expires_at=now + CODE_LIFETIME,
    )
    return "-".join((selector, secret[:4], secret[4:]))


def redeem_code(*, code: str, now: datetime) -> int | None:
    """The id of the terminal that `code` activates, at most once; None for wrong, used, burned and expired ones.

    Each outcome is one conditional UPDATE, so that of parallel tries exactly one wins and no wrong try is uncounted.
    """
    symbols = code.replace("-", "").replace(" ", "").upper()
    selector, secret = symbols[:SELECTOR_LENGTH], symbols[SELECTOR_LENGTH:]
    live = ActivationCode.objects.filter(
        selector=selector, used_at__isnull=True, expires_at__gt=now, wrong_tries__lt=WRONG_TRIES_ALLOWED
    )
    if live.filter(secret_hash=_secret_hash(selector, secret)).update(used_at=now):
        return ActivationCode.objects.values_list("terminal_id", flat=True).get(selector=selector)
    live.update(wrong_tries=F("wrong_tries") + 1)
    return None


def rotate_credential(*, terminal: Terminal) -> str:
    """A further token, for the terminal to change over to; one that it has not used yet is replaced.

    The caller holds the terminal's lock.
    """
    Credential.objects.filter(terminal=terminal, revoked_at__isnull=True, used_at__isnull=True).delete()
    return _mint(terminal)


def begin_to_use(*, token_hash: bytes, now: datetime) -> None:
    """The first use of a token ends every other of its terminal. The caller holds the terminal's lock.

    Of two requests that bring a new token at once both may come here; the second finds nothing left to do.
    """
    credential = Credential.objects.filter(token_hash=token_hash, revoked_at__isnull=True, used_at__isnull=True)
    terminal_id = credential.values_list("terminal_id", flat=True).first()
    if terminal_id is not None:
        others = Credential.objects.filter(terminal_id=terminal_id, revoked_at__isnull=True)
        others.exclude(token_hash=token_hash).update(revoked_at=now)
        credential.update(used_at=now)


def replace_credential(*, terminal: Terminal, now: datetime) -> str:
    """Revokes the terminal's tokens and returns a new one. The caller holds the terminal's lock."""
    Credential.objects.filter(terminal=terminal, revoked_at__isnull=True).update(revoked_at=now)
    return _mint(terminal)


def note_cache_key(token: str) -> None:
    """What checks the cache files that are signed with a token of before there were any. The token itself is not kept."""
    Credential.objects.filter(token_hash=hash_token(token), cache_key__isnull=True).update(cache_key=cache_key(token))


class Bearer(NamedTuple):
    """Whom a live token speaks for: its terminal, with its store."""

    terminal: Terminal
    was_used: bool
    has_cache_key: bool


def terminal_of_token(token: str) -> Bearer | None:
    """Whom a token speaks for; None for what is no live token."""
    with connection.cursor() as cursor:
        cursor.execute(SELECT_BEARER, [hash_token(token)])
        row = cursor.fetchone()
    if row is None:
        return None
    was_used, has_cache_key, *fields = row
    terminal = Terminal.from_db("default", TERMINAL_FIELDS, fields[: len(TERMINAL_FIELDS)])
    terminal.store = Store.from_db("default", STORE_FIELDS, fields[len(TERMINAL_FIELDS) :])
    return Bearer(terminal, was_used, has_cache_key)


def hash_token(token: str) -> bytes:
    """SHA-256: a token has 256 random bits, so nothing slower is needed."""
    return hashlib.sha256(token.encode()).digest()


def _mint(terminal: Terminal) -> str:
    token = secrets.token_urlsafe(32)
    Credential.objects.create(terminal=terminal, token_hash=hash_token(token), cache_key=cache_key(token))
    return token


def _symbols(count: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(count))


def _secret_hash(selector: str, secret: str) -> bytes:
    """Keyed, because 40 bits alone could be searched by whoever steals the table."""
    return salted_hmac("backoffice.activation", f"{selector}{secret}", algorithm="sha256").digest()
