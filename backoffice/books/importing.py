"""The cache of a till that died comes as a file (protocol §12): kept, and asked for or decided, in one transaction."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from backoffice.books.caches import keep_cache
from backoffice.books.deciding import DecisionReport, Proposal, decide
from backoffice.books.people import check_right
from backoffice.books.refusals import NotDecided
from backoffice.domain.cache_files import CacheFileRefused
from backoffice.domain.decisions import Verb


def import_cache(
    file: bytes,
    *,
    person: User,
    reason: str,
    note: str = "",
    agreed_by: User | None = None,
    address: str | None = None,
    now: datetime,
) -> DecisionReport:
    """Asks that a cache file be taken in, or decides it where a second person is there. Raises NotDecided: nothing is kept."""
    check_right(person, Verb.IMPORT_CACHE)
    with transaction.atomic():
        try:
            kept = keep_cache(file, now=now)
        except CacheFileRefused as refusal:
            raise NotDecided(refusal.code, refusal.detail) from None
        proposal = Proposal(
            verb=Verb.IMPORT_CACHE,
            subject=str(kept.terminal.uuid),
            person=person,
            reason=reason,
            note=note,
            arguments={"file": str(kept.pk)},
            agreed_by=agreed_by,
            address=address,
        )
        return decide(proposal, now=now)
