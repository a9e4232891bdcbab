"""Cache files of a terminal: who asked that they be taken in, and what is in them."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import prefetch_related_objects
from django.utils.dateparse import parse_datetime

from backoffice.books.models import CacheFile, Decision
from backoffice.domain.decisions import Verb
from backoffice.fleet.models import Credential, Terminal
from backoffice.languages.formats import counted
from backoffice.review.decisions import answer_of, standing_of
from backoffice.review.words import Label

CACHES_SHOWN = 12


class ShownCache(NamedTuple):
    """A file that somebody asked to be taken in. `revoked_at` is since when its terminal's key is not valid any more."""

    decision: Decision
    standing: Label
    people: str
    holds: str
    saved_at: datetime | None
    revoked_at: datetime | None


def read_caches(terminal: Terminal) -> list[ShownCache]:
    """The latest of a terminal. Four statements."""
    about = Decision.objects.filter(about="terminal", subject=str(terminal.uuid), verb=Verb.IMPORT_CACHE.value)
    decisions = list(about.order_by("-asked_at")[:CACHES_SHOWN])
    prefetch_related_objects(decisions, "person", "answer__person")
    files = CacheFile.objects.filter(terminal=terminal).values_list("pk", "signed_with")
    keys = {str(pk): bytes(key) for pk, key in files} if decisions else {}
    credentials = Credential.objects.filter(terminal=terminal, revoked_at__isnull=False, cache_key__isnull=False)
    revoked = (
        {bytes(key or b""): at for key, at in credentials.values_list("cache_key", "revoked_at")} if decisions else {}
    )
    return [_shown(decision, revoked.get(keys.get(decision.arguments["file"], b""))) for decision in decisions]


def _shown(decision: Decision, revoked_at: datetime | None) -> ShownCache:
    answer = answer_of(decision)
    people = f"asked by {decision.person}" + ("" if answer is None else f", {answer.answer} by {answer.person}")
    before = decision.before
    holds = f"{counted(before['orders'], 'order')}, {counted(before['cash_movements'], 'cash movement')}"
    saved_at = parse_datetime(before["saved_at"])
    return ShownCache(decision, standing_of(decision), people, holds, saved_at, revoked_at)
