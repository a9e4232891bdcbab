"""The cache of a till that died comes as a file (protocol §12): handed in and kept, then asked for or decided."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from backoffice.books.caches import keep_cache
from backoffice.books.deciding import DecisionReport, Proposal, decide
from backoffice.books.models import CacheFile
from backoffice.books.people import check_right, check_store
from backoffice.books.refusals import NotDecided
from backoffice.domain.cache_files import CacheFileRefused
from backoffice.domain.decisions import Verb


def hand_in(file: bytes, *, person: User, now: datetime, most_unpacked: int | None = None) -> CacheFile:
    """Checks a cache file and keeps it once, without card data; nothing of it is in the books. Raises NotDecided: nothing is kept."""
    check_right(person, Verb.IMPORT_CACHE)
    with transaction.atomic():
        try:
            kept = keep_cache(file, now=now, most_unpacked=most_unpacked)
        except CacheFileRefused as refusal:
            raise NotDecided(refusal.code, refusal.detail) from None
        check_store(person, kept.terminal.store_id)
    return kept


def proposal_of(kept: CacheFile, *, person: User, reason: str, note: str = "", address: str | None = None) -> Proposal:
    """That a file which is kept be taken in."""
    return Proposal(
        verb=Verb.IMPORT_CACHE,
        subject=str(kept.terminal.uuid),
        person=person,
        reason=reason,
        note=note,
        arguments={"file": str(kept.pk)},
        address=address,
    )


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
    """Asks that a cache file be taken in, or decides it where a second person is there, wholly or not at all. Raises NotDecided."""
    with transaction.atomic():
        kept = hand_in(file, person=person, now=now)
        proposal = proposal_of(kept, person=person, reason=reason, note=note, address=address)
        return decide(proposal._replace(agreed_by=agreed_by), now=now)
