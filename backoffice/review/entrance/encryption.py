"""The secrets of authenticator apps and recovery codes, as the database has them: nobody can use what a backup shows.

They are encrypted with a key made of SECRET_KEY. With SECRET_KEY_BEFORE those of an earlier one are still read, and each is
encrypted anew when it is used.
"""

import base64
import secrets

from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken, MultiFernet
from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Func, JSONField, TextField, Value

from backoffice.derived_keys import derived_keys

PURPOSE = b"second factors of the console"


def encrypted(text: str) -> str:
    """The text, encrypted."""
    return _keys().encrypt(text.encode()).decode()


def decrypted(kept: str) -> str:
    """What was encrypted. Where no key fits, a secret that nobody knows: no code is then right, and no page fails."""
    try:
        return _keys().decrypt(kept.encode()).decode()
    except InvalidToken:
        return base64.b32encode(secrets.token_bytes(20)).decode()


def encrypt_anew(authenticator: Authenticator) -> None:
    """Encrypts the secret of a factor with the key of today; nothing else of it changes. One statement."""
    for name in ("secret", "seed"):
        kept = authenticator.data.get(name)
        if kept is not None:
            anew = Value(_keys().rotate(kept.encode()).decode(), JSONField())
            data = Func(F("data"), Value([name], ArrayField(TextField())), anew, function="jsonb_set")
            Authenticator.objects.filter(pk=authenticator.pk).update(data=data)


def _keys() -> MultiFernet:
    return derived_keys(purpose=PURPOSE)
