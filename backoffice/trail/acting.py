"""Who is acting, told to the database with each change: its triggers note it (migration 0001)."""

import getpass
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from backoffice.domain.cards.masking import mask_cards

MAX_REASON = 500
MAX_PERSON = 150
TELL = "SELECT set_config('backoffice.actor', %s, %s)"
CHANGE = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM) +"?(\w+)', re.IGNORECASE)
# What is written in masses is not watched: nothing is told before it. Whatever is new is told, so that nobody forgets it.
UNWATCHED = (
    "sales_",
    "inbox_",
    "ledger_journal",
    "ledger_entry",
    "evidence_",
    "trail_",
    "django_",
    "books_decision",
    "books_heldclaim",
    "fleet_heartbeat",
)


class Actor(NamedTuple):
    """Somebody at work: who, from where, by what, and why."""

    person: str = ""
    person_id: int | None = None
    address: str = ""
    via: str = ""
    reason: str = ""


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Whatever this thread changes meanwhile is noted as this actor's."""
    is_told = _actor.get() is not None
    token = _actor.set(actor)
    try:
        if is_told:
            yield
        else:
            with connection.execute_wrapper(_tell):
                yield
    finally:
        _actor.reset(token)


def because(reason: str) -> None:
    """Why the actor does what follows, in their own words; card data is taken out of them (protocol §7)."""
    actor = _actor.get()
    if actor is not None and reason.strip():
        kept = json.loads(mask_cards(json.dumps([reason.strip()]).encode()).body)[0]
        _actor.set(actor._replace(reason=kept[:MAX_REASON]))


def current_actor() -> Actor:
    """Who acts just now; nobody where the service works by itself."""
    return _actor.get() or Actor()


def at_the_command_line(command: str, *, person: str | None = None) -> Actor:
    """The actor of a command: who it is run for, or else the user of the operating system that runs it."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = "nobody"
    return Actor(person=(person or user)[:MAX_PERSON], via=f"command {command}, {user}"[:120])


def _tell(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001 - Django's
    """Django's hook around each statement: a change first says whose it is."""
    actor, database = _actor.get(), context["connection"]
    if actor is None or not _may_be_watched(sql):
        return execute(sql, params, many, context)
    words = json.dumps(actor._asdict())
    if database.in_atomic_block:  # it holds until the transaction ends, or goes back to before this
        _set(database, words, is_local=True)
        return execute(sql, params, many, context)
    _set(database, words, is_local=False)
    try:
        return execute(sql, params, many, context)
    finally:
        _set(database, "", is_local=False)


def _may_be_watched(sql: object) -> bool:
    change = CHANGE.match(sql) if isinstance(sql, str) else None
    return change is not None and not change[1].startswith(UNWATCHED)


def _set(database: BaseDatabaseWrapper, words: str, *, is_local: bool) -> None:
    with database.wrap_database_errors:
        database.connection.execute(TELL, [words, is_local])
