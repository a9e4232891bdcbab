"""What people do beside changing rows: logging in, taking bytes or exports out of the house."""

import json
from collections.abc import Mapping
from typing import Any

from django.db import connection

from backoffice.trail.acting import Actor, current_actor

# Of the object, who, and what there is to say of it. The database adds when, and the transaction.
INSERT_EVENT = """
INSERT INTO trail_entry (what, about, object_id, object_name, store_id, person_id, person, address, via, reason, after)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb)
"""
LOGIN, LOGIN_FAILED, LOGOUT = "login", "login-failed", "logout"
FACTOR_FAILED, CODE_USED, SIGNED_OUT = "factor-failed", "recovery-code-used", "signed-out"
READ, DOWNLOADED, EXPORTED, DETACHED = "read", "downloaded", "exported", "detached"


def record_event(
    what: str,
    *,
    about: str,
    object_id: str,
    object_name: str = "",
    store_id: int | None = None,
    said: Mapping[str, Any] | None = None,
    actor: Actor | None = None,
) -> None:
    """Notes that somebody did something with an object, such as `DOWNLOADED` a batch.

    `actor` is whoever acts just now (`acting`) unless it is given. Never pass a secret: what is noted stays. Inside a
    transaction it is noted only if that commits.
    """
    by = actor or current_actor()
    words = None if said is None else json.dumps(said, ensure_ascii=False, default=str)
    whom = [by.person_id, by.person, by.address, by.via, by.reason]
    with connection.cursor() as cursor:
        cursor.execute(INSERT_EVENT, [what, about, object_id, object_name[:300], store_id, *whom, words])
