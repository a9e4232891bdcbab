"""Cache files of a terminal: who asked that they be taken in, and what is in them."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from backoffice.books.caches import import_decisions
from backoffice.books.models import CacheFile, Decision, DecisionAnswer
from backoffice.domain.decisions import Verb
from backoffice.domain.states import BatchState
from backoffice.fleet.models import Credential, Terminal
from backoffice.inbox.models import Batch
from backoffice.languages.formats import counted
from backoffice.review.decisions import answer_of, standing_of
from backoffice.review.words import Label, outcomes_in_words

CACHES_SHOWN = 12


class ShownCache(NamedTuple):
    """A file that somebody asked to be taken in. `revoked_at` is since when its terminal's key is not valid any more."""

    decision: Decision
    standing: Label
    people: str
    holds: str
    became: str
    saved_at: datetime | None
    revoked_at: datetime | None


def read_caches(terminal: Terminal) -> list[ShownCache]:
    """The latest of a terminal. Five statements."""
    decisions = list(import_decisions(terminal).order_by("-asked_at")[:CACHES_SHOWN])
    prefetch_related_objects(decisions, "person", "answer__person")
    files = CacheFile.objects.filter(terminal=terminal).values_list("pk", "signed_with")
    keys = {str(pk): bytes(key) for pk, key in files} if decisions else {}
    credentials = Credential.objects.filter(terminal=terminal, revoked_at__isnull=False, cache_key__isnull=False)
    revoked = (
        {bytes(key or b""): at for key, at in credentials.values_list("cache_key", "revoked_at")} if decisions else {}
    )
    became = _became(decisions)
    return [
        _shown(decision, revoked.get(keys.get(decision.arguments["file"], b"")), became[decision.pk])
        for decision in decisions
    ]


def file_url(decision: Decision) -> str:
    """The page that shows what is in the file of a decision; empty where it is about none."""
    if decision.verb != Verb.IMPORT_CACHE.value:
        return ""
    return reverse("admin:fleet_terminal_cache_file", args=[decision.arguments["file"]])


def _became(decisions: Collection[Decision]) -> dict[UUID, str]:
    """What became of the orders of each file that was taken in, in words; empty of others. One statement."""
    taken = {decision.pk: _batches_of(decision) for decision in decisions}
    ids = {batch_id for batches in taken.values() for batch_id in batches}
    batches = Batch.objects.filter(batch_id__in=ids).values_list("batch_id", "state", "outcomes") if ids else []
    known = {str(batch_id): (state, outcomes) for batch_id, state, outcomes in batches}
    return {pk: _sum_in_words([known[each] for each in ids if each in known]) for pk, ids in taken.items()}


def _batches_of(decision: Decision) -> list[str]:
    answer = answer_of(decision)
    after = (decision.after if answer is None else answer.after) or {}
    return [batch["batch_id"] for batch in after.get("batches", [])]


def _sum_in_words(batches: Iterable[tuple[str, Mapping[str, int]]]) -> str:
    outcomes: Counter[str] = Counter()
    waiting = 0
    for state, became in batches:
        outcomes.update(became)
        waiting += state != BatchState.PROCESSED.value
    waits = ngettext("%(count)s upload waits", "%(count)s uploads wait", waiting) % {"count": waiting}
    return ", ".join(filter(None, [outcomes_in_words(outcomes), waits if waiting else ""]))


# Who asked and who answered, by the answer.
PEOPLE = {
    None: _("asked by {person}"),
    "agreed": _("asked by {person}, agreed to by {other}"),
    "declined": _("asked by {person}, declined by {other}"),
    "withdrawn": _("asked by {person}, withdrawn by {other}"),
}


def _people(decision: Decision, answer: DecisionAnswer | None) -> str:
    words = PEOPLE[None if answer is None else answer.answer]
    return str(words).format(person=decision.person, other="" if answer is None else answer.person)


def _shown(decision: Decision, revoked_at: datetime | None, became: str) -> ShownCache:
    answer = answer_of(decision)
    before = decision.before
    holds = f"{counted(before['orders'], 'order')}, {counted(before['cash_movements'], 'cash movement')}"
    saved_at = parse_datetime(before["saved_at"])
    return ShownCache(decision, standing_of(decision), _people(decision, answer), holds, became, saved_at, revoked_at)
